"""Who can decide: one answer for the panel, the mail, the count and the rule."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from approvals.models import Request, RequestApprover
from roles.ids import DIRECTORY, PRIVILEGED_ROLE_ADMINISTRATOR
from roles.models import Assignment, AssignmentType, User
from roles.selectors.settings import EffectiveSettings, Stage, settings_behind


@dataclass(frozen=True, slots=True)
class Panel:
    """The people of one stage of approval."""

    number: int
    quorum: int
    people: tuple[User, ...]

    @property
    def is_possible(self) -> bool:
        """Whether enough people are there to agree."""
        return len(self.people) >= self.quorum


def _people_of(assignments: Q, now: datetime) -> Q:
    holders = Assignment.objects.in_effect(now).filter(assignments)
    members = Assignment.objects.memberships(now).filter(resource__group__in=holders.values("principal"))
    return Q(pk__in=holders.values("principal")) | Q(pk__in=members.values("principal"))


def _administrators(now: datetime, *, types: Iterable[AssignmentType]) -> Q:
    role = Q(role=PRIVILEGED_ROLE_ADMINISTRATOR, resource=DIRECTORY, type__in=list(types))
    return _people_of(role, now)


def _named(approvers: frozenset[uuid.UUID], now: datetime) -> Q:
    members = Assignment.objects.memberships(now).filter(resource__group__in=approvers, resource__group__enabled=True)
    return Q(pk__in=approvers) | Q(pk__in=members.values("principal"))


def people_of_stage(
    stage: Stage, now: datetime, *, excluding: Iterable[uuid.UUID], may_become: bool = False
) -> list[User]:
    """Return the enabled people who may decide in a stage as the settings name it now, but for `excluding`.

    Nobody named: whoever holds Privileged Role Administrator now; with `may_become` also who is eligible for it.
    """
    types = [AssignmentType.ACTIVE, *([AssignmentType.ELIGIBLE] if may_become else [])]
    who = _named(stage.approvers, now) if stage.approvers else _administrators(now, types=types)
    return list(
        User.objects.filter(who, enabled=True).exclude(pk__in=list(excluding)).distinct().order_by("name_key", "pk")
    )


def proposed_panels(settings: EffectiveSettings, *, person: User, now: datetime) -> list[Panel]:
    """Return who would be asked if this person asked now, for each stage."""
    return [
        Panel(one.number, one.quorum, tuple(people_of_stage(one, now, excluding=[person.pk], may_become=True)))
        for one in settings.stages
    ]


def approvers_of(request: Request, now: datetime) -> Panel:
    """Return who can decide the stage that waits: listed when it was asked and when it is decided, and nobody's own.

    The quorum is the stricter of then and now.
    """
    stage = request.stages.filter(number=request.stage_number).first()
    if stage is None:
        # Granted at once: nobody was asked.
        return Panel(request.stage_number, 1, ())
    today = {one.number: one for one in settings_behind(request.eligibility).stages}.get(stage.number)
    quorum = max(stage.quorum, today.quorum if today else 1)
    then = set(stage.approvers.values_list("principal_id", flat=True))
    own = [request.principal_id, request.requestor_id]
    decided = set(request.decisions.values_list("approver_id", flat=True))
    # Where the settings ask for no approval any more, those who were asked still decide.
    current = people_of_stage(today or Stage(stage.number, quorum, frozenset(then)), now, excluding=own)
    people = tuple(user for user in current if user.pk in then and user.pk not in decided)
    return Panel(stage.number, quorum, people)


def asked_to_decide(request: Request) -> list[User]:
    """Return everyone who was an approver of the waiting stage when it was asked; they are told of it."""
    rows = RequestApprover.objects.filter(stage__request=request, stage__number=request.stage_number)
    return list(User.objects.filter(pk__in=rows.values("principal"), enabled=True).order_by("name_key", "pk"))
