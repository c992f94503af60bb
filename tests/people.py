"""The cast of the tests. Each person stands for one kind of person; everything is built through the services.

Ines is eligible, Adam and Berta approve, Petra and Paul are Privileged Role Administrators, Olga is Owner at the
resource root, Nina reads (Global Reader), Amelie helps people, Sven is Security Administrator, Zoe is a stranger.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth.hashers import make_password
from django.db import transaction

from approvals.models import Request, Verdict
from approvals.selectors.settings_changes import preview_of_proposed_move
from approvals.selectors.showing import shown_digest
from approvals.services.activations import Wanted, ask
from approvals.services.decisions import approve, deny
from approvals.services.extensions import ask_to_extend, ask_to_renew
from approvals.services.prolonging import prolong
from roles import ids
from roles.actors import Actor, Clock
from roles.models import (
    Assignment,
    AssignmentType,
    Group,
    Principal,
    Purpose,
    Resource,
    ResourceKind,
    Role,
    RoleSettings,
    StepUp,
    TotpDevice,
    User,
)
from roles.selectors.settings import Cell, Stage
from roles.services import step_ups
from roles.services.assignments import assign
from roles.services.custom_roles import add_role, definition_of
from roles.services.groups import add_group
from roles.services.principals import add_person
from roles.services.resources import add_resource
from roles.services.settings import change_settings

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
OPERATOR = Actor.operator("tests")
PASSWORD = "a long enough password"
SESSION = "s" * 64

EXCHANGE_ADMINISTRATOR = uuid.UUID("29232cdf-9323-42fd-ade2-1d097af3e4de")
SECURITY_READER = ids.SECURITY_READER


def at(moment: datetime) -> Clock:
    """A clock that stands still."""
    return lambda: moment


def person(username: str, *, factor: bool = True, now: datetime = NOW, **fields: Any) -> User:
    """Add somebody who can sign in, with an authenticator app unless `factor` is off."""
    fields.setdefault("name", username.capitalize())
    fields.setdefault("email", f"{username}@example.org")
    with transaction.atomic():
        user = add_person(username=username, actor=OPERATOR, clock=at(now - 400 * DAY), **fields)
        user.password = make_password(PASSWORD)
        user.save()
        if factor:
            TotpDevice.objects.create(user=user, name="Phone", confirmed=True)
    return user


def group(name: str, *members: User, now: datetime = NOW) -> Group:
    """Add a group with these permanent members."""
    made = add_group(name, actor=OPERATOR, clock=at(now - 400 * DAY))
    for member in members:
        give(member, role(ids.GROUP_MEMBER), made.resource, now=now)
    return made


def role(pk: uuid.UUID) -> Role:
    return Role.objects.get(pk=pk)


def directory() -> Resource:
    found: Resource = Resource.objects.get(pk=ids.DIRECTORY)
    return found


def unit(name: str) -> Resource:
    return add_resource(
        ResourceKind.ADMINISTRATIVE_UNIT, name=name, parent=directory(), actor=OPERATOR, clock=at(NOW - 400 * DAY)
    )


def tree(*names: str) -> list[Resource]:
    """Add a resource root, a subscription, a resource group, a resource; as many as there are names."""
    kinds = [ResourceKind.ROOT, ResourceKind.SUBSCRIPTION, ResourceKind.RESOURCE_GROUP, ResourceKind.RESOURCE]
    nodes: list[Resource] = []
    for kind, name in zip(kinds, names, strict=False):
        parent = nodes[-1] if nodes else None
        type = "Microsoft.KeyVault/vaults" if kind == ResourceKind.RESOURCE else ""
        nodes.append(add_resource(kind, name=name, parent=parent, type=type, actor=OPERATOR, clock=at(NOW - 400 * DAY)))
    return [Resource.objects.get(pk=node.pk) for node in nodes]


def custom_role(home: Resource, name: str, *, permissions: str = "", now: datetime = NOW, **fields: Any) -> Role:
    """Make a custom role as the operator."""
    definition = definition_of(name=name, permissions=permissions, **fields)
    return add_role(home, definition, actor=OPERATOR, clock=at(now - 390 * DAY))


def give(
    principal: Principal,
    what: Role,
    where: Resource | None = None,
    *,
    type: AssignmentType = AssignmentType.ACTIVE,
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
    now: datetime = NOW,
) -> Assignment:
    """Assign a role as the operator, a year before `now` unless a start is given; permanent unless an end is."""
    started = starts_at or now - 365 * DAY
    return assign(
        principal.pk,
        role=what,
        resource=where or directory(),
        type=type,
        starts_at=started,
        ends_at=ends_at,
        reason="for the test",
        actor=OPERATOR,
        clock=at(min(started, now)),
    )


def make_eligible(principal: Principal, what: Role, where: Resource | None = None, **kwargs: Any) -> Assignment:
    """Make a principal eligible; resource and group roles are allowed permanent eligibility first."""
    place = where or directory()
    if "ends_at" not in kwargs and what.kind != "directory":
        configure(what, place, permanent_eligible_allowed=True)
    return give(principal, what, place, type=AssignmentType.ELIGIBLE, **kwargs)


def configure(
    what: Role,
    where: Resource | None = None,
    *,
    approvers: Any = None,
    quorum: int = 1,
    cells: tuple[Cell, ...] | None = None,
    **values: Any,
) -> RoleSettings:
    """Set the rules of a role; `approvers` is one list of principals, or a list of lists for several stages."""
    stages = None
    if approvers is not None:
        lists = approvers if approvers and isinstance(approvers[0], list | tuple) else [approvers]
        stages = tuple(
            Stage(number, quorum, frozenset(one.pk for one in named)) for number, named in enumerate(lists, start=1)
        )
        if not approvers:
            stages = ()
        values.setdefault("approval_required", True)
    return change_settings(
        what, resource=where, values=values, stages=stages, cells=cells, actor=OPERATOR, clock=at(NOW - 300 * DAY)
    )


def acting(user: User, purpose: Purpose, *objects: uuid.UUID, now: datetime = NOW) -> Actor:
    """This person with a step-up given a minute before `now`, on a form over these objects."""
    device = TotpDevice.objects.filter(user=user).first()
    row = StepUp.objects.create(
        user=user,
        session=SESSION,
        purpose=purpose,
        device=device.persistent_id if device else "",
        verified_at=now - MINUTE,
        until=now + 4 * MINUTE,
    )
    return Actor(user=user, presented=step_ups.present(row, *objects), address="127.0.0.1")


def request_activation(
    user: User,
    eligibility: Assignment,
    *,
    now: datetime = NOW,
    hours: float = 1,
    reason: str = "needed",
    **wanted: Any,
) -> Request:
    """Ask for a role as its holder would."""
    return ask(
        eligibility.pk,
        wanted=Wanted(duration=timedelta(hours=hours), reason=reason, **wanted),
        actor=acting(user, Purpose.ACTIVATE, eligibility.pk, now=now),
        clock=at(now),
    )


def ask_to_keep(
    user: User,
    assignment: Assignment,
    *,
    ends_at: datetime | None,
    now: datetime = NOW,
    reason: str = "still needed",
) -> Request:
    """Ask to extend what runs, or to renew what has ended, as its holder would."""
    end = assignment.over_at
    verb = ask_to_renew if end is not None and end <= now else ask_to_extend
    actor = acting(user, Purpose.ACTIVATE, assignment.pk, now=now)
    return verb(assignment.pk, ends_at=ends_at, reason=reason, actor=actor, clock=at(now))


def request_prolonging(
    user: User,
    activation: Assignment,
    *,
    now: datetime = NOW,
    hours: float = 2,
    reason: str = "not done",
    ticket: str = "",
    **wanted: Any,
) -> Request:
    """Ask to prolong an activation as its holder would; the hours count from now."""
    return prolong(
        activation.pk,
        wanted=Wanted(duration=timedelta(hours=hours), reason=reason, ticket=ticket, **wanted),
        actor=acting(user, Purpose.ACTIVATE, activation.pk, now=now),
        clock=at(now),
    )


def shown_of(request: Request, now: datetime) -> str:
    """Return the digest of what the page of a request shows at this moment."""
    return shown_digest(request, preview=preview_of_proposed_move(request, now))


def decide(
    verdict: Verdict, request: Request, user: User, *, now: datetime = NOW, seen: str | None = None, **kwargs: Any
) -> Request:
    """Approve or deny as this person would, having seen what was asked."""
    return {Verdict.APPROVE: approve, Verdict.DENY: deny}[verdict](
        request.pk,
        actor=acting(user, Purpose.DECIDE, request.pk, now=now),
        justification=kwargs.pop("justification", "fine"),
        seen=shown_of(Request.objects.get(pk=request.pk), now) if seen is None else seen,
        clock=at(now),
        **kwargs,
    )
