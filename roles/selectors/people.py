"""Who people are, as the lists that name them show them."""

from __future__ import annotations

import uuid
from collections.abc import Collection

from roles.models import User
from roles.models.prepared import Prepared

_AMONG = Prepared(lambda pks: User.objects.filter(pk__in=pks).select_related("manager").order_by())


def people_among(pks: Collection[uuid.UUID]) -> list[User]:
    """Return the people who have these keys, with their managers, in no order."""
    return _AMONG.ask(pks)
