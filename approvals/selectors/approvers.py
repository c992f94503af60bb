"""Who can decide: one answer for the panel, the mail, the count and the rule."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from approvals.models import Action, Decision, Deputy, Request, RequestApprover, RequestStage
from approvals.selectors.deputies import Deputies, deputies_of
from approvals.selectors.settings_changes import deciders_of
from roles.catalogue import Permission
from roles.models import User
from roles.models.prepared import Prepared
from roles.selectors.approvers import people_of_escalation, people_of_stage
from roles.selectors.holding import people_holding
from roles.selectors.keys import in_any
from roles.selectors.settings import EffectiveSettings, Stage, settings_behind


@dataclass(frozen=True, slots=True)
class Substitute:
    """A deputy who can decide in place of an approver whose seat is free."""

    deputy: User
    approver: User


@dataclass(frozen=True, slots=True)
class Panel:
    """The people of one stage of approval: its approvers, and who can decide in place of which of them."""

    number: int
    quorum: int
    people: tuple[User, ...]
    substitutes: tuple[Substitute, ...] = ()
    # Who may decide as well from half of the window on; empty from then on, when they are among `people`.
    later: tuple[User, ...] = ()

    @property
    def deciders(self) -> tuple[User, ...]:
        """Everybody who can decide, each once: the approvers first."""
        found = {user.pk: user for user in (*self.people, *(one.deputy for one in self.substitutes))}
        return tuple(found.values())

    def seat_for(self, user: User) -> User | None:
        """Return the approver in whose seat this person decides: their own before any other; None without one."""
        seats = [one for one in self.people if one.pk == user.pk]
        seats += [one.approver for one in self.substitutes if one.deputy.pk == user.pk]
        return seats[0] if seats else None


def seated(
    number: int,
    quorum: int,
    listed: Iterable[User],
    *,
    decisions: Iterable[Decision],
    own: Iterable[uuid.UUID],
    deputies: Deputies,
    later: Iterable[User] = (),
) -> Panel:
    """Return the panel of a waiting stage: the seats that are still free, and who can take them.

    `listed` are its approvers, then and now, `later` those of its escalation who wait for their time. Nobody counts
    twice: neither whoever decided, nor a seat in which was decided, nor an approver who would also stand in for
    another. Nobody decides their own request (`own`).
    """
    decisions, own = list(decisions), set(own)
    gone = {one.approver_id for one in decisions} | {one.seat_id for one in decisions}
    people = tuple(user for user in listed if user.pk not in gone | own)
    out = gone | own | {user.pk for user in people}
    substitutes = tuple(
        Substitute(deputy, approver)
        for approver in people
        for deputy in deputies.get(approver.pk, [])
        if deputy.pk not in out
    )
    return Panel(number, quorum, people, substitutes, tuple(user for user in later if user.pk not in gone | own))


def listed_in(
    then: Mapping[uuid.UUID, bool], approvers: Iterable[User], escalation: Iterable[User], *, escalated: bool
) -> tuple[list[User], list[User]]:
    """Return who of a stage may decide now, and who may from half of the window on.

    `then` says of each who was asked whether as an escalation; `approvers` and `escalation` are those of now. At once
    may decide who is an approver then and now; whoever is an escalation then or now waits for its time.
    """
    at_once = [user for user in approvers if then.get(user.pk) is False]
    named = {user.pk: user for user in (*approvers, *escalation) if user.pk in then}
    later = [user for pk, user in named.items() if pk not in {one.pk for one in at_once}]
    if not escalated:
        return at_once, later
    return sorted([*at_once, *later], key=lambda user: (user.name_key, user.pk)), []


def proposed_panels(settings: EffectiveSettings, *, person: User, now: datetime) -> list[Panel]:
    """Return who would be asked if this person asked now, for each stage."""
    return [
        Panel(
            one.number,
            one.quorum,
            tuple(asked := people_of_stage(one, now, excluding=[person.pk], may_become=True)),
            later=tuple(people_of_escalation(one, now, excluding=[person.pk, *(user.pk for user in asked)])),
        )
        for one in settings.stages
    ]


def renewal_panel(request: Request, people: list[User]) -> Panel:
    """Return who decides an extension or renewal: one of those who administer the place, and nobody their own."""
    own = (request.principal_id, request.requestor_id)
    return Panel(1, 1, tuple(user for user in people if user.pk not in own))


def approvers_of(
    request: Request,
    now: datetime,
    settings: EffectiveSettings | None = None,
    *,
    stages: Sequence[RequestStage] | None = None,
    said: Sequence[Decision] | None = None,
) -> Panel:
    """Return who can decide what waits, and nobody their own.

    In a stage of approval: who is listed when it was asked and when it is decided; the quorum is the stricter of then
    and now. An extension or renewal: whoever administers the place at `now`. A change of settings: a second
    administrator of them. `settings` are those that rule it now, `stages` its own and `said` its decisions, where they
    were read already.
    """
    if request.action == Action.CHANGE_SETTINGS:
        return Panel(1, 1, tuple(deciders_of(request, now)))
    if request.is_renewal:
        held = people_holding(Permission.DECIDE_RENEWALS, [request.resource], now)
        return renewal_panel(request, held[request.resource_id])
    stages = list(request.stages.all()) if stages is None else stages
    stage = next((one for one in stages if one.number == request.stage_number), None)
    if stage is None:
        # Granted at once: nobody was asked.
        return Panel(request.stage_number, 1, ())
    ruling = (settings or settings_behind(request.behind)).stages
    today = {one.number: one for one in ruling}.get(stage.number)
    quorum = max(stage.quorum, today.quorum if today else 1)
    then = dict(stage.approvers.values_list("principal_id", "escalation"))
    own = [request.principal_id, request.requestor_id]
    # Where the settings ask for no approval any more, those who were asked still decide.
    today = today or as_asked(stage.number, quorum, then)
    approvers, escalation = people_of_stage(today, now, excluding=own), people_of_escalation(today, now, excluding=own)
    listed, later = listed_in(then, approvers, escalation, escalated=request.escalates_at <= now)
    deputies = deputies_of([user.pk for user in listed], now)
    said = list(request.decisions.all()) if said is None else said
    return seated(stage.number, quorum, listed, decisions=said, own=own, deputies=deputies, later=later)


def as_asked(number: int, quorum: int, then: Mapping[uuid.UUID, bool]) -> Stage:
    """Return a stage that names exactly who was asked; `then` says of each whether as an escalation."""
    late = frozenset(pk for pk, escalation in then.items() if escalation)
    return Stage(number, quorum, frozenset(then) - late, late)


def asked_to_decide(request: Request, now: datetime) -> list[User]:
    """Return everyone who is told of what waits.

    The approvers of the waiting stage when it was asked, from half of the window on its escalation, and who stands in
    for them now; of an extension or renewal who administers the place, or could after activating.
    """
    if request.action == Action.CHANGE_SETTINGS:
        return deciders_of(request, now, may_become=True)
    if request.is_renewal:
        held = people_holding(Permission.DECIDE_RENEWALS, [request.resource], now, may_become=True)
        return list(renewal_panel(request, held[request.resource_id]).people)
    return _ASKED.ask(request.pk, request.stage_number, now, [request.principal_id, request.requestor_id])


def _asked(request_id: uuid.UUID, stage_number: int, now: datetime, but: Iterable[uuid.UUID]) -> QuerySet[User]:
    rows = RequestApprover.objects.filter(stage__request=request_id, stage__number=stage_number).asked(now)
    standing_in = Deputy.objects.in_effect(now).filter(approver__in=rows.values("principal"))
    asked = in_any("pk", rows.values_list("principal"), standing_in.values_list("deputy"))
    return User.objects.filter(asked, enabled=True).exclude(pk__in=but).order_by("name_key", "pk")


_ASKED = Prepared(_asked)
