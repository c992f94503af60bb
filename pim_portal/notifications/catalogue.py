"""Which event is told to whom, by which mail: one page, in the groups of `audit.kinds`.

Every kind of event stands here or in `NO_MAIL`. A mail belongs to what was done; refused attempts are told to nobody.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext_lazy as _

from approvals.models import Request
from approvals.selectors.approvers import asked_to_decide
from audit.kinds import Kind
from pim_portal.models import Notification
from pim_portal.notifications import letters, recipients, reviews
from pim_portal.notifications.letters import Compose, account_change
from pim_portal.notifications.recipients import Recipients

Concerns = Callable[[Notification, datetime], bool]


def always(notification: Notification, now: datetime) -> bool:
    """What happened stays true, however late it is told."""
    return True


def still_to_decide(notification: Notification, now: datetime) -> bool:
    """Whether the request still waits for this approver, in the stage that waits now."""
    assert notification.event is not None  # noqa: S101 - a request is told of by its event
    request = Request.objects.waiting(now).filter(pk=recipients.named_by_event(notification.event.request_id)).first()
    if request is None or request.decisions.filter(approver=notification.recipient_id).exists():
        return False
    return any(user.pk == notification.recipient_id for user in asked_to_decide(request, now))


def was_told(notification: Notification, now: datetime) -> bool:
    """Whether the requestor is meant, or an approver whom the first mail reached: else nobody need hear of the end."""
    assert notification.event is not None  # noqa: S101 - a request is told of by its event
    request = Request.objects.get(pk=recipients.named_by_event(notification.event.request_id))
    if notification.recipient_id in (request.principal_id, request.requestor_id):
        return True
    asked = recipients.asked_by_mail(request.pk).filter(recipient=notification.recipient_id)
    return asked.filter(attempts__gt=0).exists()


@dataclass(frozen=True, slots=True)
class Mail:
    """A kind of mail: who gets it, what it says, and whether it still concerns them when it is sent."""

    name: str
    to: Recipients
    compose: Compose
    concerns: Concerns = always


REQUEST_WAITS = Mail("request_waits", recipients.approvers_to_ask, letters.request_waits, still_to_decide)
REQUEST_RESULT = Mail("request_result", recipients.parties, letters.request_result, was_told)
ROLE_ACTIVATED = Mail("role_activated", recipients.administrators, letters.role_activated)
ROLE_PROLONGED = Mail("role_prolonged", recipients.administrators, letters.role_prolonged)
ACTIVATION_ENDED = Mail("activation_ended", recipients.person, letters.activation_ended)
ASSIGNMENT_ADDED = Mail("assignment_added", recipients.holders, letters.assignment_added)
# One mail to each holder for all that an import brought them, in place of one for each assignment.
ROLES_IMPORTED = Mail("roles_imported", recipients.holders, letters.roles_imported)
IMPORTED = Mail("imported", recipients.administrators_there, letters.imported)
ASSIGNMENT_RENEWED = Mail("assignment_renewed", recipients.holders_unasked, letters.assignment_added)
ASSIGNMENT_KEPT = Mail("assignment_kept", recipients.holders_unasked, letters.kept)
ASSIGNMENT_ENDED = Mail("assignment_ended", recipients.holders, letters.assignment_ended)
REVIEW_BEGINS = Mail("review_begins", reviews.reviewers, reviews.review_begins, reviews.still_to_review)
REVIEW_REMINDER = Mail("review_reminder", reviews.reviewers, reviews.review_reminder, reviews.still_to_review)
REVIEW_COMPLETED = Mail("review_completed", reviews.told_at_the_end, reviews.review_completed)
ACCESS_ELEVATED = Mail("access_elevated", recipients.watchers, letters.access_elevated)
INVITATION = Mail("invitation", recipients.person, letters.invitation)
RESET_TICKET = Mail("reset_ticket", recipients.person, letters.reset_ticket)
FACTOR_ADDED = Mail(
    "factor_added",
    recipients.person,
    account_change(_("A second factor was added"), _("You have a new second factor to sign in with.")),
)
FACTOR_REMOVED = Mail(
    "factor_removed",
    recipients.person,
    account_change(_("A second factor was removed"), _("One of your second factors no longer works.")),
)
RECOVERY_CODES_MADE = Mail(
    "recovery_codes_made",
    recipients.person,
    account_change(
        _("New recovery codes were made"), _("You have new recovery codes; the older ones stopped working.")
    ),
)
RECOVERY_CODE_USED = Mail(
    "recovery_code_used",
    recipients.person,
    account_change(
        _("A recovery code was used"), _("One of your recovery codes was used in place of your authenticator app.")
    ),
)
PASSWORD_CHANGED = Mail(
    "password_changed",
    recipients.person,
    account_change(_("Your password was changed"), _("Your old password no longer works.")),
)
RESET_TICKET_USED = Mail(
    "reset_ticket_used",
    recipients.person,
    account_change(_("Your way back in was used"), _("Somebody used the link that an administrator made for you.")),
)
AUDIT_TIP = Mail("audit_tip", recipients.auditors, letters.audit_tip)

MAILS: dict[Kind, tuple[Mail, ...]] = {
    # Who may hold what
    Kind.ASSIGNMENT_ADDED: (ASSIGNMENT_ADDED,),
    # What was asked for is told as the result of the request; nobody hears of it twice.
    Kind.ASSIGNMENT_EXTENDED: (REQUEST_RESULT, ASSIGNMENT_KEPT),
    Kind.ASSIGNMENT_RENEWED: (REQUEST_RESULT, ASSIGNMENT_RENEWED),
    Kind.ASSIGNMENT_REMOVED: (ASSIGNMENT_ENDED,),
    Kind.ASSIGNMENT_EXPIRED: (ASSIGNMENT_ENDED,),
    # That a request was granted is told by the activation that came of it.
    Kind.ACTIVATION_STARTED: (REQUEST_RESULT, ROLE_ACTIVATED),
    Kind.ACTIVATION_PROLONGED: (REQUEST_RESULT, ROLE_PROLONGED),
    Kind.ACTIVATION_EXPIRED: (ACTIVATION_ENDED,),
    Kind.ACTIVATION_ENDED: (ACTIVATION_ENDED,),
    # Asking and deciding
    Kind.REQUEST_MADE: (REQUEST_WAITS,),
    Kind.REQUEST_APPROVED: (REQUEST_WAITS,),
    Kind.REQUEST_DENIED: (REQUEST_RESULT,),
    Kind.REQUEST_CANCELLED: (REQUEST_RESULT,),
    Kind.REQUEST_LAPSED: (REQUEST_RESULT,),
    Kind.REQUEST_FAILED: (REQUEST_RESULT,),
    # Access reviews
    Kind.REVIEW_STARTED: (REVIEW_BEGINS,),
    Kind.REVIEW_STAGE_STARTED: (REVIEW_BEGINS,),
    Kind.REVIEW_REMINDED: (REVIEW_REMINDER,),
    Kind.REVIEW_COMPLETED: (REVIEW_COMPLETED,),
    # Resources
    Kind.ACCESS_ELEVATED: (ACCESS_ELEVATED,),
    # People
    Kind.PERSON_INVITED: (INVITATION,),
    # In and out
    Kind.IMPORTED: (IMPORTED,),
    # Signing in: people hear of it even when they did it themselves, since somebody else may have.
    Kind.FACTOR_ADDED: (FACTOR_ADDED,),
    Kind.FACTOR_REMOVED: (FACTOR_REMOVED,),
    Kind.RECOVERY_CODES_MADE: (RECOVERY_CODES_MADE,),
    Kind.RECOVERY_CODE_USED: (RECOVERY_CODE_USED,),
    Kind.PASSWORD_CHANGED: (PASSWORD_CHANGED,),
    Kind.RESET_TICKET_GIVEN: (RESET_TICKET,),
    Kind.RESET_TICKET_USED: (RESET_TICKET_USED,),
    # The history itself
    Kind.HISTORY_ANCHORED: (AUDIT_TIP,),
}

NO_MAIL: frozenset[Kind] = frozenset(
    {
        Kind.PORTAL_SET_UP,
        Kind.CHECKLIST_STEP_DISMISSED,
        Kind.ASSIGNMENT_CHANGED,
        # What ends with somebody who was disabled, a group or a role: the change itself is what is told of.
        Kind.ASSIGNMENT_ENDED,
        # One's own doing.
        Kind.ACTIVATION_DEACTIVATED,
        # What is reviewed is told by the mails of the review; what applying it removes, to whoever loses it.
        Kind.REVIEW_CREATED,
        Kind.REVIEW_CHANGED,
        Kind.REVIEW_DELETED,
        Kind.REVIEW_DECIDED,
        Kind.REVIEW_RESET,
        Kind.REVIEW_STOPPED,
        Kind.REVIEW_APPLYING,
        Kind.REVIEW_APPLIED,
        Kind.ROLE_ADDED,
        Kind.ROLE_CHANGED,
        Kind.ROLE_RETIRED,
        Kind.ROLE_RESTORED,
        Kind.ROLE_SETTINGS_CHANGED,
        Kind.ROLE_SETTINGS_RESET,
        Kind.RESOURCE_ADDED,
        Kind.RESOURCE_RENAMED,
        Kind.RESOURCE_MOVED,
        Kind.RESOURCE_RETIRED,
        Kind.RESOURCE_RESTORED,
        Kind.PERSON_ADDED,
        Kind.PERSON_JOINED,
        Kind.PERSON_CHANGED,
        Kind.PERSON_DISABLED,
        Kind.PERSON_ENABLED,
        Kind.GROUP_ADDED,
        Kind.GROUP_CHANGED,
        Kind.GROUP_DISABLED,
        Kind.GROUP_ENABLED,
        Kind.EXPORTED,
        Kind.SIGNED_IN,
        Kind.SIGNED_OUT,
        # A stranger can cause it as often as they like.
        Kind.SIGN_IN_LOCKED,
        Kind.SECOND_FACTOR_GIVEN,
        Kind.SESSIONS_ENDED,
        # Who started it waits for its page.
        Kind.HISTORY_VERIFIED,
        Kind.TEXT_ERASED,
        Kind.AUDIT_KEY_MADE,
    }
)

BY_NAME: dict[str, Mail] = {mail.name: mail for mails in (*MAILS.values(), (ROLES_IMPORTED,)) for mail in mails}
