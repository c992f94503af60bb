"""Who reviews which row. Listed then and now, as with approvals, and nobody reviews themselves unless asked to.

For each row of a stage there are the reviewers that its kind names: the chosen people, the person, their manager. Where
that leaves nobody, the fallback reviewers stand in. Whoever is a member of a group, or may become one, is as good as
the group: they do not review what it holds. So is whoever will be one, when a membership that is planned begins.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from reviews.models import Instance, InstanceStage, Panelist, ReviewersKind, StagePrincipal, Verdict
from roles.ids import GROUP_MEMBER
from roles.models import Assignment, Principal, PrincipalKind, User
from roles.selectors.named import named

Ids = frozenset[uuid.UUID]
NOTHING = Q(pk__in=[])
# Whom a row is about, where their manager is still the one of the start.
_MANAGED = User.objects.filter(pk=OuterRef("principal"), manager=OuterRef("manager")).order_by()


def selves_of(people: Iterable[uuid.UUID], now: datetime) -> dict[uuid.UUID, set[uuid.UUID]]:
    """Return for each person what is as good as themselves: they, and the groups they belong to, may or will join."""
    selves = {person: {person} for person in people}
    rows = Assignment.objects.now_or_later(now).filter(principal__in=selves, role=GROUP_MEMBER).order_by()
    for person, group in rows.values_list("principal", "resource__group"):
        if group is not None:
            selves[person].add(group)
    return selves


def people_in(principals: Iterable[uuid.UUID], now: datetime) -> Ids:
    """Return the enabled people among these users and groups, members of enabled groups included."""
    found = User.objects.filter(named(principals, now), enabled=True)
    return frozenset(found.order_by().values_list("pk", flat=True))


@dataclass(frozen=True, slots=True)
class Bench:
    """The people of one stage, and the rows that each of them may review."""

    kind: ReviewersKind
    reviewers: Ids
    fallbacks: Ids
    now: datetime

    @property
    def without_reviewer(self) -> Q:
        """The rows for which the kind of this stage names nobody who may review them."""
        if self.kind == ReviewersKind.SELF:
            return ~Q(principal_kind=PrincipalKind.USER) | Q(principal__enabled=False)
        if self.kind == ReviewersKind.MANAGERS:
            return ~Exists(_MANAGED) | Q(manager__enabled=False)
        return self._of_all(self.reviewers)

    @property
    def without_anybody(self) -> Q:
        """The rows that nobody may review, no fallback reviewer either."""
        return self.without_reviewer & self._of_all(self.fallbacks)

    def _of_all(self, people: Ids) -> Q:
        """The rows that are about every one of these people, so that none of them is left to review them."""
        if not people:
            return Q()
        return Q(principal__in=set.intersection(*selves_of(people, self.now).values()))

    def rows_for(self, user_id: uuid.UUID) -> Q:
        """The rows that this person may review."""
        own = Q(principal__in=selves_of([user_id], self.now)[user_id])
        mine = NOTHING
        if self.kind == ReviewersKind.SELF:
            mine = Q(principal=user_id)
        elif self.kind == ReviewersKind.MANAGERS:
            mine = Q(Exists(_MANAGED), manager=user_id) & ~own
        elif user_id in self.reviewers:
            mine = ~own
        if user_id in self.fallbacks:
            mine |= self.without_reviewer & ~own
        return mine


def bench_of(stage: InstanceStage, now: datetime) -> Bench:
    """Return who reviews in this stage: who was listed when it began and is chosen still."""
    then: dict[bool, set[uuid.UUID]] = {True: set(), False: set()}
    for person, fallback in Panelist.objects.filter(stage=stage).values_list("principal", "fallback"):
        then[fallback].add(person)
    today: dict[bool, set[uuid.UUID]] = {True: set(), False: set()}
    chosen = StagePrincipal.objects.filter(stage__review=stage.instance.review_id, stage__number=stage.number)
    for principal, fallback in chosen.values_list("principal", "fallback"):
        today[fallback].add(principal)
    reviewers, fallbacks = (
        people_in(today[kind], now) & then[kind] if then[kind] else frozenset() for kind in (False, True)
    )
    return Bench(ReviewersKind(stage.kind), frozenset(reviewers), frozenset(fallbacks), now)


def open_stage(instance_id: uuid.UUID, now: datetime) -> InstanceStage | None:
    """Return the stage of a running instance in which can be reviewed at `now`."""
    rows = InstanceStage.objects.select_related("instance__review__resource")
    return rows.filter(instance=instance_id, starts_at__lte=now, ends_at__gt=now).order_by("number").last()


def waiting_rows(stage: InstanceStage) -> QuerySet[Verdict]:
    """Return the rows that nobody has answered in this stage yet."""
    return Verdict.objects.filter(instance=stage.instance_id, stage__lt=stage.number)


def unfinished_reviewers(stage: InstanceStage, now: datetime) -> QuerySet[User]:
    """Return the enabled people for whom rows still wait in this stage; self reviews may have very many."""
    bench = bench_of(stage, now)
    waiting = waiting_rows(stage)
    people = _with_work(waiting, bench.reviewers if bench.kind == ReviewersKind.CHOSEN else (), now)
    people |= _with_work(waiting.filter(bench.without_reviewer), bench.fallbacks, now)
    who = Q(pk__in=people)
    if bench.kind == ReviewersKind.SELF:
        who |= Q(pk__in=waiting.order_by().values("principal"))
    if bench.kind == ReviewersKind.MANAGERS:
        who |= Q(pk__in=waiting.filter(Exists(_MANAGED)).order_by().values("manager"))
    return User.objects.filter(who, enabled=True).order_by("name_key", "pk")


@dataclass(frozen=True, slots=True)
class Unfinished:
    """For whom rows still wait in the stage that is open: the first of them by name, and how many more there are."""

    names: tuple[str, ...] = ()
    more: int = 0

    def __bool__(self) -> bool:
        return bool(self.names)


def still_reviewing(instance: Instance, now: datetime, most: int = 10) -> Unfinished:
    """Return who is reminded if somebody reminds the reviewers now."""
    stage = open_stage(instance.pk, now)
    if stage is None:
        return Unfinished()
    people = unfinished_reviewers(stage, now)
    names = tuple(people.values_list("name", flat=True)[:most])
    return Unfinished(names, people.count() - most if len(names) == most else 0)


def _with_work(rows: QuerySet[Verdict], people: Iterable[uuid.UUID], now: datetime) -> set[uuid.UUID]:
    """Return for whom of these people one of the rows is not about themselves; however many they are, three queries."""
    selves = selves_of(people, now)
    if not selves:
        return set()
    about = rows.filter(principal__in=set().union(*selves.values())).order_by().values_list("principal")
    counts = dict(about.annotate(count=Count("pk")))
    total = rows.count()
    return {person for person, own in selves.items() if total > sum(counts.get(one, 0) for one in own)}


def names_of(principals: Iterable[uuid.UUID]) -> dict[uuid.UUID, str]:
    """Return the names of these users and groups."""
    return dict(Principal.objects.filter(pk__in=set(principals)).values_list("pk", "name"))
