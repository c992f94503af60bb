"""A series in the form in which it is wanted: tidied, read back from its rows, and told to the history."""

from __future__ import annotations

import uuid
from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any

from reviews.models import AccessReview, Frequency, ReviewersKind, Terms
from reviews.rules.series import SLACK, StageWanted, Wanted
from roles.text import clean

TERMS = tuple(field.name for field in Terms._meta.get_fields())
PLAIN = ("name", "description", "starts_at", "zone", "frequency", "ends_on", "occurrences", *TERMS)


def tidy(wanted: Wanted, now: datetime, *, planned: datetime | None = None) -> Wanted:
    """Return the same in one form: text cleaned, a start of a moment ago is now, what happens once has no end.

    `planned` is the start that a series has already: it stays to the microsecond, however long ago.
    """
    start = wanted.starts_at.astimezone(UTC)
    if start != planned and now - SLACK <= start < now:
        start = now
    once = wanted.frequency == Frequency.ONCE
    return replace(
        wanted,
        name=" ".join(clean(wanted.name).split()),
        description=clean(wanted.description),
        mail_text=clean(wanted.mail_text),
        starts_at=start,
        ends_on=None if once else wanted.ends_on,
        occurrences=None if once else wanted.occurrences,
    )


def wanted_of(review: AccessReview) -> Wanted:
    """Return a series as it is, in the form in which it is changed."""
    stages = []
    for stage in review.stages.prefetch_related("principals").order_by("number"):
        named = [(one.principal_id, one.fallback) for one in stage.principals.all()]
        reviewers = frozenset(pk for pk, fallback in named if not fallback)
        fallbacks = frozenset(pk for pk, fallback in named if fallback)
        stages.append(StageWanted(ReviewersKind(stage.kind), stage.days, reviewers, fallbacks))
    plain: dict[str, Any] = {name: getattr(review, name) for name in PLAIN}
    plain["frequency"] = Frequency(review.frequency)
    return Wanted(
        roles=frozenset(review.roles.values_list("pk", flat=True)),
        told=frozenset(review.told.values_list("principal", flat=True)),
        stages=tuple(stages),
        **plain,
    )


def details_of(wanted: Wanted) -> dict[str, Any]:
    """Return what was set, for the history: plain values and ids, no text that people wrote."""
    texts = {"name", "description", "mail_text"}
    found: dict[str, Any] = {}
    for field in fields(wanted):
        if field.name in texts:
            continue
        value = getattr(wanted, field.name)
        if field.name == "stages":
            value = [
                {
                    "kind": str(one.kind),
                    "days": one.days,
                    "reviewers": _sorted(one.reviewers),
                    "fallbacks": _sorted(one.fallbacks),
                }
                for one in value
            ]
        elif isinstance(value, frozenset):
            value = _sorted(value)
        elif value is not None and not isinstance(value, bool | int):
            value = value.isoformat() if hasattr(value, "isoformat") else str(value)
        found[field.name] = value
    return found


def _sorted(ids: frozenset[uuid.UUID]) -> list[str]:
    return sorted(str(one) for one in ids)
