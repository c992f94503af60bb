"""Who uses what the hosted product wants a licence for, counted by person.

This portal needs none: it is to compare. Counted is what its reader may see, so that nothing of one world shows in the
other; somebody who uses a feature in several places, or through several groups, is one person.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q, TextChoices
from django.utils.translation import gettext_lazy as _

from audit.kinds import Realm
from pim_portal.overview.selectors import lists
from reviews.models import Panelist
from roles.authority import Authority
from roles.catalogue import Permission
from roles.models import Assignment, RoleKind, StageApprover, User

KINDS = {Realm.DIRECTORY: RoleKind.DIRECTORY, Realm.RESOURCE: RoleKind.RESOURCE}


class Feature(TextChoices):
    """What somebody uses."""

    ELIGIBLE = "eligible", _("Eligible for a role")
    TIME_BOUND = "time-bound", _("Assigned active with an end")
    APPROVING = "approving", _("Approves activations")
    REVIEWING = "reviewing", _("Reviews access")


Use = dict[uuid.UUID, set[Feature]]


def uses(authority: Authority) -> Use:
    """Return for each enabled person which features they use, at the places that the reader may see."""
    found: dict[uuid.UUID, set[Feature]] = {}
    for realm in lists.WORLDS:
        paths = lists.paths_in(authority, realm)
        if paths:
            for principal, feature in _principals(authority, realm, paths):
                found.setdefault(principal, set()).add(feature)
    return _people(found, authority.now)


def _principals(authority: Authority, realm: Realm, paths: lists.Paths) -> Iterable[tuple[uuid.UUID, Feature]]:
    now = authority.now
    given = lists.in_effect(lists.below(paths), now).filter(lists.GIVEN).order_by()
    for principal in given.filter(type="eligible").values_list("principal", flat=True).distinct():
        yield principal, Feature.ELIGIBLE
    for principal in given.filter(lists.ACTIVE, ends_at__isnull=False).values_list("principal", flat=True).distinct():
        yield principal, Feature.TIME_BOUND
    for principal in _approvers(authority, realm):
        yield principal, Feature.APPROVING
    running = lists.running_reviews(paths, now)
    panel = Panelist.objects.filter(stage__instance__in=running).order_by()
    for principal in panel.values_list("principal", flat=True).distinct():
        yield principal, Feature.REVIEWING


def _approvers(authority: Authority, realm: Realm) -> Iterable[uuid.UUID]:
    """Whoever a setting that demands approval names, at a place or, for all of a world, with the role itself."""
    there = Q()
    for path in authority.paths(Permission.SEE, realm):
        there |= Q(stage__settings__resource__path__startswith=path)
    if realm == Realm.DIRECTORY and authority.allows(Permission.SEE):
        there |= Q(stage__settings__resource=None, stage__settings__role__kind=KINDS[realm])
    rows = StageApprover.objects.filter(there, stage__settings__approval_required=True).order_by()
    return rows.values_list("principal", flat=True).distinct()


def _people(found: Use, now: datetime) -> Use:
    """Put its members in the place of each group, and leave out who is disabled."""
    people: Use = {}
    # All there are: they are fewer than those who are found, of whom a statement takes no more than 65,535.
    for group, person in Assignment.objects.memberships(now).order_by().values_list("resource__group", "principal"):
        if group in found:
            people.setdefault(person, set()).update(found[group])
    for pk, features in found.items():
        people.setdefault(pk, set()).update(features)
    enabled = set(User.objects.filter(enabled=True).order_by().values_list("pk", flat=True))
    return {pk: features for pk, features in people.items() if pk in enabled}
