"""Changes of settings that wait for a second administrator: who decides them, and whether they still fit."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Final

from approvals.models import Action, Request, RequestQuerySet
from approvals.proposals import Act, Proposal, proposal_of
from roles.authority import Authority
from roles.catalogue import Permission
from roles.models import Resource, Role, User
from roles.selectors.moves import MovePreview, preview_of_move
from roles.selectors.resources import parent_of
from roles.selectors.settings import EffectiveSettings, SettingsBook, differ, settings_behind
from roles.selectors.settings_use import approvers_in, names_of
from roles.selectors.sight import within_sight
from roles.selectors.stakes import others_who_may
from roles.settings_words import Compared, differences

# How long a change waits, and after how long its author may make it alone.
WINDOW: Final = timedelta(days=3)
ALONE_AFTER: Final = timedelta(days=1)


def alone_from(request: Request) -> datetime:
    """Return from when the author may make the change alone, if nobody has decided it."""
    return request.made_at + ALONE_AFTER


def places_behind(request: Request, proposal: Proposal) -> tuple[Permission, list[Resource]]:
    """Return what somebody must be allowed to do, and where, to make this change."""
    if proposal.act != Act.MOVE:
        return Permission.CHANGE_SETTINGS, [request.resource]
    target: Resource | None = Resource.objects.filter(pk=proposal.target_id).first()
    return Permission.DEFINE, [one for one in (parent_of(request.resource), target) if one is not None]


def deciders_of(request: Request, now: datetime, *, may_become: bool = False) -> list[User]:
    """Return the administrators who can decide a change of settings, but for its author."""
    permission, places = places_behind(request, proposal_of(request))
    return others_who_may(permission, places, now, but=request.requestor_id, may_become=may_become)


def author_still_may(request: Request, now: datetime) -> bool:
    """Return whether the author could still make this change, at least after activating."""
    permission, places = places_behind(request, proposal_of(request))
    return any(user.pk == request.requestor_id for user in others_who_may(permission, places, now))


def settings_changes_awaiting(authority: Authority) -> list[Request]:
    """Return the changes of settings that this person can decide now, and nobody their own."""
    where = within_sight(authority, Permission.CHANGE_SETTINGS) | within_sight(authority, Permission.DEFINE)
    rows = Request.objects.filter(where, action=Action.CHANGE_SETTINGS).exclude(requestor=authority.user.pk)
    waiting = rows.waiting_among(authority.now).shown()
    return [one for one in waiting if authority.user in deciders_of(one, authority.now)]


def preview_of_proposed_move(request: Request, now: datetime) -> MovePreview | None:
    """Return what the move that a request proposes would change now; None where it proposes no move."""
    proposal = proposal_of(request) if request.action == Action.CHANGE_SETTINGS else None
    if proposal is None or proposal.act != Act.MOVE:
        return None
    return preview_of_move(request.resource, Resource.objects.get(pk=proposal.target_id), now)


def sees_preview(request: Request, authority: Authority) -> bool:
    """Return whether somebody is shown it: only who may change the tree at both ends sees who has what there."""
    permission, places = places_behind(request, proposal_of(request))
    return all(authority.allows(permission, one) for one in places)


def changes_waiting_at(role: Role, place: Resource, now: datetime) -> RequestQuerySet:
    """Return the changes of a role's settings at a place that wait, the oldest first."""
    rows = Request.objects.filter(role=role, resource=place, action=Action.CHANGE_SETTINGS)
    return rows.waiting(now).shown().order_by("made_at", "pk")


def ruling_now(request: Request) -> list[EffectiveSettings]:
    """Return what rules now where the change would be made, for each role of the proposal."""
    proposal = proposal_of(request)
    return _ruling_now(request, proposal, *_read(proposal))


def _read(proposal: Proposal) -> tuple[dict[uuid.UUID, Role], SettingsBook]:
    roles = Role.objects.in_bulk([one.role_id for one in proposal.rulings])
    return roles, SettingsBook(roles)


def _ruling_now(
    request: Request, proposal: Proposal, roles: dict[uuid.UUID, Role], book: SettingsBook
) -> list[EffectiveSettings]:
    return [
        book.default_of(roles[one.role_id]) if proposal.everywhere else book.of(roles[one.role_id], request.resource)
        for one in proposal.rulings
    ]


def ruling(request: Request) -> EffectiveSettings:
    """Return the settings that rule now what is asked; of a change of several roles' those of the first."""
    return ruling_now(request)[0] if request.action == Action.CHANGE_SETTINGS else settings_behind(request.behind)


def drifted(request: Request) -> list[Compared]:
    """Return what changed in the settings since the change was proposed, line by line; nothing where they stand.

    Those that rule, and those that would: a reset and a move take what is set elsewhere, where their author may change
    it alone. What can be seen of settings in no line, as where they come from, is told as one.
    """
    proposal = proposal_of(request)
    roles, book = _read(proposal)
    ruling = _ruling_now(request, proposal, roles, book)
    to_rule = _would_rule_now(request, proposal, roles, book)
    rows: list[Compared] = []
    for one, now, then in zip(proposal.rulings, ruling, to_rule, strict=True):
        if now.seen != one.seen:
            rows += _differences(one.before, now) or [Compared("", "", "")]
        if differ(then, one.after):
            rows += _differences(one.after, then) or [Compared("", "", "")]
    return rows


def _would_rule_now(
    request: Request, proposal: Proposal, roles: dict[uuid.UUID, Role], book: SettingsBook
) -> list[EffectiveSettings]:
    """Return what would rule if the change were made now, for each role of the proposal."""
    if proposal.act == Act.RESET:
        return [book.without_own(roles[one.role_id], request.resource) for one in proposal.rulings]
    if proposal.act == Act.MOVE:
        target = Resource.objects.get(pk=proposal.target_id)
        return [book.of(roles[one.role_id], target) for one in proposal.rulings]
    return [one.after for one in proposal.rulings]


def _differences(was: EffectiveSettings, now: EffectiveSettings) -> list[Compared]:
    return differences(was, now, names_of(approvers_in(was, now)))


def proposed(request: Request) -> list[tuple[Role, list[Compared]]]:
    """Return for each role what is and what would be, field by field."""
    rulings = proposal_of(request).rulings
    roles = Role.objects.in_bulk([one.role_id for one in rulings])
    names = names_of(approvers_in(*(one for ruling in rulings for one in (ruling.before, ruling.after))))
    return [(roles[one.role_id], differences(one.before, one.after, names)) for one in rulings]
