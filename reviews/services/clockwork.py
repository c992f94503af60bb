"""All that the clock brings to reviews, as one part of the sweep."""

from __future__ import annotations

from reviews.services.applying import apply_due
from reviews.services.ending import end_due, tell_due
from reviews.services.starting import start_due
from roles.actors import Clock


def keep_reviews_going(*, clock: Clock, limit: int) -> int:
    """Take the steps that are due, up to about `limit`; return `limit` while there is more to do, else less.

    What is over ends before the next begins.
    """
    counts = [step(clock=clock, limit=limit) for step in (end_due, start_due, tell_due, apply_due)]
    return limit if max(counts) >= limit else min(sum(counts), limit - 1)
