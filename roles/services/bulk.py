"""Giving thousands of assignments at once: the rules and the history of `assign`, with a few queries for each part."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from audit.kinds import Kind
from audit.recording import write_many
from roles.actors import Actor
from roles.models import Assignment, AssignmentType, EndReason, Principal, Resource, Role
from roles.refusals import Violation, broken
from roles.rules.assignments import ASSIGN, AssignFacts
from roles.selectors.duties.clashes import ClashBook, Gift, Prospect, named
from roles.selectors.settings import EffectiveSettings, SettingsBook
from roles.service import entry_of
from roles.services.assignments import authority_over, is_retired, plan
from roles.services.ends import end
from roles.text import clean

Slot = tuple[uuid.UUID, uuid.UUID, uuid.UUID, str]


@dataclass(frozen=True, slots=True)
class Wanted:
    """An assignment that is asked for; `starts_at` None is now, `ends_at` None is permanent."""

    principal: Principal
    role: Role
    resource: Resource
    type: AssignmentType
    starts_at: datetime | None
    ends_at: datetime | None

    @property
    def slot(self) -> Slot:
        """What there is one open assignment of."""
        return self.principal.pk, self.role.pk, self.resource.pk, str(self.type)

    @property
    def key(self) -> int:
        """A number for the slot, short enough to remember one for each line of a file (64 bits of a hash)."""
        text = "".join(map(str, self.slot))
        return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), signed=True)


@dataclass(frozen=True, slots=True)
class _There:
    """What is known of a role at a resource, the same for everybody who is to get it."""

    allowed: bool
    authority_id: uuid.UUID | None
    roles_beyond: tuple[str, ...]
    retired: bool
    settings: EffectiveSettings


class AssignBook:
    """The facts by which `assign` decides, remembered for each role at each resource; good for one `now`.

    `second_factor` answers whether a fresh one was given, and, asked with True, one of its own for this very act.
    """

    def __init__(
        self,
        roles: Collection[Role],
        *,
        actor: Actor,
        now: datetime,
        reason: str,
        second_factor: Callable[[bool], bool],
    ) -> None:
        self.actor, self.now, self.reason = actor, now, clean(reason)
        self._second_factor = second_factor
        self._settings = SettingsBook(role.pk for role in roles)
        self._there: dict[tuple[uuid.UUID, uuid.UUID], _There] = {}
        self._clashes = ClashBook(now)

    def prospects(self, wanted: Sequence[Wanted]) -> list[Prospect]:
        """Return for each what it would bring, to be asked in this order; what was taken counts for what follows."""
        return self._clashes.look([gift_of(one, self.now) for one in wanted])

    def taken(self, wanted: Sequence[Wanted]) -> set[Slot]:
        """Return the slots of these principals in which an assignment runs or is planned."""
        running = Assignment.objects.lasting(self.now).filter(activated_from=None)
        rows = running.filter(
            principal__in={one.principal.pk for one in wanted},
            role__in={one.role.pk for one in wanted},
            resource__in={one.resource.pk for one in wanted},
        )
        return set(rows.values_list("principal_id", "role_id", "resource_id", "type"))

    def there(self, role: Role, resource: Resource) -> _There:
        """Return what holds for everybody who is to get this role at this resource."""
        key = (role.pk, resource.pk)
        if key not in self._there:
            held, beyond = authority_over(self.actor, role, resource, self.now)
            self._there[key] = _There(
                allowed=self.actor.user is None or held is not None,
                authority_id=held.assignment_id if held else None,
                roles_beyond=beyond,
                retired=is_retired(role, resource),
                settings=self._settings.of(role, resource),
            )
        return self._there[key]

    def violations(self, one: Wanted, *, already_there: bool, prospect: Prospect) -> list[Violation]:
        """Return what `assign` would refuse."""
        there = self.there(one.role, one.resource)
        clashes = named(prospect.pairs(), viewer=self.actor.user, now=self.now) if there.allowed else ()
        own_code = there.settings.second_factor_on_assign and one.type == AssignmentType.ACTIVE
        facts = AssignFacts(
            principal=one.principal,
            role=one.role,
            resource=one.resource,
            type=one.type,
            starts_at=one.starts_at or self.now,
            ends_at=one.ends_at,
            now=self.now,
            reason=self.reason,
            settings=there.settings,
            allowed=there.allowed,
            second_factor=self.actor.user is None or self._second_factor(own_code),
            already_there=already_there,
            retired=there.retired,
            roles_beyond=there.roles_beyond,
            clashes=clashes,
        )
        return broken(ASSIGN, facts)


def gift_of(one: Wanted, now: datetime) -> Gift:
    """Return what somebody is about to get, as the rules of separation of duties ask it."""
    active = one.type == AssignmentType.ACTIVE
    return Gift(one.principal, one.role, one.resource, active, max(one.starts_at or now, now), one.ends_at)


def assign_many(wanted: Sequence[Wanted], *, book: AssignBook, batch: uuid.UUID) -> list[Assignment]:
    """Make these assignments and record each. Their principals are locked, and the book was asked under the locks."""
    _close_slots(wanted, now=book.now)
    made = [
        Assignment(
            principal=one.principal,
            role=one.role,
            resource=one.resource,
            type=one.type,
            starts_at=max(one.starts_at or book.now, book.now),
            ends_at=one.ends_at,
            created_at=book.now,
        )
        for one in wanted
    ]
    Assignment.objects.bulk_create(made)
    entries = [
        entry_of(
            Kind.ASSIGNMENT_ADDED,
            assignment,
            actor=book.actor,
            at=book.now,
            authority_id=book.there(assignment.role, assignment.resource).authority_id,
            details=plan(assignment),
            reason=book.reason,
        )
        for assignment in made
    ]
    write_many(entries, batch=batch)
    return made


def _close_slots(wanted: Sequence[Wanted], *, now: datetime) -> None:
    """Write down the ends of what is over in these slots, so that they can be filled again."""
    slots = {one.slot for one in wanted}
    overdue = Assignment.objects.overdue(now).filter(principal__in={slot[0] for slot in slots}, activated_from=None)
    for row in overdue.select_related("principal", "role", "resource").order_by("pk"):
        if (row.principal_id, row.role_id, row.resource_id, str(row.type)) in slots:
            end(row, EndReason.EXPIRED, actor=Actor.portal(), at=now)
