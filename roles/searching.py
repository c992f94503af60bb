"""In which texts people, groups and places are searched for, and by which index of PostgreSQL."""

from __future__ import annotations

from typing import Final

from audit.searching import Searched
from roles.models import Principal, Resource

PRINCIPALS: Final = Searched(
    Principal._meta.db_table, "search_text", "principal_by_words", "A search for people reads the names of all"
)
# Requests are searched for by the names of their places: of the tens of thousands that there may be, few hold a word.
PLACES: Final = Searched(
    Resource._meta.db_table, "name_key", "resource_by_words", "A search for places reads the names of all"
)
