"""Elevated access: the one way over the wall between the directory and the resources, for an hour and loudly."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from audit.kinds import Kind, Realm
from audit.recording import Ids
from roles.actors import Actor, Clock
from roles.authority import Authority
from roles.ids import DIRECTORY, USER_ACCESS_ADMINISTRATOR
from roles.models import Assignment, AssignmentType, EndReason, Purpose, Resource, ResourceKind, Role, User
from roles.refusals import About, Refused, Violation, require
from roles.rules.elevation import ELEVATE, ELEVATED_FOR, ElevateFacts
from roles.service import record, service
from roles.services import step_ups
from roles.services.assignments import plan
from roles.services.ends import close_slot, end
from roles.services.locks import lock_principal
from roles.text import clean


@service(Kind.ACCESS_ELEVATED)
def elevate(*, reason: str, actor: Actor, clock: Clock) -> list[Assignment]:
    """Give oneself User Access Administrator at every resource root for an hour.

    Never past the end of the Global Administrator behind it, planned or not (`roles.models.held`). Where the role is
    held, or planned, by an administrator's hand, nothing is added. Raises `Refused`.
    """
    user = _person(actor)
    lock_principal(user.pk)
    now = clock()
    close_slot(Q(principal=user, role=USER_ACCESS_ADMINISTRATOR, activated_from=None), now=now)
    roots = _roots_without(user)
    behind = Authority(User.objects.get(pk=user.pk), now).elevatable_by
    facts = ElevateFacts(
        administers=behind is not None,
        second_factor=step_ups.serves(actor, Purpose.ELEVATE, user.pk, now=now, own_code=True),
        reason=clean(reason),
        elevated=Assignment.objects.elevations_of(user.pk, now).exists(),
        roots=roots.count(),
    )
    require(ELEVATE, facts, about=_about(user, facts.reason))
    if behind is None:
        raise AssertionError("The rules let somebody elevate their access who does not hold the role for it.")

    step_ups.spend(actor, Purpose.ELEVATE, user.pk, now=now)
    until = now + ELEVATED_FOR
    ends_at = min(until, behind.ends_at) if behind.ends_at else until
    role = Role.objects.get(pk=USER_ACCESS_ADMINISTRATOR)
    source = Assignment.objects.get(pk=behind.assignment_id)
    made = [_take(user, role, root, source, ends_at=ends_at, now=now) for root in roots]
    # One event for each world: neither names what stands in the other.
    record(
        Kind.ACCESS_ELEVATED,
        actor=actor,
        at=now,
        target=user,
        role=role,
        realm=Realm.DIRECTORY,
        authority_id=source.pk,
        details={"ends_at": ends_at.isoformat()},
        resource=_everywhere(),
        reason=facts.reason,
    )
    for assignment in made:
        record(
            Kind.ACCESS_ELEVATED,
            actor=actor,
            at=now,
            assignment=assignment,
            authority_id=source.pk,
            details=plan(assignment),
            reason=facts.reason,
        )
    return made


@service(Kind.ASSIGNMENT_ENDED)
def end_elevation(*, actor: Actor, clock: Clock) -> int:
    """End one's own elevated access now; return at how many roots it was. Raises `Refused` where it is over."""
    user = _person(actor)
    lock_principal(user.pk)
    now = clock()
    rows = Assignment.objects.elevations_of(user.pk, now).select_related("principal", "role", "resource")
    ended = 0
    for row in rows.order_by("pk"):
        ended += end(row, EndReason.DEACTIVATED, actor=actor, at=now, authority_id=row.pk)
    if not ended:
        raise Refused([Violation("over", _("Your access is not elevated any more."))], about=_about(user, ""))
    return ended


def _person(actor: Actor) -> User:
    if actor.user is None:
        raise Refused([Violation("nobody", _("Only a person can elevate their access."))])
    return actor.user


def _roots_without(user: User) -> QuerySet[Resource]:
    """Return the roots at which this person has no open active assignment of the role."""
    held = Assignment.objects.open().active().filter(principal=user, role=USER_ACCESS_ADMINISTRATOR)
    held = held.filter(activated_from=None)
    rows: QuerySet[Resource] = Resource.objects.filter(kind=ResourceKind.ROOT, retired_at=None)
    return rows.exclude(pk__in=held.values("resource")).order_by("path")


def _take(
    user: User, role: Role, root: Resource, source: Assignment, *, ends_at: datetime, now: datetime
) -> Assignment:
    return Assignment.objects.create(
        principal=user,
        role=role,
        resource=root,
        type=AssignmentType.ACTIVE,
        starts_at=now,
        ends_at=ends_at,
        elevated_from=source,
        created_at=now,
    )


def _everywhere() -> Resource:
    """Return the directory under the name by which its event speaks of where access was taken."""
    directory: Resource = Resource.objects.get(pk=DIRECTORY)
    directory.name = _("every resource root")
    return directory


def _about(user: User, reason: str) -> About:
    names = {"target": user.name, "resource": _("every resource root"), "reason": reason}
    return About(Ids(user.pk, USER_ACCESS_ADMINISTRATOR, DIRECTORY), text=names)
