"""A few rows by their keys, in the form in which a database finds what belongs to them soonest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from django.db.models import Model, QuerySet

FEW: Final = 1000


def keys_or_query(rows: QuerySet[Any, Any]) -> Sequence[Any] | QuerySet[Model, Any]:
    """Return what `column__in` takes to name these rows: their keys while they are few, else the query itself.

    Of a key the database knows how often it comes, of a query within a query it knows nothing: it would read a whole
    table in the hope to meet one soon.
    """
    keys = rows.order_by().values_list("pk", flat=True)
    found = list(keys[: FEW + 1])
    return found if len(found) <= FEW else keys
