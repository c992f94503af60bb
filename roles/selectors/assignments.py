"""What can be said of one assignment for one person."""

from __future__ import annotations

import uuid
from datetime import datetime

from roles.models import Assignment


def ends_for(eligibility: Assignment, holder_id: uuid.UUID, now: datetime) -> datetime | None:
    """Return when an eligibility in effect ends for somebody who may activate from it; None when it is permanent.

    It ends with itself or, where it is given to a group, with the last membership that this person has now.
    """
    if eligibility.principal_id == holder_id:
        return eligibility.ends_at
    memberships = Assignment.objects.memberships(now).filter(
        principal=holder_id, resource__group=eligibility.principal_id
    )
    ends = list(memberships.values_list("ends_at", flat=True))
    last = None if None in ends else max((end for end in ends if end is not None), default=now)
    return min((end for end in (last, eligibility.ends_at) if end is not None), default=None)
