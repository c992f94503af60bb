"""Which assignments a review takes, as they stand at a moment; read in chunks, so that their number does not matter."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from audit.kinds import Realm
from reviews.models import AccessReview, Covers, Terms
from roles.models import Assignment, Principal, PrincipalKind, Resource
from roles.models.assignments import AssignmentQuerySet

DONE: Final = "done"
CHUNK: Final = 500


@dataclass(frozen=True, slots=True)
class Scope:
    """What is reviewed: roles at a place. At resources a group stands for its members, in the directory for itself."""

    place: Resource
    roles: frozenset[uuid.UUID]
    covers: Covers
    inherited: bool = False
    inactive_days: int | None = None

    @property
    def expands_groups(self) -> bool:
        return bool(self.place.realm == Realm.RESOURCE)


@dataclass(frozen=True, slots=True)
class Candidate:
    """An assignment and whom it is reviewed for: its principal, or a member where a group holds it (`through`)."""

    assignment: Assignment
    principal: Principal
    through: Principal | None = None


def scope_of(review: AccessReview, terms: Terms) -> Scope:
    """Return what a series, or one instance of it, reviews."""
    roles = frozenset(review.roles.values_list("pk", flat=True))
    return Scope(review.resource, roles, Covers(terms.covers), terms.inherited, terms.inactive_days)


def standing_of(scope: Scope) -> AssignmentQuerySet:
    """Return the assignments under review that nobody has ended: cheap to walk through, not all of them in effect."""
    paths = scope.place.way if scope.inherited else [scope.place.path]
    rows = Assignment.objects.open().filter(role__in=scope.roles, activated_from=None, resource__path__in=paths)
    if scope.covers != Covers.BOTH:
        rows = rows.filter(type=scope.covers)
    return rows.order_by("pk")


def in_effect_of(ids: Iterable[uuid.UUID], now: datetime) -> AssignmentQuerySet:
    """Return those of these assignments that are in effect at `now`."""
    rows = Assignment.objects.in_effect_of(list(ids), now)
    return rows.select_related("principal", "role", "resource").order_by("pk")


def next_chunk(scope: Scope, now: datetime, cursor: str, size: int = CHUNK) -> tuple[list[Candidate], str]:
    """Return the candidates after `cursor` (empty: from the start), and the cursor after them; `DONE` is the last.

    First what people and unexpanded groups hold, then what groups hold, member by member. What is in effect is asked of
    a chunk only: asked of all, each chunk would cost as much as the whole.
    """
    if cursor.startswith("g"):
        return _members(scope, now, cursor, size)
    rows = standing_of(scope)
    if scope.expands_groups:
        rows = rows.filter(principal__kind=PrincipalKind.USER)
    if cursor:
        rows = rows.filter(pk__gt=uuid.UUID(cursor[1:]))
    ids = list(rows.values_list("pk", flat=True)[:size])
    found = [Candidate(row, row.principal) for row in in_effect_of(ids, now)]
    if len(ids) == size:
        return found, f"u{ids[-1].hex}"
    return found, "g" if scope.expands_groups else DONE


def _members(scope: Scope, now: datetime, cursor: str, size: int) -> tuple[list[Candidate], str]:
    at, _comma, after = cursor[1:].partition(",")
    rows = standing_of(scope).filter(principal__kind=PrincipalKind.GROUP)
    if at:
        rows = rows.filter(pk__gte=uuid.UUID(at)) if after else rows.filter(pk__gt=uuid.UUID(at))
    next_id = rows.values_list("pk", flat=True).first()
    if next_id is None:
        return [], DONE
    held = in_effect_of([next_id], now).first()
    if held is None:
        return [], f"g{next_id.hex}"
    members = Assignment.objects.memberships(now).filter(resource__group=held.principal_id).order_by("pk")
    if after and held.pk == uuid.UUID(at):
        members = members.filter(pk__gt=uuid.UUID(after))
    found = list(members.select_related("principal")[:size])
    candidates = [Candidate(held, one.principal, held.principal) for one in found]
    if len(found) == size:
        return candidates, f"g{held.pk.hex},{found[-1].pk.hex}"
    return candidates, f"g{held.pk.hex}"


def in_chunks(scope: Scope, now: datetime, size: int = CHUNK) -> Iterator[list[Candidate]]:
    """Yield all candidates, chunk by chunk."""
    cursor = ""
    while cursor != DONE:
        candidates, cursor = next_chunk(scope, now, cursor, size)
        if candidates:
            yield candidates
