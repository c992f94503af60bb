"""Prolonging a running activation: its end moves, without a gap, with whatever the settings ask.

The time counts from the moment it is granted, as with an activation: never more than the settings allow from then on,
nor past the eligibility. While it waits the activation runs on until its end; after that it can only be made anew.
"""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import datetime, timedelta

from approvals.models import Action, Request, Status
from approvals.rules.prolonging import PROLONG, ProlongFacts
from approvals.selectors.approvers import proposed_panels
from approvals.services.activations import Wanted, check_told, longest_allowed
from approvals.services.closing import close_lapsed
from approvals.services.requests import close, digest_of, grant_as, person_of, put, record_made
from approvals.ticket_checks import TicketSubject
from audit.kinds import Kind
from roles.actors import Actor, Clock
from roles.models import Assignment, Purpose, SecondFactor, User
from roles.refusals import require
from roles.selectors.assignments import ends_for
from roles.selectors.duties.clashes import Gift, clashes_of
from roles.selectors.duties.holdings import earlier
from roles.selectors.settings import EffectiveSettings, settings_behind
from roles.service import service
from roles.services import step_ups
from roles.services.activations import prolong_activation
from roles.services.assignments import about
from roles.services.gifts import Given, lock_given
from roles.text import clean

_RELATED = ("principal", "role", "resource", "activated_from__role", "activated_from__resource")


def gather(user: User, activation_id: uuid.UUID, *, wanted: Wanted, actor: Actor, now: datetime) -> ProlongFacts:
    """Gather the facts of prolonging one's own activation as they are now; the page before it asks the same.

    Raises `Assignment.DoesNotExist` where this person has no such activation.
    """
    row = Assignment.objects.select_related(*_RELATED).get(
        pk=activation_id, principal=user.pk, activated_from__isnull=False
    )
    eligibility = row.activated_from
    if eligibility is None:
        raise AssertionError("An activation has an eligibility behind it.")
    runs = Assignment.objects.in_effect(now).filter(pk=row.pk).exists()
    settings = settings_behind(eligibility)
    every_time = settings.second_factor == SecondFactor.EVERY_TIME
    ends_at = ends_for(eligibility, user.pk, now) if runs else None
    until = earlier(now + min(wanted.duration, settings.max_activation), ends_at)
    return ProlongFacts(
        activation=row if runs else None,
        eligibility=eligibility if runs else None,
        settings=settings,
        now=now,
        start=None,
        duration=wanted.duration,
        reason=clean(wanted.reason),
        ticket=clean(wanted.ticket),
        panels=tuple(proposed_panels(settings, person=user, now=now)),
        second_factor=settings.second_factor == SecondFactor.NONE
        or step_ups.serves(actor, Purpose.ACTIVATE, row.pk, now=now, own_code=every_time),
        inside=True,
        already_active=False,
        already_asked=Request.objects.filter(action=Action.PROLONG, assignment=row).waiting_among(now).exists(),
        ends_at=ends_at,
        clashes=clashes_of([Gift(user, row.role, row.resource, True, now, until)], now, viewer=user) if runs else (),
        subject=TicketSubject(clean(wanted.ticket), user.pk, row.role_id, row.resource_id),
        ticket_check=wanted.ticket_check,
    )


@service(Kind.ACTIVATION_PROLONGED)
def prolong(activation_id: uuid.UUID, *, wanted: Wanted, actor: Actor, clock: Clock) -> Request:
    """Ask to prolong one's own running activation; without approval it lasts longer at once.

    `wanted.duration` counts from now. Raises `Refused` with everything that the settings do not allow, and
    `Assignment.DoesNotExist` where one has no such activation.
    """
    user = person_of(actor)
    lock_given(replace(Given.by(activation_id), principal_id=user.pk))
    now = clock()
    facts = gather(user, activation_id, wanted=wanted, actor=actor, now=now)
    row = Assignment.objects.select_related(*_RELATED).get(pk=activation_id)
    require(PROLONG, facts, about=about(row))

    close_lapsed(now=now, action=Action.PROLONG, assignment=row)
    if facts.settings.second_factor != SecondFactor.NONE:
        step_ups.spend(actor, Purpose.ACTIVATE, row.pk, now=now)
    request = Request(
        action=Action.PROLONG,
        principal=user,
        requestor=user,
        role=row.role,
        resource=row.resource,
        assignment=row,
        made_at=now,
        wanted_duration=facts.duration,
        reason=facts.reason,
        ticket=facts.ticket,
        ticket_check=check_told(facts),
        settings_digest=facts.settings.digest,
        settings_max=facts.settings.max_activation,
        second_factor=facts.settings.second_factor,
        lapses_at=now + facts.settings.approval_window,
    )
    if row.ends_at is not None:
        request.lapses_at = min(request.lapses_at, row.ends_at)
    request.digest = digest_of(request)
    if facts.panels:
        put(request, facts.panels)
    record_made(request, actor=actor, now=now, settings=facts.settings)
    if not facts.panels:
        grant_prolonged(request, actor=actor, now=now, settings=facts.settings, duration=facts.duration)
    return request


def grant_prolonged(
    request: Request, *, actor: Actor, now: datetime, settings: EffectiveSettings, duration: timedelta
) -> None:
    """Move the end of the activation; the principal is locked and the rules have been asked.

    Fails, with a sentence, where there is nothing to go on from any more or it would not last longer: never a gap.
    """
    activation = request.about
    until = ends_for(request.behind, request.principal_id, now)
    ends_at = now + longest_allowed(request, settings, duration)
    ends_at = min(ends_at, until) if until else ends_at
    runs = Assignment.objects.in_effect(now).filter(pk=activation.pk).exists()
    if not runs:
        close(
            request,
            Status.FAILED,
            actor=actor,
            now=now,
            why="The activation has ended; it has to be made anew.",
            settings=settings,
        )
        return
    if activation.ends_at is not None and ends_at <= activation.ends_at:
        close(
            request,
            Status.FAILED,
            actor=actor,
            now=now,
            why="It would not last longer than it does already.",
            settings=settings,
        )
        return
    prolong_activation(
        activation,
        ends_at=ends_at,
        now=now,
        actor=actor,
        request_id=request.pk,
        reason=request.reason,
        ticket=request.ticket,
        at_hand=(request, settings),
    )
    grant_as(request, now=now)
