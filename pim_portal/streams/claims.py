"""Taking web hooks to send to, and writing down what came of it.

Whoever sends holds a lease of the row, taken and given back in short transactions; nothing is open while it is sent.
A sender that dies leaves its lease behind, and after it the same batch goes out once more, under the same id.
"""

from __future__ import annotations

import logging
import uuid
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Q, QuerySet

from pim_portal.models import WebHook
from pim_portal.streams.leaves import last_leaf
from roles.actors import Clock

logger = logging.getLogger(__name__)

LEASE: Final = timedelta(seconds=60)  # several times what one sending can take
FIRST_RETRY: Final = timedelta(seconds=5)
NO_WISH: Final = timedelta(0)
LONGEST_RETRY: Final = timedelta(minutes=10)  # it is never given up


def due(now: datetime) -> QuerySet[WebHook]:
    """Return the web hooks that have something to send, may try it now, and are in nobody's hands."""
    free = Q(leased_until=None) | Q(leased_until__lte=now)
    behind = Q(paused_at=None, position__lt=last_leaf(), next_attempt_at__lte=now)
    return WebHook.objects.filter(free, behind | Q(test_asked_at__isnull=False)).order_by("pk")


def claim(pk: uuid.UUID, now: datetime) -> WebHook | None:
    """Take a web hook that is due; none where it is no longer, or somebody else has it."""
    with transaction.atomic():
        hook = due(now).filter(pk=pk).select_for_update(skip_locked=True, no_key=True).first()
        if hook is not None:
            hook.lease, hook.leased_until = uuid.uuid4(), now + LEASE
            hook.save(update_fields=["lease", "leased_until"])
        return hook


def on_its_way(hook: WebHook, upto: int) -> bool:
    """Remember where the batch ends that is sent now; False where its ground has changed meanwhile."""
    hook.upto = upto
    return bool(_mine(hook).update(upto=upto)) or _released(hook)


def delivered(hook: WebHook, *, now: datetime) -> bool:
    """Write down that everything up to the end of the batch was taken."""
    values = {"position": hook.upto, "upto": 0, "delivered_at": now, "next_attempt_at": now}
    well = {"failures": 0, "failing_since": None, "last_error": ""}
    return bool(_mine(hook).update(**values, **well, **FREE)) or _released(hook)


def passed(hook: WebHook, position: int) -> bool:
    """Write down that up to there was nothing of the kinds that are asked for."""
    return bool(_mine(hook).update(position=position, upto=0, **FREE)) or _released(hook)


def failed(hook: WebHook, error: str, *, clock: Clock, wants: timedelta = NO_WISH) -> bool:
    """Write down that the batch was not taken, and when it is tried again: not before the target `wants` it."""
    logger.warning("The web hook %s did not take what it was sent: %s", hook.name, error)
    now = clock()
    wait = max(wants, min(FIRST_RETRY * 2 ** min(hook.failures, 20), LONGEST_RETRY))
    values = {
        "failures": hook.failures + 1,
        "failing_since": hook.failing_since or now,
        "last_error": error[:300],
        "next_attempt_at": now + wait,
    }
    if not _mine(hook).update(**values, **FREE):
        _released(hook)
    return False


def tested(hook: WebHook, error: str, *, now: datetime) -> None:
    """Write down what came of the test that was asked for; one that was asked for since stays."""
    values = {"tested_at": now, "test_error": error[:300], "test_asked_at": None}
    if not _mine(hook).filter(test_asked_at=hook.test_asked_at).update(**values, **FREE):
        _released(hook)


FREE: Final = {"lease": None, "leased_until": None}


def _mine(hook: WebHook) -> QuerySet[WebHook]:
    """The row, while this sender holds it and nobody has changed where it leads or where it stands."""
    return WebHook.objects.filter(pk=hook.pk, lease=hook.lease, generation=hook.generation)


def _released(hook: WebHook) -> bool:
    """Give the row back; what was sent counts for nothing, since its ground has changed."""
    WebHook.objects.filter(pk=hook.pk, lease=hook.lease).update(**FREE)
    return False
