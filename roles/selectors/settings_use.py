"""What the settings of a role do at a place: how often they are used, whom they leave alone, how they came about."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q

from audit.kinds import Kind, Outcome
from audit.models import Event, EventQuerySet
from roles.ids import DIRECTORY
from roles.models import Assignment, Principal, Resource, Role, RoleSettings, User
from roles.models.assignments import AssignmentQuerySet
from roles.selectors.approvers import people_of_stage
from roles.selectors.seats import Need, shortages
from roles.selectors.settings import EffectiveSettings

LATELY = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Use:
    """How often a role is used under its settings at a place, there and below."""

    eligible: int
    activations: int  # begun in the last 30 days


def governed(role: Role, place: Resource | None) -> Q:
    """Narrow assignments to those at a place and below that obey the same settings: none of their own in between.

    `place` None: those that obey the default of the role.
    """
    others = RoleSettings.objects.filter(role=role, resource__isnull=False)
    if place is not None:
        others = others.filter(resource__path__startswith=place.path).exclude(resource=place.pk)
    elsewhere = Q(pk__in=[])
    for path in others.values_list("resource__path", flat=True):
        elsewhere |= Q(resource__path__startswith=path)
    return Q(role=role, resource__path__startswith=place.path if place else "") & ~elsewhere


def _eligible(role: Role, place: Resource | None, now: datetime) -> AssignmentQuerySet:
    return Assignment.objects.in_effect(now).eligible().filter(governed(role, place))


def use_of(role: Role, place: Resource, now: datetime) -> Use:
    """Count who is eligible under the settings of a place, and how often the role was activated from there lately."""
    eligibilities = Assignment.objects.eligible().filter(governed(role, place)).values("pk")
    begun = Assignment.objects.begun(now).filter(activated_from__in=eligibilities, starts_at__gt=now - LATELY)
    return Use(_eligible(role, place, now).count(), begun.count())


@dataclass(frozen=True, slots=True)
class Gap:
    """A stage in which too few people could agree: for one person, who cannot decide their own request, or for all."""

    stage: int
    quorum: int
    people: int  # who could decide, the person themselves left out, and whom other stages take
    person: User | None


def gaps_in(settings: EffectiveSettings, *, role: Role, place: Resource | None, now: datetime) -> Iterator[Gap]:
    """Yield who could not be approved now under settings that rule at a place: for everybody, and for whom alone.

    People, groups and memberships change after settings were made; the rules of a change see only its own moment.
    """
    panels = [(one, people_of_stage(one, now, excluding=[], may_become=True)) for one in settings.stages]
    people = {user.pk: user for _stage, panel in panels for user in panel}
    found = shortages(
        [Need(one.number, one.quorum, frozenset(user.pk for user in panel)) for one, panel in panels],
        # Only an approver is missing in a stage of theirs.
        concerned=lambda pk: _eligible(role, place, now).of(pk, now).exists(),
        in_order=sorted(people, key=lambda pk: (people[pk].name_key, pk)),
    )
    for need, pk in found:
        yield gap_of(need, people[pk] if pk else None)


def gap_of(need: Need, person: User | None) -> Gap:
    """Say what is lacking, for everybody or for this person, who is one of those that are left."""
    return Gap(need.stage, need.quorum, need.left - 1 if person else need.left, person)


def changes_at(role: Role, place: Resource) -> EventQuerySet:
    """Return the changes of a role's settings at this very place, the newest first; its default's at the directory."""
    here = Q(resource_id=place.pk)
    if place.pk == DIRECTORY:
        here |= Q(resource_id=None)
    kinds = [Kind.ROLE_SETTINGS_CHANGED, Kind.ROLE_SETTINGS_RESET]
    rows = Event.objects.filter(here, role_id=role.pk, kind__in=kinds, outcome=Outcome.DONE)
    return rows.select_related("text").newest_first()


def approvers_in(*settings: EffectiveSettings) -> set[uuid.UUID]:
    """Return the ids of all approvers that these settings name, those of the escalations among them."""
    stages = [stage for one in settings for stage in (*one.stages, *one.written_stages)]
    return {pk for stage in stages for pk in stage.approvers | stage.escalation}


def names_of(principals: Iterable[uuid.UUID]) -> dict[uuid.UUID, str]:
    """Return how users and groups are called now; namesakes among them are told apart."""
    rows = list(Principal.objects.filter(pk__in=set(principals)).select_related("user"))
    often = Counter(one.name for one in rows)
    return {one.pk: one.name if often[one.name] == 1 else f"{one.name} ({_told_apart(one)})" for one in rows}


def _told_apart(principal: Principal) -> str:
    user = getattr(principal, "user", None)
    return str(user.username) if user else str(principal.pk)
