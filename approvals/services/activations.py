"""Asking to activate a role: at once where the settings allow it, else as a request that waits."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from django.db.models import QuerySet

from approvals.models import Action, Request, Status
from approvals.models.requests import which_wait
from approvals.rules.activations import ACTIVATE, ActivateFacts
from approvals.rules.emergencies import in_emergency
from approvals.selectors.approvers import proposed_panels
from approvals.services.closing import close_lapsed
from approvals.services.requests import close, digest_of, grant_as, person_of, put, record_made
from approvals.ticket_checks import TicketCheck, TicketSubject
from audit.kinds import Kind
from audit.recording import Ids
from roles.actors import Actor, Clock
from roles.models import Assignment, Purpose, Resource, SecondFactor, User
from roles.models.prepared import Prepared
from roles.refusals import About, require
from roles.selectors.assignments import ends_for
from roles.selectors.duties.clashes import Gift, clashes_of
from roles.selectors.duties.holdings import earlier, end_after
from roles.selectors.settings import EffectiveSettings, settings_behind
from roles.service import service
from roles.services import step_ups
from roles.services.activations import start_activation
from roles.services.assignments import is_retired
from roles.services.gifts import Given, lock_given
from roles.text import clean


def _eligibility(user_id: uuid.UUID, now: datetime, pk: uuid.UUID) -> QuerySet[Assignment]:
    rows = Assignment.objects.eligible_for(user_id, now).filter(pk=pk)
    return rows.select_related("role", "resource", "principal")


_ELIGIBILITY = Prepared(_eligibility)
_RUNNING = Prepared(
    lambda user_id, eligibility_id, resource_id, now: (
        Assignment.objects.open()
        .filter(principal=user_id, activated_from=eligibility_id, resource=resource_id, ends_at__gt=now)
        .order_by()
        .values_list("pk", flat=True)
    )
)
_ASKED = Prepared(
    lambda user_id, eligibility_id, resource_id: (
        Request.objects.pending()
        .filter(action=Action.ACTIVATE, principal=user_id, assignment=eligibility_id, resource=resource_id)
        .order_by()
        .values_list("pk", flat=True)
    )
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody asks for. `start` None is at once; `resource` None is where the eligibility is.

    `ticket_check` is what a verifier said of the ticket, asked before (`approvals.verifying`); None where nobody was.
    """

    duration: timedelta
    reason: str = ""
    ticket: str = ""
    start: datetime | None = None
    resource_id: uuid.UUID | None = None
    ticket_check: TicketCheck | None = None


def gather(
    user: User,
    eligibility_id: uuid.UUID,
    *,
    wanted: Wanted,
    actor: Actor,
    now: datetime,
    emergency: bool = False,
    settings: EffectiveSettings | None = None,
) -> tuple[ActivateFacts, Resource]:
    """Gather the facts of an activation as they are now; the page before it and the service ask the same.

    In an `emergency` by the settings of one, which wait for nobody (`approvals.rules.emergencies.in_emergency`).
    `settings` are those that rule the eligibility now, where a page has read them already.
    """
    eligibility = _ELIGIBILITY.first(user.pk, now, eligibility_id)
    row = eligibility or Assignment.objects.select_related("role", "resource").get(pk=eligibility_id)
    resource = row.resource
    inside = True
    if wanted.resource_id is not None and wanted.resource_id != row.resource_id:
        chosen = Resource.objects.filter(pk=wanted.resource_id).first()
        inside = chosen is not None and row.resource.contains(chosen) and not is_retired(row.role, chosen)
        resource = chosen if chosen is not None and inside else row.resource
    settings = settings or settings_behind(row)
    settings = in_emergency(settings) if emergency else settings
    running = set(_RUNNING.ask(user.pk, row.pk, resource.pk, now))
    if running:
        lost = Assignment.objects.filter(pk__in=running).orphaned(now)
        running -= set(lost.values_list("pk", flat=True))
    asked = _ASKED.ask(user.pk, row.pk, resource.pk)
    every_time = settings.second_factor == SecondFactor.EVERY_TIME
    second_factor = settings.second_factor == SecondFactor.NONE or step_ups.serves(
        actor, Purpose.BREAK_GLASS if emergency else Purpose.ACTIVATE, row.pk, now=now, own_code=every_time
    )
    ends_at = ends_for(eligibility, user.pk, now) if eligibility else None
    starts_at = max(wanted.start or now, now)
    until = earlier(end_after(starts_at, min(wanted.duration, settings.max_activation)), ends_at)
    facts = ActivateFacts(
        eligibility=eligibility,
        settings=settings,
        now=now,
        start=wanted.start,
        duration=wanted.duration,
        reason=clean(wanted.reason),
        ticket=clean(wanted.ticket),
        panels=tuple(proposed_panels(settings, person=user, now=now)),
        second_factor=second_factor,
        inside=inside,
        already_active=bool(running),
        already_asked=bool(which_wait(asked, now)),
        ends_at=ends_at,
        clashes=clashes_of([Gift(user, row.role, resource, True, starts_at, until)], now, viewer=user)
        if eligibility
        else (),
        subject=TicketSubject(clean(wanted.ticket), user.pk, row.role_id, resource.pk),
        ticket_check=wanted.ticket_check,
    )
    return facts, resource


