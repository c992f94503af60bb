"""Who is told of an event. Each function answers from the state right after the change, in its transaction."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterable, Iterator
from copy import copy
from datetime import datetime
from typing import TypeVar

from django.db.models import Q, QuerySet

from approvals.models import TIMED, Request, RequestApprover, Status, Verdict
from approvals.selectors.approvers import approvers_of, asked_to_decide
from approvals.selectors.emergencies import reviewers_of
from audit.kinds import Kind, Realm
from audit.models import Event
from pim_portal.models import Delivery, Due, DueItem, Notification, NotificationChoice, NotificationState, Topic
from roles.ids import (
    DIRECTORY,
    GLOBAL_ADMINISTRATOR,
    GLOBAL_READER,
    GROUP_OWNER,
    OWNER,
    PRIVILEGED_ROLE_ADMINISTRATOR,
    SECURITY_ADMINISTRATOR,
    SECURITY_READER,
    USER_ACCESS_ADMINISTRATOR,
)
from roles.models import Assignment, Principal, Resource, ResourceKind, Role, RoleKind, User
from roles.models.held import Among
from roles.models.prepared import Prepared
from roles.selectors.named import with_members

Answer = TypeVar("Answer")
Recipients = Callable[[Event], Iterable[User]]
Subject = Assignment | Request
DueRecipients = Callable[[Subject, datetime], Iterable[User]]

# Whom each world's administrators are, as far as mails go (pim-behaviour.md §5.2).
ADMINISTRATORS = {
    Realm.DIRECTORY: (PRIVILEGED_ROLE_ADMINISTRATOR, GLOBAL_ADMINISTRATOR, SECURITY_ADMINISTRATOR),
    Realm.RESOURCE: (OWNER, USER_ACCESS_ADMINISTRATOR),
    Realm.GROUP: (GROUP_OWNER,),
}

ROOTS = {RoleKind.DIRECTORY: (ResourceKind.DIRECTORY,), RoleKind.RESOURCE: (ResourceKind.ROOT,), RoleKind.GROUP: ()}


def named_by_event(pk: uuid.UUID | None) -> uuid.UUID:
    """Return an id that every event of the kind names; raises LookupError where one does not."""
    if pk is None:
        raise LookupError("The event does not name what its mail is about.")
    return pk


def asked_once(event: Event, question: Callable[[Event], Answer]) -> Answer:
    """Return what `question` answers of this event: several mails tell of one, all at the same moment."""
    answers = event.__dict__.setdefault("answers", {})
    if question not in answers:
        answers[question] = question(event)
    found: Answer = answers[question]
    return found


def request_of(event: Event) -> Request | None:
    """Return the request that waited for a decision; what is granted at once is not written down yet."""
    return asked_once(event, _request_of)


def _request_of(event: Event) -> Request | None:
    if event.request_id is None:
        return None
    if (known := event.about(Request)) is not None:
        return None if known._state.adding else known
    return Request.objects.shown().filter(pk=event.request_id).first()


def approvers_to_ask(event: Event) -> list[User]:
    """Return the approvers of the stage that this event made wait: the first, or the one after a completed stage."""
    request = request_of(event)
    if request is None or request.status != Status.PENDING:
        return []
    if event.kind == Kind.REQUEST_APPROVED:
        # One administrator decides an extension, a renewal or a change of settings: nobody is asked after them.
        if request.action not in TIMED or not _goes_on(request, event) or not _completed(request, event):
            return []
        # The service moves the request on after it has recorded the approval.
        request = copy(request)
        request.stage_number = event.details["stage"] + 1
    return asked_to_decide(request, event.occurred_at)


def _goes_on(request: Request, event: Event) -> bool:
    return request.stages.filter(number__gt=event.details["stage"]).exists()


def _completed(request: Request, event: Event) -> bool:
    agreed = request.decisions.filter(stage__number=event.details["stage"], verdict=Verdict.APPROVE).count()
    return agreed >= approvers_of(request, event.occurred_at).quorum


def requestors(event: Event) -> list[User]:
    """Return for whom and by whom something was asked, but for who ended it themselves."""
    request = request_of(event)
    if request is None:
        return []
    return _PEOPLE.ask({request.principal_id, request.requestor_id} - {event.actor_id})


def approvers_told(event: Event) -> list[User]:
    """Return the approvers who were asked to decide what has ended."""
    request = request_of(event)
    if request is None:
        return []
    return _TOLD_OF_IT.ask(request.pk, [request.principal_id, request.requestor_id])


def asked_by_mail(request_id: uuid.UUID) -> QuerySet[Notification]:
    """Return the mails by which approvers heard of a request, or may have: one that is on its way counts."""
    # Found first, and then by index: with OR between two joins PostgreSQL reads every mail there ever was.
    events = Event.objects.filter(request_id=request_id).order_by().values("pk")
    half = DueItem.objects.filter(kind=Due.REQUEST_HALFWAY, subject_id=request_id).order_by().values("pk")
    asked = Q(Among("event", events), mail="request_waits") | Q(Among("due", half), mail="request_escalated")
    rows = Notification.objects.filter(asked, recipient__isnull=False)
    return rows.filter(Q(state=NotificationState.SENT) | Q(state=NotificationState.WAITING))


_PEOPLE = Prepared(lambda pks: User.objects.filter(pk__in=pks))
_TOLD_OF_IT = Prepared(
    lambda request_id, but: User.objects.filter(pk__in=asked_by_mail(request_id).values("recipient")).exclude(
        pk__in=but
    )
)


def told_of_emergency(event: Event) -> list[User]:
    """Return who would have approved what did not wait, and who administers the place, but for who did it."""
    would_approve = RequestApprover.objects.filter(stage__request=event.request_id).values_list("principal", flat=True)
    resource = Resource.objects.get(pk=named_by_event(event.resource_id))
    found = {user.pk for user in administrators_of(resource, event.occurred_at)}
    told = User.objects.filter(pk__in=found.union(would_approve), enabled=True)
    return list(told.exclude(pk__in=[event.target_id, event.actor_id]).order_by("name_key", "pk"))


def others_told_of_emergency(event: Event) -> list[User]:
    """Return who was told of an emergency, but for who closed its review."""
    told = Notification.objects.filter(mail="emergency_started", event__request_id=event.request_id)
    people = User.objects.filter(pk__in=told.values("recipient"), enabled=True)
    return list(people.exclude(pk__in=[event.actor_id] if event.actor_id else []).order_by("name_key", "pk"))


def reviewers_of_emergency(subject: Subject, now: datetime) -> list[User]:
    """Return who can close the review of an emergency, now or after activating a role of theirs."""
    if not isinstance(subject, Request):
        raise TypeError("Only a request can have been an emergency.")
    return reviewers_of(subject, now, may_become=True)


def administrators(event: Event) -> list[User]:
    """Return who administers the place of an event, but for who did it and who is told of it anyway."""
    # Of an emergency they hear by a mail of its own, which nobody can quiet.
    if event.resource_id is None or in_an_emergency(event):
        return []
    resource = Resource.objects.get(pk=event.resource_id)
    told = {event.target_id, event.actor_id, *(user.pk for user in [*requestors(event), *approvers_told(event)])}
    return [user for user in administrators_of(resource, event.occurred_at) if user.pk not in told]


def in_an_emergency(event: Event) -> bool:
    """Whether what was activated did not wait for approval."""
    return bool(event.details.get("break_glass"))


def administrators_who_want_all(event: Event) -> list[User]:
    """Return the administrators who chose to hear of activations of roles that are not privileged, too."""
    chosen = NotificationChoice.objects.filter(topic=Topic.OTHER_ACTIVATIONS, delivery=Delivery.AT_ONCE)
    wanting = set(chosen.values_list("user", flat=True))
    return [user for user in administrators(event) if user.pk in wanting] if wanting else []


def administrators_except_of_resources(event: Event) -> list[User]:
    """Return the administrators, but of resources nobody: there the end of an assignment is told to its holder only."""
    return [] if event.realm == Realm.RESOURCE else administrators(event)


def administrators_of_settings(event: Event) -> list[User]:
    """Return who administers where settings rule; those without a place rule in all of their role's world."""
    if event.resource_id is not None:
        return administrators(event)
    kind = Role.objects.get(pk=named_by_event(event.role_id)).kind
    return _over(ROOTS[RoleKind(kind)], event)


