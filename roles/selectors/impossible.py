"""Settings that have become impossible: too few people are left who could approve, for everybody or for one person."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from roles.models import Assignment, Resource, Role, RoleSettings, User
from roles.selectors.panels import PanelBook
from roles.selectors.resources import under_retirement
from roles.selectors.seats import Need, alone_and_together, shortages
from roles.selectors.settings import SettingsBook
from roles.selectors.settings_use import Gap, gap_of

# The tree paths at which a person is eligible for a role, by both.
Eligible = dict[tuple[uuid.UUID, uuid.UUID], set[str]]


@dataclass(frozen=True, slots=True)
class Impossible:
    """Settings under which nobody, or one eligible person (`gap.person`), can be approved. `place` None: the default
    of the role, wherever it has no settings of its own."""

    role: Role
    place: Resource | None
    gap: Gap


@dataclass(frozen=True, slots=True)
class _Case:
    """The stages of some settings, and who could decide in each."""

    role: Role
    place: Resource | None
    needs: tuple[Need, ...]

    @property
    def missed(self) -> set[uuid.UUID]:
        """Who would be missing where they asked themselves."""
        tight = (need.people for _numbers, need in alone_and_together(self.needs) if need.is_tight)
        return set[uuid.UUID]().union(*tight)


def impossible_settings(now: datetime, within: Resource | None = None) -> Iterator[Impossible]:
    """Yield what has become impossible in all settings that ask for an approval, by role and place.

    People, groups and memberships change after settings were made: somebody is disabled or leaves a group, a group is
    emptied or disabled, a membership ends. Nobody approves their own request, so a stage must hold its quorum without
    each person who is eligible. Who approves only as an escalation comes too late to count.

    `within`: only as far as it concerns one tree, by its root; a role's default rules nothing where the root has
    settings of its own. A bounded number of queries, however many settings there are.
    """
    rows = RoleSettings.objects.filter(approval_required=True, role__retired_at=None)
    if within is not None:
        default = Q(resource=None, role__kind=within.realm.value)
        there = Q(~under_retirement("resource__path"), resource__path__startswith=within.path)
        rows = rows.filter(there | default)
    rows = rows.select_related("role", "resource").order_by("role__name_key", "role", "resource__path", "pk")
    found = list(rows)
    book = SettingsBook(row.role_id for row in found)
    settings = [book.of(row.role, row.resource) if row.resource else book.default_of(row.role) for row in found]
    panels = PanelBook((stage for one in settings for stage in one.stages), now)
    own = _own_paths(found)
    cases = [
        _Case(row.role, row.resource, tuple(Need(stage.number, stage.quorum, panels.of(stage)) for stage in one.stages))
        for row, one in zip(found, settings, strict=True)
        if row.resource is not None or within is None or within.path not in own[row.role_id]
    ]
    # Only an approver is missing in a stage of theirs.
    missed = {number: case.missed for number, case in enumerate(cases)}
    eligible = _eligible({case.role.pk for number, case in enumerate(cases) if missed[number]}, missed.values(), now)
    people = User.objects.in_bulk({person for some in missed.values() for person in some})
    for number, case in enumerate(cases):
        concerned = _concerned(case, eligible, _governed(case, within, own[case.role.pk]))
        in_order = sorted(missed[number], key=lambda pk: (people[pk].name_key, pk))
        for need, person in shortages(case.needs, concerned=concerned, in_order=in_order):
            yield Impossible(case.role, case.place, gap_of(need, people[person] if person else None))


def _concerned(case: _Case, eligible: Eligible, governed: Callable[[str], bool]) -> Callable[[uuid.UUID], bool]:
    """Return whether a person may activate the role where these settings rule."""
    return lambda person: any(map(governed, eligible.get((case.role.pk, person), ())))


def _governed(case: _Case, within: Resource | None, own: set[str]) -> Callable[[str], bool]:
    """Return whether a tree path obeys these settings: it lies at their place or below, and nothing else in between."""
    here = case.place.path if case.place else None
    top = here or (within.path if within else "")
    others = tuple(path for path in own if path != here and path.startswith(top))
    return lambda path: path.startswith(top) and not path.startswith(others)


def _own_paths(rows: Sequence[RoleSettings]) -> dict[uuid.UUID, set[str]]:
    """Return the tree paths at which each of these roles has settings of its own, whatever they ask for."""
    found: dict[uuid.UUID, set[str]] = defaultdict(set)
    own = RoleSettings.objects.filter(role__in={row.role_id for row in rows}, resource__isnull=False)
    for role, path in own.values_list("role", "resource__path"):
        found[role].add(path)
    return found


def _eligible(roles: Collection[uuid.UUID], some: Iterable[set[uuid.UUID]], now: datetime) -> Eligible:
    """Return the tree paths at which these people are eligible for these roles."""
    people = set[uuid.UUID]().union(*some)
    found: Eligible = defaultdict(set)
    if not people:
        return found
    members: dict[uuid.UUID, set[uuid.UUID]] = defaultdict(set)
    for person in people:
        members[person].add(person)
    memberships = Assignment.objects.memberships(now).filter(principal__in=people, resource__group__isnull=False)
    for group, person in memberships.order_by().values_list("resource__group", "principal"):
        members[group].add(person)
    rows = Assignment.objects.in_effect(now).eligible().filter(role__in=roles)
    for role, principal, path in (
        rows.filter(principal__in=list(members)).order_by().values_list("role", "principal", "resource__path")
    ):
        for person in members[principal]:
            found[role, person].add(path)
    return found