@service(Kind.REQUEST_MADE)
def ask(eligibility_id: uuid.UUID, *, wanted: Wanted, actor: Actor, clock: Clock) -> Request:
    """Ask to activate a role that one is eligible for; without approval it is active at once.

    Always for oneself. Raises `Refused` with everything that the settings do not allow, and
    `Assignment.DoesNotExist` for an unknown eligibility.
    """
    user = person_of(actor)
    lock_given(replace(Given.by(eligibility_id), principal_id=user.pk))
    now = clock()
    facts, resource = gather(user, eligibility_id, wanted=wanted, actor=actor, now=now)
    require(ACTIVATE, facts, about=about_asking(user, eligibility_id, facts, resource))
    eligibility = facts.eligibility
    if eligibility is None:
        raise AssertionError("The rules let an activation pass that has no eligibility.")

    close_lapsed(now=now, action=Action.ACTIVATE, principal=user, assignment=eligibility, resource=resource)
    if facts.settings.second_factor != SecondFactor.NONE:
        step_ups.spend(actor, Purpose.ACTIVATE, eligibility.pk, now=now)
    request = draft(user, eligibility, resource, facts)
    if facts.panels:
        put(request, facts.panels)
    record_made(request, actor=actor, now=now, settings=facts.settings)
    if not facts.panels:
        grant(request, actor=actor, now=now, settings=facts.settings, duration=facts.duration)
    return request


def draft(
    user: User,
    eligibility: Assignment,
    resource: Resource,
    facts: ActivateFacts,
    *,
    emergency_under: EffectiveSettings | None = None,
) -> Request:
    """Return the request, unsaved, that says what was asked for; in an emergency under these settings of the role."""
    now = facts.now
    request = Request(
        action=Action.ACTIVATE,
        principal=user,
        requestor=user,
        role=eligibility.role,
        resource=resource,
        assignment=eligibility,
        made_at=now,
        # In UTC: the digest outlives the row's way through the database, and hours add up through a change of clocks.
        wanted_start=facts.start.astimezone(UTC) if facts.start and facts.start > now else None,
        wanted_duration=facts.duration,
        break_glass=emergency_under is not None,
        reason=facts.reason,
        ticket=facts.ticket,
        ticket_check=check_told(facts),
        settings_digest=(emergency_under or facts.settings).digest,
        settings_max=facts.settings.max_activation,
        second_factor=facts.settings.second_factor,
        lapses_at=now + facts.settings.approval_window,
    )
    request.digest = digest_of(request)
    return request


def check_told(facts: ActivateFacts) -> str:
    """Return what is kept of the check of the ticket; nothing where none was demanded."""
    return facts.ticket_check.told if facts.settings.ticket_verified and facts.ticket_check else ""


def about_asking(user: User, eligibility_id: uuid.UUID, facts: ActivateFacts, resource: Resource) -> About:
    """Say what an attempt to activate was about."""
    row = facts.eligibility
    if row is None:
        # No name of the role or the place: it may be somebody else's.
        ids = Ids(target=user.pk, resource=resource.pk, assignment=eligibility_id)
        return About(ids=ids, realm=resource.realm, text={"target": user.name})
    ids = Ids(target=user.pk, role=row.role_id, resource=row.resource_id, assignment=row.pk)
    names = {"target": user.name, "role": row.role.name, "resource": row.resource.name}
    return About(ids=ids, realm=row.resource.realm, text=names | {"reason": facts.reason, "ticket": facts.ticket})


def grant(
    request: Request,
    *,
    actor: Actor,
    now: datetime,
    settings: EffectiveSettings,
    duration: timedelta,
) -> None:
    """Grant a request: its clock starts now, or at the later start that was asked for.

    The activation is never longer than was asked, granted, allowed then or allowed now, nor past the end of the
    eligibility. The principal is locked and the rules have been asked.
    """
    eligibility = request.about
    starts_at = max(request.wanted_start or now, now)
    longest = longest_allowed(request, settings, duration)
    until = ends_for(eligibility, request.principal_id, now)
    ends_at = min(starts_at + longest, until) if until else starts_at + longest
    why = ""
    if ends_at <= starts_at:
        why = "The eligibility ends before the start that was asked for."
    elif not eligibility.resource.contains(request.resource) or is_retired(request.role, request.resource):
        why = "The resource is no longer one that the eligibility reaches."
    if why:
        close(request, Status.FAILED, actor=actor, now=now, why=why, settings=settings)
        return
    outcome = start_activation(
        eligibility,
        holder=request.principal,
        resource=request.resource,
        starts_at=starts_at,
        ends_at=ends_at,
        now=now,
        actor=actor,
        request_id=request.pk,
        reason=request.reason,
        ticket=request.ticket,
        break_glass=request.break_glass,
        at_hand=(request, settings),
    )
    grant_as(request, now=now, outcome=outcome)


def longest_allowed(request: Request, settings: EffectiveSettings, granted: timedelta) -> timedelta:
    """Return the shortest of what was granted, asked, allowed when it was asked, and allowed now (rule 4)."""
    then = request.settings_max
    if then is None:
        raise LookupError("This request does not ask for a time.")
    return min(granted, request.time, then, settings.max_activation)
