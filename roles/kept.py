"""How much waits for a viewer, kept for some seconds: beside lines of the menu, and beside the tabs of a page.

Which requests somebody may decide is a question of many rules, and a page that is about something else need not ask it
each time. So a count is kept for some seconds, for one person; it is asked anew on the page that it leads to, and by
the first page after the person has sent a form, whichever process answers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

from django.core.cache import cache
from django.http import HttpRequest

KEPT_SECONDS = 15
LAST_ACT = "last_act"  # in the session: a mark of the form that was sent last, which says only that it is another one

Count = TypeVar("Count")


def count_of(request: HttpRequest, entry: str, ask: Callable[[], Count], *, anew: bool) -> Count:
    """Return how much waits at this entry: as it was known some seconds ago, unless it is asked `anew`."""
    key = f"waiting:{entry}:{request.user.pk}:{request.session.get(LAST_ACT, '')}"
    known = None if anew else cast("Count | None", cache.get(key))
    if known is None:
        known = ask()
        cache.set(key, known, KEPT_SECONDS)
    return known
