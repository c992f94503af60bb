"""Who is told of an event. Each function answers from the state right after the change, in its transaction."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from django.db.models import Q, QuerySet

from approvals.models import Request, Status, Verdict
from approvals.selectors.approvers import approvers_of, asked_to_decide
from audit.kinds import Kind, Realm
from audit.models import Event
from pim_portal.models import Notification, NotificationState
from roles.ids import (
    DIRECTORY,
    GLOBAL_READER,
    OWNER,
    PRIVILEGED_ROLE_ADMINISTRATOR,
    SECURITY_ADMINISTRATOR,
    SECURITY_READER,
    USER_ACCESS_ADMINISTRATOR,
)
from roles.models import Assignment, Principal, Resource, Role, User

Recipients = Callable[[Event], Iterable[User]]

ADMINISTRATORS = {
    Realm.DIRECTORY: (PRIVILEGED_ROLE_ADMINISTRATOR,),
    Realm.RESOURCE: (OWNER, USER_ACCESS_ADMINISTRATOR),
}


def named_by_event(pk: uuid.UUID | None) -> uuid.UUID:
    """Return an id that every event of the kind names; raises LookupError where one does not."""
    if pk is None:
        raise LookupError("The event does not name what its mail is about.")
    return pk


def request_of(event: Event) -> Request | None:
    """Return the request that waited for a decision; what is granted at once is not written down yet."""
    return Request.objects.shown().filter(pk=event.request_id).first() if event.request_id else None


def approvers_to_ask(event: Event) -> list[User]:
    """Return the approvers of the stage that this event made wait: the first, or the one after a completed stage."""
    request = request_of(event)
    if request is None or request.status != Status.PENDING:
        return []
    if event.kind == Kind.REQUEST_APPROVED:
        # One administrator decides an extension or renewal: nobody is asked after them.
        if request.is_renewal or not _completed(request, event):
            return []
        # The service moves the request on after it has recorded the approval.
        request.stage_number = event.details["stage"] + 1
    return asked_to_decide(request, event.occurred_at)


def _completed(request: Request, event: Event) -> bool:
    agreed = request.decisions.filter(stage__number=event.details["stage"], verdict=Verdict.APPROVE).count()
    return agreed >= approvers_of(request, event.occurred_at).quorum


def parties(event: Event) -> list[User]:
    """Return whom the end of a request concerns: the requestor, unless it was their doing, and the approvers told."""
    request = request_of(event)
    if request is None:
        return []
    asked = User.objects.filter(pk__in=asked_by_mail(request.pk).values("recipient"))
    requestor = User.objects.filter(pk__in={request.principal_id, request.requestor_id} - {event.actor_id})
    return [*requestor, *asked.exclude(pk__in=requestor)]


def asked_by_mail(request_id: uuid.UUID) -> QuerySet[Notification]:
    """Return the mails by which approvers heard of a request, or may have: one that is on its way counts."""
    asked = Notification.objects.filter(mail="request_waits", event__request_id=request_id)
    return asked.filter(Q(state=NotificationState.SENT) | Q(state=NotificationState.WAITING))


def administrators(event: Event) -> list[User]:
    """Return who administers a privileged role where it was activated, but for its holder and who is told anyway."""
    role = Role.objects.get(pk=named_by_event(event.role_id))
    if not role.privileged or event.realm not in ADMINISTRATORS:
        return []
    resource = Resource.objects.get(pk=named_by_event(event.resource_id))
    told = {event.target_id, event.actor_id, *(user.pk for user in parties(event))}
    return [
        user
        for user in _holders(ADMINISTRATORS[Realm(event.realm)], resource, event.occurred_at)
        if user.pk not in told
    ]


def _holders(roles: Iterable[uuid.UUID], resource: Resource, now: datetime) -> Iterable[User]:
    """Who holds or may activate one of the roles at or above a resource: often nobody has it active."""
    step = Resource.steplen
    above = [resource.path[:length] for length in range(step, len(resource.path) + 1, step)]
    rows = Assignment.objects.in_effect(now).filter(role__in=list(roles), resource__path__in=above)
    # Read first: nested once more, the query is deeper than SQLite's parser can follow.
    return people_behind(Q(pk__in=list(rows.values_list("principal", flat=True))), now)


def watchers(event: Event) -> list[User]:
    """Return who is told that access was elevated: whoever did it, and who administers the world of this event.

    In the directory also the Security Administrators. At a root not the taker, who is one of its administrators now.
    """
    directory = event.realm == Realm.DIRECTORY
    roles = (*ADMINISTRATORS[Realm(event.realm)], *((SECURITY_ADMINISTRATOR,) if directory else ()))
    place = Resource.objects.get(pk=named_by_event(event.resource_id))
    others = [one for one in _holders(roles, place, event.occurred_at) if one.pk != event.actor_id]
    return [*person(event), *others] if directory else others


def auditors(event: Event) -> list[User]:
    """Return who keeps the tips of the history: the readers of the directory, or else who looks after the portal."""
    directory = Resource.objects.get(pk=DIRECTORY)
    readers = [*_holders((GLOBAL_READER, SECURITY_READER), directory, event.occurred_at)]
    return readers or [*_holders((SECURITY_ADMINISTRATOR,), directory, event.occurred_at)]


def person(event: Event) -> Iterable[User]:
    """Return the person that the event is about."""
    return User.objects.filter(pk=named_by_event(event.target_id))


def holders(event: Event) -> Iterable[User]:
    """Return the holder of an assignment: the person, or the members of the group."""
    return people_behind(Q(pk=event.target_id), event.occurred_at)


def holders_of_many(events: Iterable[Event]) -> Iterator[tuple[User, Event]]:
    """Yield whom these assignments of one import concern, each person once, with the first event that does."""
    first: dict[uuid.UUID, Event] = {}
    for event in events:
        first.setdefault(named_by_event(event.target_id), event)
    now = next(iter(first.values())).occurred_at
    told = set()
    for user in User.objects.filter(pk__in=first).order_by("pk"):
        told.add(user.pk)
        yield user, first[user.pk]
    members = Assignment.objects.memberships(now).filter(resource__group__in=list(first))
    rows = members.select_related("principal__user", "resource__group").order_by("principal_id", "resource_id", "pk")
    for row in rows:
        if row.principal_id not in told:
            told.add(row.principal_id)
            yield row.principal.user, first[row.resource.group.pk]


def administrators_there(event: Event) -> list[User]:
    """Return who administers the place of an import, or the directory, but for who did it."""
    resource = Resource.objects.get(pk=event.resource_id or DIRECTORY)
    holders = _holders(ADMINISTRATORS[Realm(event.realm)], resource, event.occurred_at)
    return [user for user in holders if user.pk != event.actor_id]


def holders_unasked(event: Event) -> Iterable[User]:
    """Return the holder of an assignment that changed without a request: who asked hears of the request's result."""
    return [] if event.request_id else holders(event)


def people_behind(principals: Q, now: datetime) -> Iterable[User]:
    """Return the people among these principals and the members of the groups among them."""
    members = Assignment.objects.memberships(now).filter(resource__group__in=Principal.objects.filter(principals))
    return User.objects.filter(principals | Q(pk__in=members.values("principal"))).order_by("name_key", "pk")
