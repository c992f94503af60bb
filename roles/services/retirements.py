"""Retiring a place with all that stands below it, and bringing it back. Nobody gets back what they had there."""

from __future__ import annotations

import uuid
from datetime import datetime

from audit.kinds import Kind
from roles.actors import Actor, Clock
from roles.models import EndReason, Resource, ResourceKind
from roles.refusals import require
from roles.rules.resources import RESTORE, RETIRE, RetireFacts
from roles.selectors.moves import RetirePreview, open_below, preview_of_retirement
from roles.selectors.resources import is_retired_place, parent_of
from roles.service import service
from roles.services.ends import end_unless_over
from roles.services.locks import lock_trees, root_of
from roles.services.resources import about_place, define_by, record_place, serves, spend
from roles.text import clean


@service(Kind.RESOURCE_RETIRED)
def retire_resource(
    resource_id: uuid.UUID, *, seen: str | None, reason: str = "", actor: Actor, clock: Clock
) -> Resource:
    """Retire a place; what stands below counts as retired too, and every open assignment there ends for good.

    `seen` is the digest of the preview that was agreed to (None: an operator's). Raises `Refused`.
    """
    lock_trees(lambda: _concerned(resource_id))
    now = clock()
    place: Resource = Resource.objects.get(pk=resource_id)
    facts, _preview = gather(place, seen=seen, reason=reason, actor=actor, now=now)
    require(RETIRE, facts, about=about_place(place))
    return _turn(place, now, Kind.RESOURCE_RETIRED, facts=facts, actor=actor, now=now)


@service(Kind.RESOURCE_RESTORED)
def restore_resource(resource_id: uuid.UUID, *, reason: str = "", actor: Actor, clock: Clock) -> Resource:
    """Let roles be assigned again at a retired place and below; nothing that ended comes back. Raises `Refused`."""
    lock_trees(lambda: _concerned(resource_id))
    now = clock()
    place: Resource = Resource.objects.get(pk=resource_id)
    facts, _preview = gather(place, seen=None, reason=reason, actor=actor, now=now)
    require(RESTORE, facts, about=about_place(place))
    return _turn(place, None, Kind.RESOURCE_RESTORED, facts=facts, actor=actor, now=now)


def gather(
    place: Resource, *, seen: str | None, reason: str = "", actor: Actor, now: datetime
) -> tuple[RetireFacts, RetirePreview]:
    """Gather what is known about retiring or restoring a place; the page before it and the service ask the same."""
    parent = parent_of(place)
    preview = preview_of_retirement(place, now)
    facts = RetireFacts(
        place=place,
        kind=ResourceKind(place.kind),
        allowed=actor.user is None or define_by(actor, place, now) is not None,
        second_factor=serves(actor, place.pk, now),
        reason=clean(reason),
        above_retired=parent is not None and is_retired_place(parent),
        agreed=seen == preview.digest or (seen is None and actor.user is None),
    )
    return facts, preview


def _concerned(resource_id: uuid.UUID) -> tuple[set[uuid.UUID], set[str]]:
    """Return whose assignments end, and the root of the tree."""
    place = Resource.objects.get(pk=resource_id)
    return set(open_below(place).order_by().values_list("principal_id", flat=True)), {root_of(place)}


def _turn(
    place: Resource, retired_at: datetime | None, kind: Kind, *, facts: RetireFacts, actor: Actor, now: datetime
) -> Resource:
    spend(actor, place.pk, now)
    # Asked before anything ends: who retires a place may hold by what ends with it.
    held = define_by(actor, place, now)
    by = held.assignment_id if held else None
    # Restoring ends as well what may stand open there all the same: it must not come to life.
    ended = _end_all(place, actor=actor, by=by, reason=facts.reason, now=now)
    old, new = place.retired_at, retired_at
    place.retired_at = retired_at
    place.save(update_fields=["retired_at"])
    details = {"old": {"retired_at": _iso(old)}, "new": {"retired_at": _iso(new)}, "ended": ended}
    record_place(kind, place, actor=actor, by=by, now=now, details=details, reason=facts.reason)
    return place


def _end_all(place: Resource, *, actor: Actor, by: uuid.UUID | None, reason: str, now: datetime) -> int:
    """End all that is open at a place and below; return how many there were. What was over stays expired."""
    ended = 0
    for row in open_below(place).select_related("principal", "role", "resource").order_by("principal_id", "pk"):
        ended += end_unless_over(row, EndReason.RETIRED, actor=actor, at=now, authority_id=by, reason=reason)
    return ended


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
