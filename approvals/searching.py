"""In which texts of requests words are searched for, and by which index of PostgreSQL."""

from __future__ import annotations

from typing import Final

from approvals.models import Request
from audit.searching import Searched

TICKETS: Final = Searched(
    Request._meta.db_table,
    "ticket",
    "request_by_ticket",
    "A search for a ticket reads those of all requests",
    words="upper(ticket::text)",  # as `icontains` asks
)
