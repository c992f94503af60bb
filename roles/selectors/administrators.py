"""Who administers the portal, and would still do so after a change."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db.models import Exists, OuterRef, Q

from roles.ids import DIRECTORY, PRIVILEGED_ROLE_ADMINISTRATOR
from roles.models import Assignment, AssignmentType, Resource, Role, TotpDevice, User
from roles.selectors.settings import settings_of


def lasting_administrators(now: datetime) -> set[uuid.UUID]:
    """Return the people whom rule 7 counts.

    Enabled people with a second factor who hold Privileged Role Administrator at the directory by a *permanent*
    assignment, active, or eligible without approval; directly, or through a group of which they are a permanent
    active member.
    """
    role = Role.objects.get(pk=PRIVILEGED_ROLE_ADMINISTRATOR)
    directory = Resource.objects.get(pk=DIRECTORY)
    types = [AssignmentType.ACTIVE]
    if not settings_of(role, directory).approval_required:
        types.append(AssignmentType.ELIGIBLE)
    lasting = Assignment.objects.in_effect(now).filter(
        role=role, resource=directory, type__in=types, ends_at=None, activated_from=None
    )
    member = Assignment.objects.memberships(now).filter(
        principal=OuterRef("pk"), ends_at=None, resource__group__in=lasting.values("principal")
    )
    people = User.objects.filter(Q(pk__in=lasting.values("principal")) | Exists(member), enabled=True)
    return set(
        people.filter(Exists(TotpDevice.objects.filter(user=OuterRef("pk"), confirmed=True))).values_list(
            "pk", flat=True
        )
    )