def everybody_over_settings(event: Event) -> list[User]:
    """Return everybody who administers where settings were loosened alone, whatever else they are told, but its author.

    Who is told of changes of settings, and who could have been the second administrator.
    """
    place = Resource.objects.get(pk=named_by_event(event.resource_id))
    request = request_of(event)
    found = {user.pk: user for user in administrators_of(place, event.occurred_at)}
    if request is not None:
        found |= {user.pk: user for user in asked_to_decide(request, event.occurred_at)}
    return [user for pk, user in found.items() if pk != event.actor_id]


def _over(kinds: Iterable[ResourceKind], event: Event) -> list[User]:
    roots = Resource.objects.filter(kind__in=list(kinds))
    found = {user.pk: user for root in roots for user in administrators_of(root, event.occurred_at)}
    return [user for pk, user in found.items() if pk != event.actor_id]


def administrators_of(resource: Resource, now: datetime) -> list[User]:
    """Return who administers a resource, as far as mails go."""
    return _holders(ADMINISTRATORS[Realm(resource.realm)], resource, now)


_HOLDERS = Prepared(
    lambda roles, paths, now: (
        Assignment.objects.in_effect(now)
        .filter(role__in=roles, resource__path__in=paths)
        .order_by()
        .values_list("principal", flat=True)
    )
)


