"""Least privilege: what was done under assignments, and which roles in use would have allowed it."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Count, Max, Q, QuerySet
from django.db.models.functions import Coalesce

from audit.kinds import Outcome
from audit.models import Event
from roles.catalogue import GRANTS
from roles.models import Assignment, Resource, Role
from roles.models.resources import way_of
from roles.rules.needed import NEEDED
from roles.rules.smaller import Act, Known, Smaller, known_of, smaller_than

LOOK_BACK: Final = timedelta(days=90)
MOST_SHOWN: Final = 3  # roles that are proposed at once

# Only of these does the portal know what their holders do here.
KNOWN_HERE: Final = frozenset(role for grant in GRANTS.values() for role in grant.roles)


@dataclass(slots=True)
class Done:
    """What was done under one assignment, or under several: how often each act, and when last."""

    acts: dict[Act, int] = field(default_factory=dict)
    last_at: datetime | None = None

    def add(self, act: Act, count: int, last_at: datetime) -> None:
        self.acts[act] = self.acts.get(act, 0) + count
        self.last_at = max(last_at, self.last_at or last_at)


@dataclass(frozen=True, slots=True)
class Hint:
    """What is said where somebody is about to have a role: which smaller ones are in use there, and how that is known.

    `acts`: all that was done under the larger role there during the look-back; 0 where its lines alone speak.
    """

    role: Role
    place: Resource
    smaller: tuple[Smaller, ...]
    acts: int
    last_at: datetime | None


@dataclass(frozen=True, slots=True)
class Proposal:
    """A smaller role in use where an assignment stands, which allows everything that was done under it."""

    smaller: Smaller
    last_at: datetime | None

    @property
    def acts(self) -> int:
        return self.smaller.acts


def done_under(given: QuerySet[Assignment], now: datetime) -> dict[uuid.UUID, Done]:
    """Return what was done during the look-back under each of these assignments, and by activating them; one query."""
    rows = Assignment.objects.filter(Q(pk__in=given.values("pk")) | Q(activated_from__in=given.values("pk")))
    behind = dict(rows.order_by().annotate(given=Coalesce("activated_from", "pk")).values_list("pk", "given"))
    found: dict[uuid.UUID, Done] = defaultdict(Done)
    for authority_id, kind, realm, count, last_at in _acts(rows, now):
        found[behind[authority_id]].add((kind, realm), count, last_at)
    return dict(found)


def _acts(rows: QuerySet[Assignment], now: datetime) -> Iterable[tuple[Any, ...]]:
    events = Event.objects.filter(
        authority_id__in=rows.order_by().values("pk"),
        kind__in=[kind.value for kind in NEEDED],
        outcome=Outcome.DONE,
        occurred_at__gt=now - LOOK_BACK,
        occurred_at__lte=now,
    )
    counted = (
        events.order_by().values("authority_id", "kind", "realm").annotate(count=Count("pk"), last=Max("occurred_at"))
    )
    yield from counted.values_list("authority_id", "kind", "realm", "count", "last")


def in_use_at(place: Resource, now: datetime) -> list[Role]:
    """Return the roles that somebody holds or may activate where it reaches this place."""
    # Elevated access is for an hour of need: it brings no role into use.
    given = Assignment.objects.in_effect(now).filter(activated_from=None, elevated_from=None)
    held = given.filter(resource__path__in=place.way)
    rows = Role.objects.filter(kind=place.realm.value, retired_at=None, pk__in=held.order_by().values("role"))
    return list(rows.filter(Q(home=None) | Q(home__path__in=place.way)).order_by("name_key", "pk"))


def hint_at(role: Role, place: Resource, now: datetime, *, only: Assignment | None = None) -> Hint | None:
    """Return what there is to say to somebody who is about to have a role at a place; None for nothing.

    What was done under every assignment of the role there speaks for it; under `only` this one, where it is given.
    """
    larger = known_of(role)
    if not larger.abilities and not larger.lines:
        return None
    others = [known_of(one) for one in in_use_at(place, now)]
    done = Done()
    if larger.abilities:
        given = Assignment.objects.filter(activated_from=None, elevated_from=None, role=role, resource=place)
        for one in done_under(given.filter(pk=only.pk) if only else given, now).values():
            for act, count in one.acts.items():
                done.add(act, count, one.last_at or now)
    found = smaller_than(larger, others, done.acts)
    if not found:
        return None
    return Hint(role, place, tuple(found[:MOST_SHOWN]), sum(done.acts.values()), done.last_at)


def proposals(given: QuerySet[Assignment], now: datetime) -> dict[uuid.UUID, Proposal]:
    """Return for which of these assignments a smaller role would do, with a bounded number of queries.

    They are in effect; each has been for the whole look-back, or nothing can be said of it. What was done speaks for
    it, and nothing else: an assignment under which nothing was done is not used, which is told elsewhere.
    """
    rows = given.filter(activated_from=None, elevated_from=None, role__in=KNOWN_HERE, starts_at__lte=now - LOOK_BACK)
    done = done_under(rows, now)
    if not done:
        return {}
    about = Assignment.objects.filter(pk__in=done).select_related("role", "resource")
    in_use, paths = _in_use(now)
    found: dict[uuid.UUID, Proposal] = {}
    for one in about:
        others = [known for known in in_use if _reaches(paths[known.role_id], one.resource.path)]
        acts = done[one.pk]
        if fitting := smaller_than(known_of(one.role), others, acts.acts):
            found[one.pk] = Proposal(fitting[0], acts.last_at)
    return found


def _in_use(now: datetime) -> tuple[list[Known], Mapping[uuid.UUID, set[str]]]:
    """Return the roles that allow something here and are in use, and the tree paths where."""
    held = Assignment.objects.in_effect(now).filter(activated_from=None, elevated_from=None, role__in=KNOWN_HERE)
    paths: dict[uuid.UUID, set[str]] = defaultdict(set)
    for role, path in held.order_by().values_list("role", "resource__path").distinct():
        paths[role].add(path)
    return [known_of(one) for one in Role.objects.filter(pk__in=paths, retired_at=None).order_by("pk")], paths


def _reaches(paths: set[str], path: str) -> bool:
    return not paths.isdisjoint(way_of(path))
