"""How much a page takes: so much that applying it on SQLite, where nobody else can write meanwhile, takes some seconds.

Whoever writes there waits for 20 seconds at most. What a line costs stands in docs/importing.md.
"""

from __future__ import annotations

from typing import Final

from django.db import connection

from pim_portal.models import FileKind

# Lines of a file, and for groups also each name in them: on PostgreSQL, where only changes to the same things wait; on
# SQLite.
MOST_LINES: Final[dict[str, tuple[int, int]]] = {
    FileKind.ASSIGNMENTS: (50_000, 5_000),
    FileKind.PEOPLE: (50_000, 500),
    FileKind.GROUPS: (10_000, 400),
    FileKind.RESOURCES: (10_000, 250),
}


def most_lines(kind: str) -> int:
    """Return how many lines a file of this kind may have on this database; of groups, lines and names in them."""
    on_postgresql, on_sqlite = MOST_LINES[kind]
    return on_sqlite if connection.vendor == "sqlite" else on_postgresql
