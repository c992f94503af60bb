"""By whose right results are applied without anybody there: that of whoever set the series up, as it is now.

A removal names the assignment by whose authority it is done (DESIGN.md §5, rule 8), and a series must not outlive its
author's right. Administrators activate their role to set up a review and are asleep when it ends: so being eligible
for the role counts, as whoever is could do it themselves. Who was disabled, moved on, or had elevated their access for
an hour has no right left; then an administrator applies the results, or saves the series and thereby takes it over.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from reviews.models import AccessReview
from roles.authority import Authority
from roles.catalogue import Permission
from roles.models import User


@dataclass(frozen=True, slots=True)
class Right:
    """Whether something may be removed, and by which assignment; none where the operator set it up."""

    stands: bool
    assignment_id: uuid.UUID | None = None


def right_of_author(review: AccessReview, now: datetime) -> Right:
    """Return the right that whoever created or last changed a series has at its place at `now`."""
    if review.set_by_id is None:
        return Right(stands=True)
    authority = Authority(User.objects.get(pk=review.set_by_id), now)
    held = authority.by(Permission.ASSIGN, review.resource)
    held = held or authority.by_eligibility(Permission.ASSIGN, review.resource)
    return Right(held is not None, held.assignment_id if held else None)
