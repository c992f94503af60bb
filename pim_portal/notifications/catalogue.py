"""Which event is told to whom, by which mail: one page, in the groups of `audit.kinds`.

Every kind of event stands here or in `NO_MAIL`. A mail belongs to what was done; refused attempts are told to nobody.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext_lazy as _

from approvals.models import Request
from approvals.selectors.approvers import asked_to_decide
from audit.kinds import Kind
from audit.models import Event
from pim_portal.models import Due, Notification, Topic
from pim_portal.notifications import deputies, digest, due_letters, letters, news, recipients, reviews
from pim_portal.notifications.letters import Compose, Letter, account_change
from pim_portal.notifications.recipients import DueRecipients, Recipients
from roles import wording
from roles.models import Audience, Role

Concerns = Callable[[Notification, datetime], bool]


def always(notification: Notification, now: datetime) -> bool:
    """What happened stays true, however late it is told."""
    return True


def always_applies(event: Event) -> bool:
    """Every event of its kind is told of."""
    return True


def of_a_privileged_role(event: Event) -> bool:
    """Whether the event is about a privileged role."""
    return event.role_id is not None and Role.objects.filter(pk=event.role_id, privileged=True).exists()


def of_a_request(event: Event) -> bool:
    """Whether the event came of a request that waited; what is granted at once is not written down yet."""
    return recipients.request_of(event) is not None


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
    item = due_letters.due_of(notification)
    asked = recipients.asked_by_mail(item.subject_id).filter(recipient=notification.recipient_id)
    if notification.recipient_id and not asked.filter(sent_at__lt=item.written_at).exists():
        return False
    return _waits_for(notification, item.subject_id, now)


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


@dataclass(frozen=True, slots=True)
class Mail:
    """A kind of mail: who gets it, what it says, and whether it still concerns them when it is sent."""

    name: str
    to: Recipients
    compose: Compose
    concerns: Concerns = always
    # Which cell of a role's settings it belongs to; None: no setting of a role says anything about it.
    audience: Audience | None = None
    # Whether it waits for something from who gets it: such a mail is critical, and nobody can quiet it.
    asks: bool = False
    # What people may quiet it under; None: nobody can.
    topic: Topic | None = None
    # How it reads to somebody it is not about: the addresses that the settings name besides.
    for_others: Compose | None = None
    # Of which events it tells, where that is not all of their kind.
    applies: Callable[[Event], bool] = always_applies
    # Of which events chat channels hear, too; None: of none.
    chat: Callable[[Event], bool] | None = None


ADMINISTRATORS, HOLDER, APPROVERS = Audience.ADMINISTRATORS, Audience.HOLDER, Audience.APPROVERS

REQUEST_WAITS = Mail(
    "request_waits",
    recipients.approvers_to_ask,
    deputies.request_waits,
    still_to_decide,
    audience=APPROVERS,
    asks=True,
    chat=lambda event: bool(recipients.approvers_to_ask(event)),
)
REQUEST_RESULT = Mail(
    "request_result",
    recipients.requestors,
    letters.request_result,
    audience=HOLDER,
    topic=Topic.MY_REQUESTS,
    applies=of_a_request,
)
REQUEST_CLOSED = Mail(
    "request_closed",
    recipients.approvers_told,
    letters.request_result,
    was_told,
    audience=APPROVERS,
    topic=Topic.DECIDED,
    applies=of_a_request,
)
ROLE_ACTIVATED = Mail(
    "role_activated",
    recipients.administrators,
    letters.role_activated,
    audience=ADMINISTRATORS,
    topic=Topic.PRIVILEGED_ACTIVATIONS,
    applies=of_a_privileged_role,
    chat=always_applies,
)
ROLE_PROLONGED = Mail(
    "role_prolonged",
    recipients.administrators,
    letters.role_prolonged,
    audience=ADMINISTRATORS,
    topic=Topic.PRIVILEGED_ACTIVATIONS,
    applies=of_a_privileged_role,
    chat=always_applies,
)
# Told at once to those who asked for it, and to the addresses of the role's settings; to all others by the digest.
OTHER_ROLE_ACTIVATED = Mail(
    "other_role_activated",
    recipients.administrators_who_want_all,
    letters.role_activated,
    audience=ADMINISTRATORS,
    topic=Topic.OTHER_ACTIVATIONS,
    applies=of_another_role,
)
ACTIVATION_ENDED = Mail(
    "activation_ended",
    recipients.person,
    letters.activation_ended,
    audience=HOLDER,
    topic=Topic.MY_ROLES,
    for_others=news.role_no_longer_held,
)
ASSIGNMENT_ADDED = Mail(
    "assignment_added",
    recipients.holders,
    letters.assignment_added,
    audience=HOLDER,
    topic=Topic.MY_ROLES,
    for_others=news.role_given,
)
# What was asked for is told as the result of the request; nobody hears of it twice.
ASSIGNMENT_RENEWED = Mail(
    "assignment_renewed",
    recipients.holders_unasked,
    letters.assignment_added,
    audience=HOLDER,
    topic=Topic.MY_ROLES,
    for_others=news.role_given,
    applies=without_a_request,
)
ASSIGNMENT_KEPT = Mail(
    "assignment_kept",
    recipients.holders_unasked,
    letters.kept,
    audience=HOLDER,
    topic=Topic.MY_ROLES,
    for_others=news.times_changed,
    applies=without_a_request,
)
ASSIGNMENT_CHANGED = Mail(
    "assignment_changed",
    recipients.holders,
    letters.assignment_changed,
    audience=HOLDER,
    topic=Topic.MY_ROLES,
    for_others=news.times_changed,
)
ASSIGNMENT_ENDED = Mail(
    "assignment_ended",
    recipients.holders,
    letters.assignment_ended,
    audience=HOLDER,
    topic=Topic.MY_ROLES,
    for_others=news.role_no_longer_held,
)
DEPUTY_NAMED = Mail("deputy_named", recipients.both_of_a_deputy, deputies.deputy_named)
DEPUTY_ENDED = Mail("deputy_ended", recipients.both_of_a_deputy, deputies.deputy_ended)
# One mail to each holder for all that an import brought them, in place of one for each assignment.
ROLES_IMPORTED = Mail("roles_imported", recipients.holders, letters.roles_imported, topic=Topic.MY_ROLES)
IMPORTED = Mail("imported", recipients.administrators_there, letters.imported, topic=Topic.ADMINISTERED)
ROLE_GIVEN = Mail(
    "role_given", recipients.administrators, news.role_given, audience=ADMINISTRATORS, topic=Topic.ADMINISTERED
)
TIMES_CHANGED = Mail(
    "times_changed", recipients.administrators, news.times_changed, audience=ADMINISTRATORS, topic=Topic.ADMINISTERED
)
ROLE_EXPIRED = Mail(
    "role_expired",
    recipients.administrators_except_of_resources,
    news.role_no_longer_held,
    audience=ADMINISTRATORS,
    topic=Topic.ADMINISTERED,
)
SETTINGS_CHANGED = Mail(
    "settings_changed",
    recipients.administrators_of_settings,
    news.settings_changed,
    topic=Topic.ADMINISTERED,
    chat=always_applies,
)
ACCESS_ELEVATED = Mail("access_elevated", recipients.watchers, letters.access_elevated, chat=always_applies)
ACCOUNT_ENABLED = Mail(
    "account_enabled",
    recipients.person,
    account_change(
        _("You can sign in again"), _("Your account was enabled. What you activated before, activate anew.")
    ),
)


def digest_letter(notification: Notification, now: datetime) -> Letter | None:
    """Compose the digest of a week, with the mails that were kept for it."""
    return digest.compose(notification, now, gathered=tuple(_gathered(notification, now)))


def _gathered(notification: Notification, now: datetime) -> Iterator[tuple[str, str]]:
    """Yield subject and date of each mail that was kept for this digest and still says something."""
    for row in notification.gathered.select_related("event", "due").order_by("created_at", "pk"):
        mail = BY_NAME[row.mail]
        letter = mail.compose(row, now) if mail.concerns(row, now) else None
        if letter is not None:
            yield letter.subject, wording.exact(row.created_at)


@dataclass(frozen=True, slots=True)
class DueMail:
    """A kind of mail without an event behind it; the fields are those of `Mail`."""

    name: str
    to: DueRecipients
    compose: Compose
    concerns: Concerns = always
    audience: Audience | None = None
    asks: bool = False
    topic: Topic | None = None
    for_others: Compose | None = None


ENDS_SOON = DueMail(
    "ends_soon",
    recipients.holders_of,
    due_letters.ends_soon,
    audience=HOLDER,
    topic=Topic.MY_ENDS,
    for_others=due_letters.ends_soon_for,
)
ENDS_SOON_FOR = DueMail(
    "ends_soon_for",
    recipients.administrators_over,
    due_letters.ends_soon_for,
    audience=ADMINISTRATORS,
    topic=Topic.ADMINISTERED,
)
ACTIVATION_ENDS_SOON = DueMail(
    "activation_ends_soon",
    recipients.holders_of,
    due_letters.activation_ends_soon,
    audience=HOLDER,
    topic=Topic.MY_ENDS,
    for_others=due_letters.activation_ends_soon_for,
)
# Written by `digest.write_digests`, which knows whom it is for.
DIGEST = DueMail("digest", recipients.nobody, digest_letter, topic=Topic.DIGEST)
STILL_WAITS = DueMail(
    "still_waits", recipients.not_answered, due_letters.still_waits, still_silent, audience=APPROVERS, asks=True
)
REVIEW_BEGINS = Mail("review_begins", reviews.reviewers, reviews.review_begins, reviews.still_to_review, asks=True)
REVIEW_REMINDER = Mail(
    "review_reminder", reviews.reviewers, reviews.review_reminder, reviews.still_to_review, asks=True
)
REVIEW_WAITS = Mail(
    "review_waits", recipients.administrators_there, reviews.review_waits, reviews.still_to_apply, asks=True
)
REVIEW_COMPLETED = Mail("review_completed", reviews.told_at_the_end, reviews.review_completed, topic=Topic.ADMINISTERED)
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
    Kind.ASSIGNMENT_ADDED: (ASSIGNMENT_ADDED, ROLE_GIVEN),
    Kind.ASSIGNMENT_CHANGED: (ASSIGNMENT_CHANGED,),
    Kind.ASSIGNMENT_EXTENDED: (REQUEST_RESULT, REQUEST_CLOSED, ASSIGNMENT_KEPT, TIMES_CHANGED),
    Kind.ASSIGNMENT_RENEWED: (REQUEST_RESULT, REQUEST_CLOSED, ASSIGNMENT_RENEWED, ROLE_GIVEN),
    Kind.ASSIGNMENT_REMOVED: (ASSIGNMENT_ENDED,),
    Kind.ASSIGNMENT_EXPIRED: (ASSIGNMENT_ENDED, ROLE_EXPIRED),
    # That a request was granted is told by the activation that came of it.
    Kind.ACTIVATION_STARTED: (REQUEST_RESULT, REQUEST_CLOSED, ROLE_ACTIVATED, OTHER_ROLE_ACTIVATED),
    Kind.ACTIVATION_PROLONGED: (REQUEST_RESULT, REQUEST_CLOSED, ROLE_PROLONGED),
    Kind.ACTIVATION_EXPIRED: (ACTIVATION_ENDED,),
    Kind.ACTIVATION_ENDED: (ACTIVATION_ENDED,),
    # Asking and deciding
    Kind.REQUEST_MADE: (REQUEST_WAITS,),
    Kind.REQUEST_APPROVED: (REQUEST_WAITS,),
    Kind.REQUEST_DENIED: (REQUEST_RESULT, REQUEST_CLOSED),
    Kind.REQUEST_CANCELLED: (REQUEST_RESULT, REQUEST_CLOSED),
    Kind.REQUEST_LAPSED: (REQUEST_RESULT, REQUEST_CLOSED),
    Kind.REQUEST_FAILED: (REQUEST_RESULT, REQUEST_CLOSED),
    Kind.DEPUTY_NAMED: (DEPUTY_NAMED,),
    Kind.DEPUTY_ENDED: (DEPUTY_ENDED,),
    # Access reviews
    Kind.REVIEW_STARTED: (REVIEW_BEGINS,),
    Kind.REVIEW_STAGE_STARTED: (REVIEW_BEGINS,),
    Kind.REVIEW_REMINDED: (REVIEW_REMINDER,),
    Kind.REVIEW_COMPLETED: (REVIEW_COMPLETED,),
    Kind.REVIEW_WAITS: (REVIEW_WAITS,),
    # Roles, resources, settings
    Kind.ROLE_SETTINGS_CHANGED: (SETTINGS_CHANGED,),
    Kind.ROLE_SETTINGS_RESET: (SETTINGS_CHANGED,),
    Kind.ACCESS_ELEVATED: (ACCESS_ELEVATED,),
    # People
    Kind.PERSON_INVITED: (INVITATION,),
    Kind.PERSON_ENABLED: (ACCOUNT_ENABLED,),
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
        Kind.RESOURCE_ADDED,
        Kind.RESOURCE_RENAMED,
        Kind.RESOURCE_MOVED,
        Kind.RESOURCE_RETIRED,
        Kind.RESOURCE_RESTORED,
        Kind.PERSON_ADDED,
        Kind.PERSON_JOINED,
        Kind.PERSON_CHANGED,
        # Whoever is disabled gets no mail any more.
        Kind.PERSON_DISABLED,
        Kind.GROUP_ADDED,
        Kind.GROUP_CHANGED,
        Kind.GROUP_DISABLED,
        Kind.GROUP_ENABLED,
        Kind.EXPORTED,
        # One's own doing.
        Kind.NOTIFICATIONS_CHOSEN,
        Kind.MAILS_SENT_AGAIN,
        Kind.SIGNED_IN,
        Kind.SIGNED_OUT,
        # A stranger can cause it as often as they like.
        Kind.SIGN_IN_LOCKED,
        Kind.SECOND_FACTOR_GIVEN,
        # The same password as before.
        Kind.PASSWORD_REHASHED,
        Kind.SESSIONS_ENDED,
        # Who started it waits for its page.
        Kind.HISTORY_VERIFIED,
        Kind.TEXT_ERASED,
        Kind.AUDIT_KEY_MADE,
    }
)

# What falls due by the clock. A day before the end says the same as two weeks before, with another number.
DUE_MAILS: dict[Due, tuple[DueMail, ...]] = {
    Due.ENDS_IN_TWO_WEEKS: (ENDS_SOON, ENDS_SOON_FOR),
    Due.ENDS_TOMORROW: (ENDS_SOON, ENDS_SOON_FOR),
    Due.ACTIVATION_ENDS: (ACTIVATION_ENDS_SOON,),
    Due.REQUEST_HALFWAY: (STILL_WAITS,),
    Due.DIGEST: (DIGEST,),
}

EVERY_MAIL: list[Mail | DueMail] = [
    *(mail for mails in MAILS.values() for mail in mails),
    ROLES_IMPORTED,
    *(mail for due in DUE_MAILS.values() for mail in due),
]
BY_NAME = {mail.name: mail for mail in EVERY_MAIL}
