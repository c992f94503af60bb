"""The tabs above a page's content, for `components/tabs.html`."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise

from roles import list_rows


@dataclass(frozen=True, slots=True)
class Tab:
    """One of the views of a page."""

    label: str | Promise
    url: str
    current: bool = False
    count: int | None = None
    more: bool = False  # behind "More", where the others leave no room

    @property
    def said(self) -> str:
        """How many there are, as far as they are counted."""
        return f"{list_rows.MOST_COUNTED}+" if (self.count or 0) > list_rows.MOST_COUNTED else str(self.count)
