"""How people want to hear of what is only for information. What waits for them always comes at once."""

from __future__ import annotations

import uuid
from typing import Final

from pim_portal.models import Delivery, NotificationChoice, Topic

# What comes at once where somebody chose nothing; the rest is usual here.
USUAL: Final = {Topic.OTHER_ACTIVATIONS: Delivery.DIGEST}
# The digest cannot be kept for the digest; what is about to end cannot wait for it.
AT_ONCE_OR_NEVER: Final = frozenset({Topic.DIGEST, Topic.MY_ENDS})


def usual(topic: Topic) -> Delivery:
    """Return how a topic is told where somebody chose nothing."""
    return USUAL.get(topic, Delivery.AT_ONCE)


def choices_of(user_id: uuid.UUID) -> dict[Topic, Delivery]:
    """Return how this person hears of each topic."""
    chosen = dict(NotificationChoice.objects.filter(user=user_id).values_list("topic", "delivery"))
    return {topic: Delivery(chosen.get(topic, usual(topic))) for topic in Topic}


def delivery_for(user_id: uuid.UUID, topic: Topic | None) -> Delivery:
    """Return how this person hears of a topic; what has none can be quieted by nobody."""
    return Delivery.AT_ONCE if topic is None else choices_of(user_id)[topic]
