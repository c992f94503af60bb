"""Changing settings where that may have to wait for a second administrator.

The ordinary services of roles refuse what loosens settings for whoever profits (`second_administrator`): here it
becomes a request. What is agreed to is done by the same services, against the settings as they are then.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from django.db import transaction
from django.utils.translation import gettext as _

from approvals.models import Action, Request
from approvals.proposals import Act, Proposal, as_data, proposal_of, ruling_of
from approvals.rules.settings_changes import ALONE, AloneFacts, drift
from approvals.selectors.settings_changes import (
    WINDOW,
    alone_from,
    drifted,
    places_behind,
    preview_of_proposed_move,
)
from approvals.selectors.showing import shown_digest
from approvals.services.closing import close_lapsed
from approvals.services.requests import about_request, digest_of, grant_as, lock_request, put, record_made
from approvals.wording import what_changed
from audit.kinds import Kind
from audit.recording import Ids
from roles.actors import Actor, Clock
from roles.authority import Authority
from roles.ids import DIRECTORY
from roles.models import Purpose, Resource, Role, RoleSettings, User
from roles.refusals import About, Refused, Violation, require
from roles.selectors.moves import preview_of_move
from roles.selectors.settings import (
    Cell,
    EffectiveSettings,
    SettingsBook,
    Stage,
    effective,
    rules_of,
    settings_of,
)
from roles.service import record, service
from roles.services import step_ups
from roles.services.agreed import Agreed
from roles.services.locks import lock_principal
from roles.services.moves import loosened_by_move, move_resource
from roles.services.settings import change_settings, reset_settings
from roles.text import clean

Done = TypeVar("Done")
Proposing = Callable[[datetime], tuple[Role, Resource, Proposal]]


@service(Kind.ROLE_SETTINGS_CHANGED)
def change_or_ask(
    role: Role,
    *,
    resource: Resource | None,
    values: Mapping[str, Any],
    stages: tuple[Stage, ...] | None = None,
    cells: tuple[Cell, ...] | None = None,
    seen: str = "",
    reason: str = "",
    actor: Actor,
    clock: Clock,
) -> RoleSettings | Request:
    """Change settings as `roles.services.settings.change_settings` does, or return the request that now waits for it.

    Raises `Refused` with everything else that is against it.
    """

    def proposing(now: datetime) -> tuple[Role, Resource, Proposal]:
        before = _ruling(role, resource)
        row = RoleSettings(role=role, resource=resource, **(rules_of(before) | dict(values)))
        kept_cells = before.cells if cells is None else cells
        after = effective(row, stages=before.written_stages if stages is None else stages, cells=kept_cells)
        place = resource or Resource.objects.get(pk=DIRECTORY)
        return role, place, Proposal(Act.CHANGE, (ruling_of(before, after),), everywhere=resource is None)

    def changing(clock: Clock) -> RoleSettings:
        given: dict[str, Any] = {"values": values, "stages": stages, "cells": cells, "seen": seen, "reason": reason}
        return change_settings(role, resource=resource, **given, actor=actor, clock=clock)

    _serialise(role, actor)
    return _done_or_asked(changing, proposing, reason=reason, actor=actor, clock=clock)


@service(Kind.ROLE_SETTINGS_RESET)
def reset_or_ask(
    role: Role, *, resource: Resource, seen: str = "", reason: str = "", actor: Actor, clock: Clock
) -> EffectiveSettings | Request:
    """Take settings from above again, or return the request that now waits for it. Raises `Refused`."""

    def proposing(now: datetime) -> tuple[Role, Resource, Proposal]:
        after = SettingsBook([role.pk]).without_own(role, resource)
        return role, resource, Proposal(Act.RESET, (ruling_of(settings_of(role, resource), after),))

    _serialise(role, actor)
    return _done_or_asked(
        lambda clock: reset_settings(role, resource=resource, seen=seen, reason=reason, actor=actor, clock=clock),
        proposing,
        reason=reason,
        actor=actor,
        clock=clock,
    )


@service(Kind.RESOURCE_MOVED)
def move_or_ask(
    resource_id: uuid.UUID, target_id: uuid.UUID, *, seen: str | None, reason: str = "", actor: Actor, clock: Clock
) -> Resource | Request:
    """Move a place, or return the request that now waits for it: its inherited settings would be looser.

    Raises `Refused`.
    """

    def proposing(now: datetime) -> tuple[Role, Resource, Proposal]:
        place: Resource = Resource.objects.get(pk=resource_id)
        target: Resource = Resource.objects.get(pk=target_id)
        preview = preview_of_move(place, target, now)
        rows = loosened_by_move(_author(actor), place, target, preview, now)
        rulings = tuple(ruling_of(before, after) for _role, before, after in rows)
        return rows[0][0], place, Proposal(Act.MOVE, rulings, target_id=target.pk, preview=preview.digest)

    def moving(clock: Clock) -> Resource:
        return move_resource(resource_id, target_id, seen=seen, reason=reason, actor=actor, clock=clock)

    return _done_or_asked(moving, proposing, reason=reason, actor=actor, clock=clock)


def _serialise(role: Role, actor: Actor) -> None:
    """Lock the author and the role, in this order, before the ordinary service does: it may be rolled back."""
    if actor.user is not None:
        lock_principal(actor.user.pk)
    Role.objects.select_for_update(no_key=True, of=("self",)).get(pk=role.pk)


def _ruling(role: Role, resource: Resource | None) -> EffectiveSettings:
    return settings_of(role, resource) if resource else SettingsBook([role.pk]).default_of(role)


def _author(actor: Actor) -> User:
    if actor.user is None:
        raise AssertionError("The operator needs nobody's consent.")
    return actor.user


def _done_or_asked(
    doing: Callable[[Clock], Done], proposing: Proposing, *, reason: str = "", actor: Actor, clock: Clock
) -> Done | Request:
    """Do it; where only the second administrator is missing, undo the attempt and ask instead."""
    try:
        with transaction.atomic():
            return doing(clock)
    except Refused as refused:
        if refused.codes != {"second_administrator"}:
            raise
    author = _author(actor)
    lock_principal(author.pk)
    now = clock()
    role, place, proposal = proposing(now)
    slot = {"action": Action.CHANGE_SETTINGS, "principal": author, "role": role, "resource": place}
    if Request.objects.waiting(now).filter(**slot).exists():
        sentence = _("Your earlier change of these settings still waits for a second administrator. Cancel it first.")
        about = About(Ids(role=role.pk, resource=place.pk), place.realm, {"role": role.name, "resource": place.name})
        raise Refused([Violation("already_asked", sentence)], about=about)

    close_lapsed(now=now, **slot)
    moves = proposal.act == Act.MOVE
    step_ups.spend(actor, Purpose.ASSIGN if moves else Purpose.SETTINGS, place.pk if moves else role.pk, now=now)
    request = Request(
        **slot,
        requestor=author,
        made_at=now,
        reason=clean(reason),
        proposal=as_data(proposal),
        settings_digest=proposal.ruling.before.digest,
        lapses_at=now + WINDOW,
    )
    request.digest = digest_of(request)
    put(request, ())
    record_made(request, actor=actor, now=now)
    return request


def make_agreed(request: Request, *, actor: Actor, now: datetime, alone: bool = False) -> None:
    """Make the change that a request proposes, as who decided it; the principals are locked.

    Raises `Refused` with everything that the ordinary service refuses, as things are now.
    """
    proposal = proposal_of(request)
    agreed = Agreed(request.pk, request.requestor_id, alone=alone)
    given: dict[str, Any] = {"agreed": agreed, "reason": request.reason, "actor": actor, "clock": lambda: now}
    resource = None if proposal.everywhere else request.resource
    if proposal.act == Act.MOVE:
        target: Resource = Resource.objects.get(pk=proposal.target_id)
        preview = preview_of_move(request.resource, target, now)
        author = User.objects.get(pk=request.requestor_id)
        loosens = {role.pk: role.name for role, *_ in loosened_by_move(author, request.resource, target, preview, now)}
        shown = {one.role_id for one in proposal.rulings}
        if others := [name for pk, name in loosens.items() if pk not in shown]:
            raise Refused([drift(", ".join(others))], about=about_request(request))
        move_resource(request.resource_id, target.pk, seen=preview.digest, **given)
    elif proposal.act == Act.RESET:
        reset_settings(request.role, resource=request.resource, seen=proposal.ruling.seen, **given)
    else:
        after = proposal.ruling.after
        given |= {"stages": after.written_stages, "cells": after.cells, "seen": proposal.ruling.seen}
        change_settings(request.role, resource=resource, values=proposal.ruling.values, **given)
    grant_as(request, now=now)


def gather_alone(request: Request, *, reason: str, seen: str, actor: Actor, now: datetime) -> AloneFacts:
    """Gather what is known when an author is about to make a change alone; the page before it asks the same."""
    return AloneFacts(
        own=request.action == Action.CHANGE_SETTINGS and actor.id == request.requestor_id,
        waits=Request.objects.waiting(now).filter(pk=request.pk).exists(),
        now=now,
        allowed_from=alone_from(request),
        as_seen=seen == shown_digest(request, preview=preview_of_proposed_move(request, now))
        and request.digest == digest_of(request),
        drifted=what_changed(drifted(request)),
        reason=clean(reason),
        second_factor=step_ups.serves(actor, Purpose.SETTINGS, request.pk, now=now),
    )


@service(Kind.ROLE_SETTINGS_CHANGED_ALONE)
def make_alone(request_id: uuid.UUID, *, reason: str, seen: str, actor: Actor, clock: Clock) -> Request:
    """Make one's own change of settings without a second administrator, none of whom answered within a day.

    Loud: every administrator of the place is told, and cannot quiet it. Raises `Refused`.
    """
    request = lock_request(request_id)
    now = clock()
    if request.action != Action.CHANGE_SETTINGS:
        raise Request.DoesNotExist
    facts = gather_alone(request, reason=reason, seen=seen, actor=actor, now=now)
    require(ALONE, facts, about=about_request(request, justification=facts.reason))

    step_ups.spend(actor, Purpose.SETTINGS, request.pk, now=now)
    request.status_reason = "Nobody else decided within a day: it was made alone."
    make_agreed(request, actor=actor, now=now, alone=True)
    permission, places = places_behind(request, proposal_of(request))
    held = Authority(_author(actor), now).by(permission, places[0])
    record(
        Kind.ROLE_SETTINGS_CHANGED_ALONE,
        actor=actor,
        at=now,
        role=request.role,
        resource=request.resource,
        request_id=request.pk,
        authority_id=held.assignment_id if held else None,
        details={"act": str(proposal_of(request).act)},
        justification=facts.reason,
    )
    return request
