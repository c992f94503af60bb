"""Requests that cannot be granted any more, because people or groups changed while they waited."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from approvals.models import TIMED, Decision, Request, Verdict
from approvals.selectors.approvers import as_asked
from roles.selectors.approvers import people_of_escalation, people_of_stage
from roles.selectors.seats import Need, shortages
from roles.selectors.settings import EffectiveSettings, settings_behind


@dataclass(frozen=True, slots=True)
class Shortfall:
    """A stage in which too few can still agree: how many approvals it lacks, and how many people could give one."""

    stage: int
    lacking: int
    people: int


def shortfall_of(
    request: Request,
    now: datetime,
    settings: EffectiveSettings | None = None,
    *,
    said: Sequence[Decision] | None = None,
) -> Shortfall | None:
    """Return the first stage, of those that wait, that cannot be completed by whoever is left; None where all can.

    Counts who was asked and may decide now, later as an escalation, or after activating; a deputy fills a seat and
    adds none. `settings` are those that rule it now and `said` its decisions, if they were read already.
    """
    if request.action not in TIMED:
        return None
    today = {one.number: one for one in (settings or settings_behind(request.behind)).stages}
    decisions = list(request.decisions.all()) if said is None else said
    gone = {one.approver_id for one in decisions} | {one.seat_id for one in decisions}
    needs: list[Need] = []
    for stage in request.stages.filter(number__gte=request.stage_number).prefetch_related("approvers"):
        then = {row.principal_id: row.escalation for row in stage.approvers.all()}
        named = today.get(stage.number, as_asked(stage.number, stage.quorum, then))
        out = {request.principal_id, request.requestor_id, *gone}
        able = people_of_stage(named, now, excluding=out, may_become=True)
        able += people_of_escalation(named, now, excluding=out)
        left = {one.pk for one in able if one.pk in then}
        agreed = sum(one.verdict == Verdict.APPROVE and one.stage_id == stage.pk for one in decisions)
        needs.append(Need(stage.number, max(0, stage.quorum - agreed, named.quorum - agreed), frozenset(left)))
    found = next(shortages(needs), None)
    return Shortfall(found[0].stage, found[0].quorum, found[0].left) if found else None