def _holders(roles: Iterable[uuid.UUID], resource: Resource, now: datetime) -> list[User]:
    """Return who holds or may activate one of the roles at or above a resource: few have it active."""
    # Read first: nested once more, the query is deeper than SQLite's parser can follow.
    return people_behind(_HOLDERS.ask(list(roles), resource.way, now), now)


def holders_of(subject: Subject, now: datetime) -> Iterable[User]:
    """Return whom an assignment is given to: the person, or the members of the group."""
    return people_behind([subject.principal_id], now)


def administrators_over(subject: Subject, now: datetime) -> list[User]:
    """Return who administers the place of an assignment, but for its holders, who are told themselves."""
    holders = {user.pk for user in holders_of(subject, now)}
    return [user for user in administrators_of(subject.resource, now) if user.pk not in holders]


def nobody(subject: Subject, now: datetime) -> list[User]:
    """Return nobody: whoever writes these mails knows whom they are for."""
    return []


def not_answered(subject: Subject, now: datetime) -> list[User]:
    """Return the approvers of the stage that waits who were asked in the first half of the window and are silent."""
    if not isinstance(subject, Request):
        raise TypeError("Only a request waits for an answer.")
    decided = set(subject.decisions.values_list("approver_id", flat=True))
    lately = asked_by_mail(subject.pk).filter(event__occurred_at__gt=subject.escalates_at)
    silent = decided | set(lately.values_list("recipient", flat=True)) | _escalation_of(subject)
    return [user for user in asked_to_decide(subject, now) if user.pk not in silent]


def _escalation_of(request: Request) -> set[uuid.UUID]:
    waiting = RequestApprover.objects.filter(stage__request=request, stage__number=request.stage_number)
    return set(waiting.filter(escalation=True).values_list("principal", flat=True))


def escalated_to(subject: Subject, now: datetime) -> list[User]:
    """Return who may decide what waits from half of its window on, but for who was asked since by another mail."""
    if not isinstance(subject, Request):
        raise TypeError("Only a request waits for an answer.")
    told = set(asked_by_mail(subject.pk).values_list("recipient", flat=True))
    late, panel = _escalation_of(subject), approvers_of(subject, now)
    found = {user.pk: user for user in panel.people if user.pk in late}
    found |= {one.deputy.pk: one.deputy for one in panel.substitutes if one.approver.pk in late}
    return [user for pk, user in found.items() if pk not in told]


def watchers(event: Event) -> list[User]:
    """Return who is told that access was elevated: whoever did it, and who administers the world of this event.

    At a root not the taker, who is one of its administrators now.
    """
    place = Resource.objects.get(pk=named_by_event(event.resource_id))
    others = [one for one in administrators_of(place, event.occurred_at) if one.pk != event.actor_id]
    return [*person(event), *others] if event.realm == Realm.DIRECTORY else others


def auditors(event: Event) -> list[User]:
    """Return who keeps the tips of the history: the readers of the directory, or else who looks after the portal."""
    directory = Resource.objects.get(pk=DIRECTORY)
    readers = _holders((GLOBAL_READER, SECURITY_READER), directory, event.occurred_at)
    return readers or _holders((SECURITY_ADMINISTRATOR,), directory, event.occurred_at)


def person(event: Event) -> Iterable[User]:
    """Return the person that the event is about."""
    return User.objects.filter(pk=named_by_event(event.target_id))


def address_changed(event: Event) -> bool:
    """Whether what was changed of a person is where their mails go."""
    return "email" in event.details.get("changed", ())


def former_address(event: Event) -> list[str]:
    """Return where the mails of a person went before; nothing where they had no address."""
    address = event.text.fields.get("former_email", "")
    return [address] if address else []


def both_of_a_deputy(event: Event) -> Iterable[User]:
    """Return an approver and the deputy whom this event is about."""
    return User.objects.filter(pk__in=[named_by_event(event.target_id), event.details["instead_of"]])


def holders(event: Event) -> Iterable[User]:
    """Return the holder of an assignment: the person, or the members of the group."""
    return people_behind([event.target_id] if event.target_id else [], event.occurred_at)


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
    return [user for user in administrators_of(resource, event.occurred_at) if user.pk != event.actor_id]


def holders_unasked(event: Event) -> Iterable[User]:
    """Return the holder of an assignment that changed without a request: who asked hears of the request's result."""
    return [] if event.request_id else holders(event)


def _behind(principals: Iterable[uuid.UUID], now: datetime) -> QuerySet[User]:
    found = with_members(Principal.objects.filter(pk__in=principals).values_list("pk"), now)
    return User.objects.filter(found).order_by("name_key", "pk")


_BEHIND = Prepared(_behind)


def people_behind(principals: Collection[uuid.UUID], now: datetime) -> list[User]:
    """Return the people among these principals and the members of the groups among them."""
    return _BEHIND.ask(principals, now) if principals else []
