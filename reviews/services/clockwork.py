"""All that the clock brings to reviews, as one part of the sweep."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from reviews.models import Doing
from reviews.services.answering import answer_chunk
from reviews.services.applying import apply_due
from reviews.services.deciding import say_chunk
from reviews.services.ending import end_due
from reviews.services.long_acts import DoChunk, go_on_due
from reviews.services.running import reset_chunk
from reviews.services.starting import start_due
from reviews.services.telling import tell_chunk, tell_due
from roles.actors import Clock

DOERS: Final[Mapping[Doing, DoChunk]] = {
    Doing.SAY: say_chunk,
    Doing.ACCEPT: say_chunk,
    Doing.RESET: reset_chunk,
    Doing.REMIND: tell_chunk,
    Doing.ASK: tell_chunk,
    Doing.ANSWER: answer_chunk,
}


def keep_reviews_going(*, clock: Clock, limit: int) -> int:
    """Take the steps that are due, up to about `limit`; return `limit` while there is more to do, else less.

    What is over ends before the next begins; what any step left to a long act goes on in the same round.
    """
    steps = (end_due, start_due, tell_due, apply_due, go_on_with_long_acts)
    counts = [step(clock=clock, limit=limit) for step in steps]
    return limit if max(counts) >= limit else min(sum(counts), limit - 1)


def go_on_with_long_acts(*, clock: Clock, limit: int) -> int:
    """Do the next chunk of what is too long for one transaction."""
    return go_on_due(DOERS, clock=clock, limit=limit)
