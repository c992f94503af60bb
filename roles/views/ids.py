"""The ids that a page was asked for."""

from __future__ import annotations

import uuid

from django.http import Http404, QueryDict


def ids_in(query: QueryDict, name: str) -> list[uuid.UUID]:
    """Return the ids that come under this name, each once, in their order; what is no id is as unknown as any."""
    try:
        return list(dict.fromkeys(uuid.UUID(value) for value in query.getlist(name)))
    except ValueError:
        raise Http404 from None
