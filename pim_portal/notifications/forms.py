"""Choosing which mails one gets."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from pim_portal.models import Delivery, Topic
from pim_portal.notifications.choices import AT_ONCE_OR_NEVER, choices_of
from roles.forms.refusable import RefusableForm

GROUPS = (
    (_("About me"), (Topic.MY_ROLES, Topic.MY_ENDS, Topic.MY_REQUESTS)),
    (_("What I decide"), (Topic.DECIDED,)),
    (
        _("What I administer"),
        (Topic.PRIVILEGED_ACTIVATIONS, Topic.OTHER_ACTIVATIONS, Topic.ADMINISTERED, Topic.ALERTS, Topic.DIGEST),
    ),
)


class ChoicesForm(RefusableForm):
    """One field for each topic; what waits for somebody is not among them."""

    def __init__(self, *args: Any, user_id: uuid.UUID, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for topic, way in choices_of(user_id).items():
            ways = [
                (one.value, _("Every Monday") if (topic, one) == (Topic.DIGEST, Delivery.AT_ONCE) else one.label)
                for one in Delivery
                if one != Delivery.DIGEST or topic not in AT_ONCE_OR_NEVER
            ]
            self.fields[topic.value] = forms.ChoiceField(label=topic.label, choices=ways, initial=way.value)

    def groups(self) -> list[tuple[Any, list[forms.BoundField]]]:
        """Return the fields as the page shows them."""
        return [(title, [self[topic.value] for topic in topics]) for title, topics in GROUPS]

    def chosen(self) -> dict[Topic, Delivery]:
        return {topic: Delivery(self.cleaned_data[topic.value]) for topic in Topic}
