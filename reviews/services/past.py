"""Keeping what was said before it is said anew: copied in batches, so that fifty thousand rows fit as well as one."""

from __future__ import annotations

from datetime import datetime
from itertools import islice
from typing import Final

from django.db.models import QuerySet

from reviews.models import Opinion, PastVerdict, Verdict

BATCH: Final = 1000  # rows
_KEPT: Final = ("verdict", "stage", "how", "reason", "reviewer_id", "reviewer_name", "decided_at")


def keep_past(rows: QuerySet[Verdict], now: datetime) -> int:
    """Copy the verdicts of these rows that something was said of; return how many there were."""
    said = rows.exclude(verdict=Opinion.NOT_REVIEWED).order_by("pk").values("pk", *_KEPT)
    found = said.iterator(chunk_size=BATCH)
    kept = 0
    while batch := list(islice(found, BATCH)):
        PastVerdict.objects.bulk_create(
            PastVerdict(row_id=one["pk"], replaced_at=now, **{name: one[name] for name in _KEPT}) for one in batch
        )
        kept += len(batch)
    return kept
