"""Clearing the outbox of what was sent, or needed no sending, long ago."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.db.models import Q

from approvals.models import EmergencyReview, Request, Status
from pim_portal.models import Notification, NotificationState
from roles.actors import Clock

KEPT: Final = timedelta(days=90)
OVER: Final = (NotificationState.SENT, NotificationState.DROPPED)


def prune_sent(*, clock: Clock, limit: int = 500) -> int:
    """Remove mails that were done with 90 days ago; return how many. What waits or was set aside stays.

    So does what tells whom a request, or an emergency that is still to be reviewed, was put to; and a digest goes after
    the mails that were kept for it. That a thing was due, and told, is kept by its own row.
    """
    before = clock() - KEPT
    old = Notification.objects.filter(state__in=OVER, created_at__lt=before, gathered=None)
    old = old.filter(Q(sent_at=None) | Q(sent_at__lt=before))
    reviewed = EmergencyReview.objects.filter(closed_at=None).values_list("request", flat=True)
    open_ = Request.objects.filter(Q(status=Status.PENDING) | Q(pk__in=reviewed)).values_list("pk", flat=True)
    old = old.exclude(event__request_id__in=open_, event__request_id__isnull=False).exclude(due__subject_id__in=open_)
    rows = old.order_by("created_at", "pk").values_list("pk", flat=True)[:limit]
    _all, removed = Notification.objects.filter(pk__in=list(rows)).delete()
    return removed.get(Notification._meta.label, 0)
