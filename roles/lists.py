"""The one list class: a selector's rows as a table with search, filters, sorting and paging.

Everything is in the query string, so that a list works without JavaScript and can be bookmarked.
"""

from __future__ import annotations

from django_tables2.paginators import Paginator as _TablesPaginator  # noqa: F401
