"""Writing down many things, each by itself: one that cannot be written keeps no other waiting."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import TypeVar

logger = logging.getLogger(__name__)

T = TypeVar("T")


def one_by_one(
    things: Iterable[T],
    write: Callable[[T], int],
    *,
    failed: str = "Something that is due could not be written down.",
) -> int:
    """Return how many were written, `write` being called with each; it opens a transaction of its own.

    Where one fails, that is logged, and its error is raised when all others are done.
    """
    written, errors = 0, []
    for one in things:
        try:
            written += write(one)
        except Exception as error:
            logger.exception(failed)
            errors.append(error)
    if errors:
        raise errors[0]
    return written
