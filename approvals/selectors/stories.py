"""What the page of one request tells besides the request: who asks, and what happened."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q

from approvals.models import Request
from audit.kinds import Kind, Outcome
from audit.models import Archived, Event
from audit.sentences import said, sentence, why
from roles.authority import Authority, Held
from roles.catalogue import Permission
from roles.models import Assignment, ResourceKind, RoleKind, User

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
    events = Event.objects.filter(_about(request), outcome=Outcome.DONE).select_related("text")
    return [_moment(event) for event in events.order_by("occurred_at", "id")]


def archived_of(request: Request) -> int:
    """Return how many events about this request are in archives."""
    return Archived.objects.filter(_about(request)).count()


def _about(request: Request) -> Q:
    of_outcome = Q(target_id=request.principal_id, assignment_id=request.outcome_id, kind__in=_ENDS)
    return Q(request_id=request.pk) | (of_outcome if request.outcome_id else Q(pk=None))


def _moment(event: Event) -> Moment:
    kind = Kind(event.kind)
    words = why(event) if kind in _WRITTEN_WITH else said(event, "justification")
    return Moment(sentence(event), event.occurred_at, words, _TONES.get(kind, ""))


def holds_beside(request: Request, viewer: Authority, *, takes_part: bool) -> list[Held]:
    """Return the roles that the person holds now in the world of this request, and in no other (isolation).

    Who does not take part in the request, but looks on, sees those where they may look.
    """
    person = User.objects.get(pk=request.principal_id)
    realm = request.resource.realm
    sight = tuple(viewer.paths(Permission.SEE, realm))
    return [
        one
        for one in Authority(person, viewer.now).held
        if one.role_kind != RoleKind.GROUP
        and ResourceKind(one.resource_kind).realm == realm
        and (takes_part or one.path.startswith(sight))
    ]


def earlier_activations(request: Request, now: datetime, *, takes_part: bool) -> list[timedelta]:
    """Return how long each of this person's activations of this role in the last 30 days lasted, the newest first.

    Who does not take part in the request, but looks on, learns of those there and below.
    """
    rows = Assignment.objects.filter(
        principal=request.principal_id,
        role=request.role_id,
        activated_from__isnull=False,
        resource__path__startswith="" if takes_part else request.resource.path,
        starts_at__gt=now - RECENT,
        starts_at__lte=now,
    )
    spans = [
        min(row.over_at or now, now) - row.starts_at
        for row in rows.order_by("-starts_at", "pk")
        if row.pk != request.outcome_id
    ]
    return [max(one, timedelta()) for one in spans]
