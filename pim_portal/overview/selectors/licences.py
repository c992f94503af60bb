"""Who uses what the hosted product wants a licence for, counted by person.

This portal needs none: it is to compare. Counted is what its reader may see, so that nothing of one world shows in the
other; somebody who uses a feature in several places, or through several groups, is one person.

Where there is much, the worker counts (`roles.tallies`), and the list is walked: people in their order, a few at a
time, of whom each is asked.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import Exists, F, OuterRef, Q, QuerySet, TextChoices
from django.utils.translation import gettext_lazy as _

from audit.kinds import Realm
from pim_portal.overview.selectors import lists
from reviews.models import Panelist, ReviewersKind, Verdict
from roles import tallies
from roles.authority import Authority
from roles.catalogue import Permission
from roles.ids import DIRECTORY
from roles.models import Assignment, PrincipalKind, RoleKind, RoleSettings, StageApprover, User
from roles.models.planning import planned_anew
from roles.selectors.keys import any_number
from roles.selectors.resources import under_retirement
from roles.tallies import Lately

KINDS = {Realm.DIRECTORY: RoleKind.DIRECTORY, Realm.RESOURCE: RoleKind.RESOURCE}
AT_FIRST, AT_ONCE = 256, 4096  # people of whom it is asked at once


class Feature(TextChoices):
    """What somebody uses."""

    ELIGIBLE = "eligible", _("Eligible for a role")
    TIME_BOUND = "time-bound", _("Assigned active with an end")
    APPROVING = "approving", _("Approves activations")
    REVIEWING = "reviewing", _("Reviews access")


Use = dict[uuid.UUID, set[Feature]]


@dataclass(frozen=True, slots=True)
class Sight:
    """What somebody may see: places of each world, and the settings of roles that hold `everywhere`, or not."""

    paths: Mapping[Realm, lists.Paths]
    everywhere: bool


def sight_of(authority: Authority) -> Sight:
    """Return of what its holder is told who uses it."""
    paths = {realm: lists.paths_in(authority, realm) for realm in lists.WORLDS}
    return Sight(paths, authority.allows(Permission.SEE))


def is_much(sight: Sight) -> bool:
    """Return whether so much is open there that not all of it is asked for one page."""
    return any(lists.is_much(paths) for paths in sight.paths.values() if paths)


def uses(sight: Sight, now: datetime, among: Collection[uuid.UUID] | None = None) -> Use:
    """Return for each enabled person which features they use in sight; `among` some people, or all there are."""
    found: Use = {}
    groups = Assignment.objects.memberships(now).filter(resource__group__enabled=True).order_by()
    if among is not None:
        groups = groups.filter(principal__in=any_number(among))
    # All there are: they are fewer than those who are found, of whom a statement takes no more than 65,535.
    members = list(groups.values_list("resource__group", "principal"))
    asked = None if among is None else {*among, *(group for group, _person in members)}
    for realm, paths in sight.paths.items():
        if paths:
            for principal, feature in _principals(realm, paths, sight.everywhere, now, asked):
                found.setdefault(principal, set()).add(feature)
    return _people(found, members)


def _principals(
    realm: Realm, paths: lists.Paths, everywhere: bool, now: datetime, asked: Collection[uuid.UUID] | None
) -> Iterable[tuple[uuid.UUID, Feature]]:
    given = lists.in_effect(lists.below(paths), now).filter(lists.GIVEN)
    running = lists.running_reviews(paths, now)
    rows = Verdict.objects.filter(instance__in=running)
    # Only who is chosen is on a panel: others review by what the rows are about.
    themselves = rows.filter(principal_kind=PrincipalKind.USER, instance__stages__kind=ReviewersKind.SELF)
    managers = rows.filter(principal__user__manager=F("manager"), instance__stages__kind=ReviewersKind.MANAGERS)
    using: list[tuple[Feature, QuerySet[Any], str]] = [
        (Feature.ELIGIBLE, given.filter(type="eligible"), "principal"),
        (Feature.TIME_BOUND, given.filter(lists.ACTIVE, ends_at__isnull=False), "principal"),
        (Feature.APPROVING, _approvers(realm, paths, everywhere), "principal"),
        (Feature.REVIEWING, Panelist.objects.filter(stage__instance__in=running), "principal"),
        (Feature.REVIEWING, themselves, "principal"),
        (Feature.REVIEWING, managers, "manager"),
    ]
    for feature, found, who in using:
        of = Q() if asked is None else Q((f"{who}__in", any_number(asked)))
        for principal in found.filter(of).order_by().values_list(who, flat=True).distinct():
            yield principal, feature


def _approvers(realm: Realm, paths: lists.Paths, everywhere: bool) -> QuerySet[StageApprover]:
    """Whoever a setting that demands approval names, at a place or, for all of a world, with the role itself.

    Not where it rules nothing: of what is retired, and of a role that has settings of its own at the directory.
    """
    where = "stage__settings__resource__path"
    there = Q(lists.below(paths, where), ~under_retirement(where))
    if realm == Realm.DIRECTORY and everywhere:
        own = RoleSettings.objects.filter(role=OuterRef("stage__settings__role"), resource=DIRECTORY)
        there |= Q(~Exists(own), stage__settings__resource=None, stage__settings__role__kind=KINDS[realm])
    return StageApprover.objects.filter(
        there, stage__settings__approval_required=True, stage__settings__role__retired_at=None
    )


def _people(found: Use, members: Iterable[tuple[uuid.UUID, uuid.UUID]]) -> Use:
    """Put its members in the place of each group, and leave out who is disabled."""
    people: Use = {}
    for group, person in members:
        if group in found:
            people.setdefault(person, set()).update(found[group])
    for pk, features in found.items():
        people.setdefault(pk, set()).update(features)
    enabled = User.objects.filter(enabled=True, pk__in=any_number(people)).order_by().values_list("pk", flat=True)
    return {pk: people[pk] for pk in enabled}


def counts_of(use: Use) -> dict[str, int]:
    """Return how many people use each feature, and any."""
    return {"needed": len(use), **Counter(str(feature) for features in use.values() for feature in features)}


def _count(now: datetime, places: dict[str, list[str]], everywhere: bool) -> dict[str, int]:
    paths = {Realm(realm): lists.paths_now(keys) for realm, keys in places.items()}
    return counts_of(uses(Sight(paths, everywhere), now))


LICENCES: Final = tallies.Count("licences", _count)


def counts_lately(sight: Sight, now: datetime) -> Lately[dict[str, int]]:
    """Return the same of all there are; counted lately, where there is much."""
    paths = [path for each in sight.paths.values() for path in each]
    places = {realm: lists.keys_of(each) for realm, each in sight.paths.items()}
    among = Assignment.objects.open().filter(lists.below(paths))
    return LICENCES.lately(places, sight.everywhere, among=among, now=now)


def first_who_use(people: QuerySet[User], sight: Sight, now: datetime, most: int) -> list[uuid.UUID]:
    """Return the keys of the first so many of these people who use anything, in their order, which is total."""
    found: list[uuid.UUID] = []
    begin, size = 0, AT_FIRST
    while len(found) < most:
        with planned_anew():
            part = list(people.values_list("pk", flat=True)[begin : begin + size])
        use = uses(sight, now, part) if part else {}
        found += [pk for pk in part if pk in use]
        if len(part) < size:
            break
        begin, size = begin + size, min(AT_ONCE, 4 * size)
    return found[:most]
