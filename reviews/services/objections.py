"""What would be refused of a series as it is wanted, said with its preview: before a code is typed for nothing."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from reviews.models import AccessReview
from reviews.rules.series import SERIES, Wanted, nobody_to_review
from reviews.services.ground import authority_at
from reviews.services.series import before_of, gather
from reviews.services.wants import tidy
from roles.actors import Actor
from roles.models import Resource
from roles.refusals import Violation, broken
from roles.rules.asked import second_factor_missing

# A code is asked for when it is saved, and the preview itself says which rows have nobody.
FORESEEN: Final = tuple(rule for rule in SERIES if rule not in (second_factor_missing, nobody_to_review))


def objections_to(
    wanted: Wanted, place: Resource, *, actor: Actor, now: datetime, review: AccessReview | None = None
) -> list[Violation]:
    """Return what the rules say against making this series, or against changing `review` into it."""
    facts = gather(
        tidy(wanted, now, planned=review.starts_at if review else None),
        place,
        (),
        now=now,
        held=authority_at(actor, place, now),
        actor=actor,
        covers=review.pk if review else place.pk,
        before=before_of(review) if review else None,
    )
    return broken(FORESEEN, facts)
