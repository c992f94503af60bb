"""The wrapper of every service: one transaction for the change, a second one for the refused attempt.

It also is the one way from a service into the history: `record` fills in who acts and how each thing was called.
"""

from __future__ import annotations

import functools
import uuid
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from datetime import datetime
from typing import ParamSpec, TypeVar, cast

from audit.kinds import Kind, Outcome, Realm
from audit.models import Event
from audit.recording import Entry, Ids, write
from roles.actors import Actor, Clock
from roles.models import Assignment, Principal, Resource, Role
from roles.refusals import Busy, Refused
from roles.waiting import one_transaction

P = ParamSpec("P")
R = TypeVar("R")

_inside: ContextVar[bool] = ContextVar("inside_a_service", default=False)


def service(kind: Kind) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Run a service in one transaction; when it refuses, record the refused attempt of `kind` in a second one.

    A service called by another runs in the transaction of the first, which also answers for a refusal. Raises `Busy`
    when it waited too long for somebody else's change.
    """

    def wrap(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            if _inside.get():
                return function(*args, **kwargs)
            token = _inside.set(True)
            try:
                with one_transaction(kind):
                    return function(*args, **kwargs)
            except Busy:
                raise
            except Refused as refusal:
                _record_refusal(
                    kind, refusal, actor=cast("Actor", kwargs["actor"]), clock=cast("Clock", kwargs["clock"])
                )
                raise
            finally:
                _inside.reset(token)

        return call

    return wrap


def _record_refusal(kind: Kind, refusal: Refused, *, actor: Actor, clock: Clock) -> None:
    about = refusal.about
    with one_transaction(f"the record of a refused {kind}"):
        write(
            kind,
            at=clock(),
            realm=about.realm,
            actor_id=actor.id,
            ids=about.ids,
            outcome=Outcome.REFUSED,
            details={"refused": [violation.code for violation in refusal.violations]},
            text=about.text | {"actor": actor.label, "address": actor.address},
        )


def record(
    kind: Kind,
    *,
    actor: Actor,
    at: datetime,
    target: Principal | None = None,
    role: Role | None = None,
    resource: Resource | None = None,
    assignment: Assignment | None = None,
    request_id: uuid.UUID | None = None,
    authority: Assignment | None = None,
    authority_id: uuid.UUID | None = None,
    realm: Realm | None = None,
    outcome: Outcome = Outcome.DONE,
    details: Mapping[str, object] | None = None,
    at_hand: Iterable[object] = (),
    **text: str,
) -> Event:
    """Append an event of this change to the history.

    An assignment stands for its principal, role and resource. `text` is personal: reason, ticket, justification.
    `at_hand` is what else was just read or written of what it is about: a request, the settings that rule it.
    """
    if assignment is not None:
        target = target or assignment.principal
        role = role or assignment.role
        resource = resource or assignment.resource
    names = _names(actor, target, role, resource)
    ids = Ids(
        target=target.pk if target else None,
        role=role.pk if role else None,
        resource=resource.pk if resource else None,
        request=request_id,
        assignment=assignment.pk if assignment else None,
        authority=authority.pk if authority else authority_id,
    )
    return write(
        kind,
        at=at,
        realm=realm or (resource.realm if resource else Realm.DIRECTORY),
        actor_id=actor.id,
        ids=ids,
        outcome=outcome,
        details=details,
        text=names | text,
        at_hand=(*at_hand, *(one for one in (assignment, role) if one is not None)),
    )


def entry_of(
    kind: Kind,
    assignment: Assignment,
    *,
    actor: Actor,
    at: datetime,
    authority_id: uuid.UUID | None,
    details: Mapping[str, object],
    **text: str,
) -> Entry:
    """Return what `record` writes of an assignment, for events that are written many at a time."""
    target, role, resource = assignment.principal, assignment.role, assignment.resource
    ids = Ids(target.pk, role.pk, resource.pk, assignment=assignment.pk, authority=authority_id)
    names = _names(actor, target, role, resource)
    return Entry(kind, at, resource.realm, actor.id, ids, details=details, text=names | text)


def _names(actor: Actor, target: Principal | None, role: Role | None, resource: Resource | None) -> dict[str, str]:
    names = {"target": target.name if target else "", "role": role.name if role else ""}
    return names | {"resource": resource.name if resource else "", "actor": actor.label, "address": actor.address}
