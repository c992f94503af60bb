"""What the page of one request tells besides the request: who asks, and what happened."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from approvals.models import Request
from audit.kinds import Kind, Outcome
from audit.models import Archived, Event
from audit.sentences import said, sentence, why
from roles.authority import Authority, Held
from roles.catalogue import Permission
from roles.models import Assignment, ResourceKind, RoleKind, User
from roles.models.prepared import Prepared

RECENT = timedelta(days=30)

_TONES = {
    Kind.ACTIVATION_STARTED: "good",
    Kind.ACTIVATION_PROLONGED: "good",
    Kind.EMERGENCY_STARTED: "bad",
    Kind.EMERGENCY_REVIEWED: "good",
    Kind.ASSIGNMENT_EXTENDED: "good",
    Kind.ASSIGNMENT_RENEWED: "good",
    Kind.REQUEST_APPROVED: "good",
    Kind.REQUEST_DENIED: "bad",
    Kind.REQUEST_FAILED: "bad",
    Kind.REQUEST_LAPSED: "warn",
}
_ENDS = (
    Kind.ACTIVATION_DEACTIVATED,
    Kind.ACTIVATION_EXPIRED,
    Kind.ACTIVATION_ENDED,
)


# What somebody wrote with it stands in other events of the request again.
_WRITTEN_WITH = (
    Kind.REQUEST_MADE,
    Kind.REQUEST_APPROVED,
    Kind.REQUEST_DENIED,
    Kind.EMERGENCY_REVIEWED,
    Kind.ACTIVATION_DEACTIVATED,
)


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that happened to a request. `words` is what somebody wrote with it."""

    what: str
    at: datetime
    words: str
    tone: str


def story_of(request: Request) -> list[Moment]:
    """Return what happened to this request and to the activation that came of it, the oldest first."""
    if request.outcome_id is None:
        return [_moment(event) for event in _STORY.ask(request.pk)]
    return [_moment(event) for event in _STORY_TO_THE_END.ask(request.pk, request.principal_id, request.outcome_id)]


def archived_of(request: Request) -> int:
    """Return how many events about this request are in archives."""
    if request.outcome_id is None:
        return len(_ARCHIVED.ask(request.pk))
    return len(_ARCHIVED_TO_THE_END.ask(request.pk, request.principal_id, request.outcome_id))


def _about(request_id: uuid.UUID) -> Q:
    return Q(request_id=request_id)


def _to_the_end(request_id: uuid.UUID, principal_id: uuid.UUID, outcome_id: uuid.UUID) -> Q:
    return _about(request_id) | Q(target_id=principal_id, assignment_id=outcome_id, kind__in=_ENDS)


def _events(about: Q) -> QuerySet[Event]:
    return Event.objects.filter(about, outcome=Outcome.DONE).select_related("text").order_by("occurred_at", "id")


def _archived(about: Q) -> QuerySet[Archived, int]:
    return Archived.objects.filter(about).order_by().values_list("pk", flat=True)


_STORY = Prepared(lambda request_id: _events(_about(request_id)))
_STORY_TO_THE_END = Prepared(lambda *ids: _events(_to_the_end(*ids)))
_ARCHIVED = Prepared(lambda request_id: _archived(_about(request_id)))
_ARCHIVED_TO_THE_END = Prepared(lambda *ids: _archived(_to_the_end(*ids)))


def _moment(event: Event) -> Moment:
    kind = Kind(event.kind)
    words = why(event) if kind in _WRITTEN_WITH else said(event, "justification")
    return Moment(sentence(event), event.occurred_at, words, _TONES.get(kind, ""))


def person_of(request: Request) -> User:
    """Return who asks, as a person; whoever asks is one."""
    person: User = request.principal.user
    return person


def holds_beside(request: Request, viewer: Authority, *, takes_part: bool) -> list[Held]:
    """Return the roles that the person holds now in the world of this request, and in no other (isolation).

    Who does not take part in the request, but looks on, sees those where they may look.
    """
    realm = request.resource.realm
    sight = tuple(viewer.paths(Permission.SEE, realm))
    return [
        one
        for one in Authority(person_of(request), viewer.now).held
        if one.role_kind != RoleKind.GROUP
        and ResourceKind(one.resource_kind).realm == realm
        and (takes_part or one.path.startswith(sight))
    ]


def earlier_activations(request: Request, now: datetime, *, takes_part: bool) -> list[timedelta]:
    """Return how long each of this person's activations of this role in the last 30 days lasted, the newest first.

    Who does not take part in the request, but looks on, learns of those there and below.
    """
    rows = Assignment.objects.begun(now).filter(
        principal=request.principal_id,
        role=request.role_id,
        activated_from__isnull=False,
        resource__path__startswith="" if takes_part else request.resource.path,
        starts_at__gt=now - RECENT,
    )
    spans = [
        min(row.over_at or now, now) - row.starts_at
        for row in rows.order_by("-starts_at", "pk")
        if row.pk != request.outcome_id
    ]
    return [max(one, timedelta()) for one in spans]
