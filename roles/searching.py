"""In which text people and groups are searched for, and by which index of PostgreSQL."""

from __future__ import annotations

from typing import Final

from audit.searching import Searched
from roles.models import Principal

PRINCIPALS: Final = Searched(
    Principal._meta.db_table, "search_text", "principal_by_words", "A search for people reads the names of all"
)
