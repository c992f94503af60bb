"""Which events are old enough to leave the database, and which of these stay because something needs them.

What stays however old it is:

- what the history says of itself, and how the portal began (`audit.groups.FOR_EVER`): verifying reads it;
- what is not sealed yet: it could not be proved;
- what a mail still tells of, as long as its row is kept (sent: 90 days; set aside: until somebody deals with it);
- what was asked and is not decided, and an emergency that is not reviewed: the page of the request tells its story;
- what tells of an assignment that is not over, who gave it and until when: an assignment of which no event tells would
  be taken for one that was written past the portal;
- what happened in access reviews since the first one began that is not completed and applied yet;
- when somebody was last seen: accounts that nobody uses are told by it;
- what a web hook has not taken yet, even while it is paused.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db.models import Exists, F, Min, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce

from approvals.models import EmergencyReview, Request, Status
from audit.groups import Group, kinds_in
from audit.kinds import Outcome
from audit.models import Event, Retention
from pim_portal.models import Notification, WebHook
from reviews.models import Instance, LongAct
from reviews.selectors.usage import PRESENCE
from roles.models import Assignment


def retention() -> dict[Group, int | None]:
    """Return for how many days each group is kept; none: for ever."""
    days = dict(Retention.objects.values_list("group", "days"))
    return {group: days.get(group) for group in Group}


def old(now: datetime, *, kept: Mapping[Group, int | None], overdue_by: timedelta = timedelta(0)) -> QuerySet[Event]:
    """Return the events that are older than is set for their kind, and by so much."""
    condition = Q(pk__in=[])
    for group, days in kept.items():
        if days is not None:
            before = now - timedelta(days=days) - overdue_by
            condition |= Q(kind__in=kinds_in([group]), occurred_at__lt=before, recorded_at__lt=before)
    return Event.objects.filter(condition)


def may_go(events: QuerySet[Event]) -> QuerySet[Event]:
    """Return those of the events that nothing needs any more."""
    rows = events.filter(
        ~Exists(Notification.objects.filter(event=OuterRef("pk"))),
        ~Exists(Request.objects.filter(pk=OuterRef("request_id"), status=Status.PENDING)),
        ~Exists(EmergencyReview.objects.filter(request=OuterRef("request_id"), closed_at=None)),
        ~Exists(Assignment.objects.filter(pk=OuterRef("assignment_id"), ended_at=None)),
        leaf__isnull=False,
    )
    later = Event.objects.filter(
        actor_id=OuterRef("actor_id"),
        kind__in=PRESENCE,
        outcome=Outcome.DONE,
        occurred_at__gt=OuterRef("occurred_at"),
    )
    rows = rows.filter(~Q(kind__in=PRESENCE, outcome=Outcome.DONE) | Exists(later))
    taken = WebHook.objects.aggregate(least=Min("position"))["least"]
    if taken is not None:
        rows = rows.filter(leaf__number__lte=taken)
    since = _reviewed_since()
    if since is not None:
        rows = rows.exclude(kind__in=kinds_in([Group.REVIEWS]), occurred_at__gte=since)
    return rows


def _reviewed_since() -> datetime | None:
    """Return when the first access review began that is still going on, or is still to be applied; with its series."""
    open_ = Instance.objects.filter(review__deleted_at=None)
    going_on = (
        Q(completed_at=None) | Q(applied_at=None, auto_apply=True) | Q(applying_at__isnull=False, applied_at=None)
    )
    acts = LongAct.objects.going_on().values("instance")
    rows = open_.filter(going_on | Q(pk__in=acts))
    moment = Coalesce(F("review__created_at"), F("starts_at"))
    found: datetime | None = rows.aggregate(first=Min(moment))["first"]
    return found
