"""What earlier instances of a series came to for the same assignment: the history that stands with a row."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from reviews.models import Instance, Opinion, Verdict

SHOWN = 5  # of each row, the latest


def earlier_of(instance: Instance, rows: Sequence[Verdict]) -> dict[uuid.UUID, list[Verdict]]:
    """Return for each of these rows what earlier instances said of the same, the latest first; with one query."""
    if instance.number == 1 or not rows:
        return {}
    found: dict[tuple[uuid.UUID, uuid.UUID], list[Verdict]] = {}
    before = (
        Verdict.objects.filter(
            instance__review=instance.review_id,
            instance__number__lt=instance.number,
            instance__completed_at__isnull=False,
            assignment__in={row.assignment_id for row in rows},
        )
        .exclude(verdict=Opinion.NOT_REVIEWED)
        .select_related("instance")
        .order_by("-instance__number", "pk")
    )
    for one in before:
        found.setdefault((one.assignment_id, one.principal_id), []).append(one)
    return {row.pk: found.get((row.assignment_id, row.principal_id), [])[:SHOWN] for row in rows}
