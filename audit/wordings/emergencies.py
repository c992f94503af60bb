"""Emergencies, in words."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_lazy

from audit.kinds import Kind
from audit.models import Event
from audit.wordings.wording import Variants, Wording, in_sql

WORDINGS: Final[dict[Kind, Wording]] = {
    Kind.EMERGENCY_STARTED: Wording(
        gettext_lazy("EMERGENCY: {actor} activated {role} at {resource} without waiting for approval."),
        gettext_lazy("{actor} tried to activate {role} at {resource} without waiting for approval"),
    ),
    Kind.EMERGENCY_REVIEWED: Wording(
        gettext_lazy("{actor} reviewed the emergency of {target}, {role} at {resource}: it was justified."),
        gettext_lazy("{actor} tried to close the review of the emergency of {target}, {role} at {resource}"),
    ),
}


@in_sql("e.details->'justified' = 'false'")
def unjustified(event: Event) -> bool:
    return event.details.get("justified") is False


VARIANTS: Final[dict[Kind, Variants]] = {
    Kind.EMERGENCY_REVIEWED: [
        (
            unjustified,
            Wording(
                gettext_lazy("{actor} reviewed the emergency of {target}, {role} at {resource}: it was NOT justified."),
                gettext_lazy("{actor} tried to close the review of the emergency of {target}, {role} at {resource}"),
            ),
        )
    ],
}
