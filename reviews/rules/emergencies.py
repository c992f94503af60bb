"""What may be there for emergencies, and is not used otherwise: silence and disuse say nothing against it.

An emergency account holds Global Administrator or Privileged Role Administrator over the whole directory, or Owner at a
resource root, permanently and active (pim-behaviour.md §11). Nothing else tells it from the other holders of these
roles, so the same holds for all of them: only a person's word removes such an assignment.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Final

from django.db.models import Q

from roles.ids import DIRECTORY, GLOBAL_ADMINISTRATOR, OWNER, PRIVILEGED_ROLE_ADMINISTRATOR
from roles.models import AssignmentType, Resource, ResourceKind

OVER_THE_DIRECTORY: Final = frozenset({GLOBAL_ADMINISTRATOR, PRIVILEGED_ROLE_ADMINISTRATOR})
# The rows of a review for which `for_emergencies` holds.
FOR_EMERGENCIES: Final = Q(type=AssignmentType.ACTIVE, until=None) & (
    Q(role__in=OVER_THE_DIRECTORY, resource=DIRECTORY) | Q(role=OWNER, resource__kind=ResourceKind.ROOT)
)


def for_emergencies(role: uuid.UUID, resource: Resource, type: str, until: datetime | None) -> bool:
    """Return whether an assignment may be that of an emergency account. `until`: None is permanent."""
    if type != AssignmentType.ACTIVE or until is not None:
        return False
    if resource.kind == ResourceKind.ROOT:
        return role == OWNER
    return role in OVER_THE_DIRECTORY and resource.pk == DIRECTORY
