"""What the mails about emergencies say."""

from __future__ import annotations

from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _

from approvals.models import EmergencyReview, Request
from approvals.selectors.emergencies import review_of
from pim_portal.models import Notification
from pim_portal.notifications.letters.due import due_of
from pim_portal.notifications.letters.letter import Letter, event_of, span_of, the_role, unlinked, with_job
from pim_portal.notifications.recipients import named_by_event
from roles import wording
from roles.models import User


def emergency_started(notification: Notification, now: datetime) -> Letter | None:
    """Tell who would have approved, and who administers the place, that somebody did not wait."""
    request, review = _emergency(event_of(notification).request_id)
    words = {"person": request.principal.name, "the_role": the_role(request.role, request.resource)}
    return Letter(
        subject=_("EMERGENCY: {person} activated {the_role} without approval").format(**words),
        sentences=(
            _("Nobody was asked: the settings of this role allow it in an emergency. It is active now."),
            _("If you did not expect this, ask them at once. Somebody other than them must review it in time."),
        ),
        facts=(*_facts(request), (_("Review by"), wording.exact(review.due_at))),
        quote=_reason_of(request, notification),
        button=_("Open the emergency"),
        path=reverse("approvals:emergency_review", args=[request.pk]),
        because=_("You would have approved this, or administer this role. This mail cannot be switched off."),
    )


def review_overdue(notification: Notification, now: datetime) -> Letter | None:
    """Remind who can close the review of an emergency that its time is over; nothing once it is closed."""
    request, review = _emergency(due_of(notification).subject_id)
    if review.closed_at is not None:
        return None
    words = {"person": request.principal.name, "the_role": the_role(request.role, request.resource)}
    return Letter(
        subject=_("Overdue: review the emergency of {person}, {the_role}").format(**words),
        sentences=(
            _("{person} activated {the_role} without approval, and nobody has reviewed it in time.").format(**words),
            _("It stays open until somebody closes it. This is the only reminder."),
        ),
        facts=(*_facts(request), (_("Review was due"), wording.exact(review.due_at))),
        button=_("Open the emergency"),
        path=reverse("approvals:emergency_review", args=[request.pk]),
        because=_("You can close this review, or could after activating a role of yours."),
    )


def emergency_reviewed(notification: Notification, now: datetime) -> Letter | None:
    """Tell the person behind an emergency, and those who were told of it, what the review found."""
    request, review = _emergency(event_of(notification).request_id)
    own = notification.recipient_id in (request.principal_id, request.requestor_id)
    words = {"person": request.principal.name, "the_role": the_role(request.role, request.resource)}
    subject = _("Your emergency was reviewed: {the_role}") if own else _("The emergency of {person} was reviewed")
    justified = _("It was found justified.") if review.justified else _("It was found NOT justified.")
    ended = event_of(notification).details.get("ended_now")
    return Letter(
        subject=subject.format(**words),
        sentences=(
            justified,
            *([_("The activation was ended with the review.")] if ended else []),
            _("The request’s page says what was found."),
        ),
        facts=(*_facts(request), (_("Reviewed by"), review.closed_as)),
        button=_("Open the request"),
        path=reverse("approvals:request", args=[request.pk]),
        because=_("You activated this role.") if own else _("You were told of this emergency."),
    )


def _emergency(request_id: object) -> tuple[Request, EmergencyReview]:
    request = Request.objects.shown().get(pk=named_by_event(request_id))  # type: ignore[arg-type]
    review = review_of(request)
    if review is None:
        raise LookupError("This request was no emergency.")
    return request, review


def _facts(request: Request) -> list[tuple[str, str]]:
    person = User.objects.get(pk=request.principal_id)
    span = span_of(request.outcome) if request.outcome else []
    return [
        (_("Who"), with_job(person)),
        (_("Role"), request.role.name),
        (_("Resource"), request.resource.name),
        *span,
    ]


def _reason_of(request: Request, notification: Notification) -> tuple[str, str] | None:
    # For people of the portal only.
    if notification.recipient_id is None:
        return None
    return _("Reason, as {person} wrote it").format(person=request.principal.name), unlinked(request.reason)
