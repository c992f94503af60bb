"""Who can decide: one answer for the panel, the mail, the count and the rule."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from approvals.models import Request, RequestApprover
from roles.catalogue import Permission
from roles.models import User
from roles.selectors.approvers import people_of_stage
from roles.selectors.holding import people_holding
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


def proposed_panels(settings: EffectiveSettings, *, person: User, now: datetime) -> list[Panel]:
    """Return who would be asked if this person asked now, for each stage."""
    return [
        Panel(one.number, one.quorum, tuple(people_of_stage(one, now, excluding=[person.pk], may_become=True)))
        for one in settings.stages
    ]


def renewal_panel(request: Request, people: list[User]) -> Panel:
    """Return who decides an extension or renewal: one of those who administer the place, and nobody their own."""
    own = (request.principal_id, request.requestor_id)
    return Panel(1, 1, tuple(user for user in people if user.pk not in own))


def approvers_of(request: Request, now: datetime) -> Panel:
    """Return who can decide what waits, and nobody their own.

    In a stage of approval: who is listed when it was asked and when it is decided; the quorum is the stricter of then
    and now. An extension or renewal: whoever administers the place at `now`.
    """
    if request.is_renewal:
        held = people_holding(Permission.DECIDE_RENEWALS, [request.resource], now)
        return renewal_panel(request, held[request.resource_id])
    stage = request.stages.filter(number=request.stage_number).first()
    if stage is None:
        # Granted at once: nobody was asked.
        return Panel(request.stage_number, 1, ())
    today = {one.number: one for one in settings_behind(request.behind).stages}.get(stage.number)
    quorum = max(stage.quorum, today.quorum if today else 1)
    then = set(stage.approvers.values_list("principal_id", flat=True))
    own = [request.principal_id, request.requestor_id]
    decided = set(request.decisions.values_list("approver_id", flat=True))
    # Where the settings ask for no approval any more, those who were asked still decide.
    current = people_of_stage(today or Stage(stage.number, quorum, frozenset(then)), now, excluding=own)
    people = tuple(user for user in current if user.pk in then and user.pk not in decided)
    return Panel(stage.number, quorum, people)


def asked_to_decide(request: Request, now: datetime) -> list[User]:
    """Return everyone who is told of what waits.

    The approvers of the waiting stage when it was asked; of an extension or renewal who administers the place, or could
    after activating.
    """
    if request.is_renewal:
        held = people_holding(Permission.DECIDE_RENEWALS, [request.resource], now, may_become=True)
        return list(renewal_panel(request, held[request.resource_id]).people)
    rows = RequestApprover.objects.filter(stage__request=request, stage__number=request.stage_number)
    return list(User.objects.filter(pk__in=rows.values("principal"), enabled=True).order_by("name_key", "pk"))
