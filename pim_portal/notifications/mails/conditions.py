"""Of which events a mail tells, and whom it still concerns when it is sent."""

from __future__ import annotations

import uuid
from datetime import datetime

from approvals.models import Request
from approvals.selectors.approvers import asked_to_decide
from audit.models import Event
from pim_portal.models import Notification
from pim_portal.notifications import recipients
from pim_portal.notifications.letters import due
from roles.models import Role


def of_a_privileged_role(event: Event) -> bool:
    """Whether the event is about a privileged role."""
    return recipients.asked_once(event, _of_a_privileged_role)


def _of_a_privileged_role(event: Event) -> bool:
    if (known := event.about(Role)) is not None:
        return known.privileged
    return event.role_id is not None and Role.objects.filter(pk=event.role_id, privileged=True).exists()


def of_a_request(event: Event) -> bool:
    """Whether the event came of a request that waited; what is granted at once is not written down yet."""
    return recipients.request_of(event) is not None and not_alone(event)


def not_alone(event: Event) -> bool:
    """Whether it is not a change that its author made without a second administrator: that is told more loudly."""
    return not event.details.get("alone", False)


def without_a_request(event: Event) -> bool:
    """Whether the event came of nobody's asking."""
    return event.request_id is None


def of_another_role(event: Event) -> bool:
    """Whether the event is about a role that is not privileged."""
    return not of_a_privileged_role(event)


def still_to_decide(notification: Notification, now: datetime) -> bool:
    """Whether the request still waits for this approver, in the stage that waits now."""
    assert notification.event is not None  # noqa: S101 - a request is told of by its event
    return _waits_for(notification, recipients.named_by_event(notification.event.request_id), now)


def still_silent(notification: Notification, now: datetime) -> bool:
    """Whether the request still waits for this approver, who had the first mail before the reminder was written."""
    item = due.due_of(notification)
    asked = recipients.asked_by_mail(item.subject_id).filter(recipient=notification.recipient_id)
    if notification.recipient_id and not asked.filter(sent_at__lt=item.written_at).exists():
        return False
    return _waits_for(notification, item.subject_id, now)


def escalation_waits(notification: Notification, now: datetime) -> bool:
    """Whether the request still waits for somebody of its escalation."""
    return _waits_for(notification, due.due_of(notification).subject_id, now)


def _waits_for(notification: Notification, request_id: uuid.UUID, now: datetime) -> bool:
    request = Request.objects.waiting(now).filter(pk=request_id).first()
    if request is None or request.decisions.filter(approver=notification.recipient_id).exists():
        return False
    if notification.recipient_id is None:
        return True
    return any(user.pk == notification.recipient_id for user in asked_to_decide(request, now))


def was_told(notification: Notification, now: datetime) -> bool:
    """Whether the first mail reached this approver: else they need not hear of the end."""
    assert notification.event is not None  # noqa: S101 - a request is told of by its event
    request_id = recipients.named_by_event(notification.event.request_id)
    if notification.recipient_id is None:
        return True
    asked = recipients.asked_by_mail(request_id).filter(recipient=notification.recipient_id)
    return asked.filter(attempts__gt=0).exists()
