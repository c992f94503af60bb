"""Moving a place with all that stands below it to another parent, after the preview of it was agreed to."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db.models import Max

from audit.kinds import Kind
from roles.actors import Actor, Clock
from roles.catalogue import Permission
from roles.models import Assignment, EndReason, Resource, ResourceKind, Role, User
from roles.refusals import require
from roles.rules.looser import loosened
from roles.rules.resources import MOVE, MoveFacts
from roles.selectors.duties.conflicts import conflicts_by_move
from roles.selectors.moves import (
    MovePreview,
    activations_from_above,
    custom_roles_doubled,
    custom_roles_left_behind,
    preview_of_move,
)
from roles.selectors.resources import is_retired_place, name_is_taken, parent_of
from roles.selectors.settings import EffectiveSettings, SettingsBook
from roles.selectors.stakes import has_a_stake, others_who_may
from roles.service import service
from roles.services.agreed import Agreed
from roles.services.ends import end
from roles.services.locks import lock_trees, root_of
from roles.services.resources import (
    about_place,
    define_by,
    longest_path,
    record_place,
    rewrite_scope_paths,
    scope_path_of,
    serves,
    spend,
)
from roles.text import clean


@service(Kind.RESOURCE_MOVED)
def move_resource(
    resource_id: uuid.UUID,
    target_id: uuid.UUID,
    *,
    seen: str | None,
    reason: str = "",
    agreed: Agreed | None = None,
    actor: Actor,
    clock: Clock,
) -> Resource:
    """Move a place below another one. What is held follows from where it stands.

    The activations that their eligibility no longer reaches end for good. `seen` is the digest of the preview that was
    agreed to (None: an operator's, who looked at none). Raises `Refused`, also where the preview has changed since.
    """
    lock_trees(lambda: concerned_by_move(resource_id, target_id))
    now = clock()
    place: Resource = Resource.objects.get(pk=resource_id)
    target: Resource = Resource.objects.get(pk=target_id)
    facts, preview = gather(place, target, seen=seen, reason=reason, agreed=agreed, actor=actor, now=now)
    require(MOVE, facts, about=about_place(place))

    if agreed is None:
        spend(actor, place.pk, now)
    held = define_by(actor, facts.parent, now)
    by = held.assignment_id if held else None
    _end_what_does_not_reach(place, preview, actor=actor, by=by, reason=facts.reason, now=now)
    old = {"parent": str(facts.parent.pk) if facts.parent else None, "scope": place.scope_path}
    path = _path_below(place, target)
    Resource.objects.move(place, target, "last-child")
    place = Resource.objects.get(pk=resource_id)
    rewrite_scope_paths(place, path)
    details = {"old": old, "new": {"parent": str(target.pk), "scope": path}, "ended": len(preview.ends)}
    details |= {"lost": len(preview.loses), "gained": len(preview.gains)}
    record_place(
        Kind.RESOURCE_MOVED,
        place,
        actor=actor,
        by=by,
        now=now,
        details=details | (agreed.told if agreed else {}),
        reason=facts.reason,
        request_id=agreed.request_id if agreed else None,
    )
    place.refresh_from_db()
    return place


def gather(
    place: Resource,
    target: Resource,
    *,
    seen: str | None,
    reason: str = "",
    agreed: Agreed | None = None,
    actor: Actor,
    now: datetime,
) -> tuple[MoveFacts, MovePreview]:
    """Gather what is known about a move; the page before it and the service ask the same."""
    parent = parent_of(place)
    kind = ResourceKind(place.kind)
    preview = preview_of_move(place, target, now)
    deepest = Resource.objects.filter(path__startswith=place.path).aggregate(deepest=Max("depth"))["deepest"]
    both_ends = define_by(actor, parent, now) is not None and define_by(actor, target, now) is not None
    allowed = actor.user is None or both_ends
    facts = MoveFacts(
        place=place,
        kind=kind,
        allowed=allowed,
        second_factor=agreed is not None or serves(actor, place.pk, now),
        reason=clean(reason),
        name=place.name,
        longest_path=longest_path(place, _path_below(place, target)),
        taken=name_is_taken(place.name, kind=kind, type=place.type, parent=target, but=place.pk),
        target=target,
        parent=parent,
        retired=is_retired_place(place) or is_retired_place(target),
        levels=deepest - place.depth + 1,
        leaving=custom_roles_left_behind(place, target, now),
        doubled=custom_roles_doubled(place, target),
        clashes=conflicts_by_move(place, target, now, viewer=actor.user) if allowed else (),
        agreed=seen == preview.digest or (seen is None and actor.user is None),
        loosens=_loosens(place, target, preview, actor=actor, now=now) if agreed is None else (),
    )
    return facts, preview


def loosened_by_move(
    author: User, place: Resource, target: Resource, preview: MovePreview, now: datetime
) -> list[tuple[Role, EffectiveSettings, EffectiveSettings]]:
    """Return the roles, with their settings before and after, that a move loosens for its author.

    Nothing where nobody else could move it: then nobody has to agree.
    """
    book = SettingsBook(one.role.pk for one in preview.settings)
    found = [(one.role, book.of(one.role, place), book.of(one.role, target)) for one in preview.settings]
    found = [row for row in found if loosened(*row[1:]) and has_a_stake(author.pk, row[0], place, now)]
    ends = [one for one in (parent_of(place), target) if one is not None]
    return found if found and others_who_may(Permission.DEFINE, ends, now, but=author.pk) else []


def _loosens(
    place: Resource, target: Resource, preview: MovePreview, *, actor: Actor, now: datetime
) -> tuple[str, ...]:
    rows = loosened_by_move(actor.user, place, target, preview, now) if actor.user is not None else []
    return tuple(field for _role, before, after in rows for field in loosened(before, after))


def _path_below(place: Resource, target: Resource) -> str:
    return scope_path_of(ResourceKind(place.kind), name=place.name, type=place.type, pk=place.pk, parent=target)


def concerned_by_move(resource_id: uuid.UUID, target_id: uuid.UUID) -> tuple[set[uuid.UUID], set[str]]:
    """Return whose activations a move may end, and the roots of both trees."""
    place = Resource.objects.get(pk=resource_id)
    target = Resource.objects.get(pk=target_id)
    holders = set(activations_from_above(place).order_by().values_list("principal_id", flat=True))
    return holders, {root_of(place), root_of(target)}


def _end_what_does_not_reach(
    place: Resource,
    preview: MovePreview,
    *,
    actor: Actor,
    by: uuid.UUID | None,
    reason: str,
    now: datetime,
) -> None:
    """Write the ends before the move, while it can still be told what was over or lost before it."""
    rows = activations_from_above(place).select_related("principal", "role", "resource")
    lost = set(Assignment.objects.orphaned(now).filter(pk__in=rows.values("pk")).values_list("pk", flat=True))
    ending = {row.pk for row in preview.ends}
    for row in rows.order_by("principal_id", "pk"):
        if row.ends_at is not None and row.ends_at <= now:
            end(row, EndReason.EXPIRED, actor=Actor.portal(), at=now)
        elif row.pk in lost:
            # Its eligibility was gone before; below the new parent it must not come to life again.
            end(row, EndReason.ELIGIBILITY_ENDED, actor=Actor.portal(), at=now)
        elif row.pk in ending:
            end(row, EndReason.MOVED, actor=actor, at=now, authority_id=by, reason=reason)
