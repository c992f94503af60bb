"""Which event is told to whom, by which mail: one page, in the groups of `audit.kinds`.

Every kind of event stands here or in `NO_MAIL`. A mail belongs to what was done; refused attempts are told to nobody.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from audit.kinds import Kind
from pim_portal.models import Due, Notification, Topic
from pim_portal.notifications import digest, recipients
from pim_portal.notifications.letters.letter import Letter
from pim_portal.notifications.mails import (
    accounts,
    alerts,
    assignments,
    emergencies,
    keeping,
    portal,
    requests,
    reviews,
)
from pim_portal.notifications.mails.mail import DueMail, Mail
from roles import wording


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


# Written by `digest.write_digests`, which knows whom it is for.
DIGEST = DueMail("digest", recipients.nobody, digest_letter, topic=Topic.DIGEST)


MAILS: dict[Kind, tuple[Mail, ...]] = {
    # Who may hold what
    Kind.ASSIGNMENT_ADDED: (assignments.ASSIGNMENT_ADDED, assignments.ROLE_GIVEN),
    Kind.ASSIGNMENT_CHANGED: (assignments.ASSIGNMENT_CHANGED,),
    Kind.ASSIGNMENT_EXTENDED: (
        requests.REQUEST_RESULT,
        requests.REQUEST_CLOSED,
        assignments.ASSIGNMENT_KEPT,
        assignments.TIMES_CHANGED,
    ),
    Kind.ASSIGNMENT_RENEWED: (
        requests.REQUEST_RESULT,
        requests.REQUEST_CLOSED,
        assignments.ASSIGNMENT_RENEWED,
        assignments.ROLE_GIVEN,
    ),
    Kind.ASSIGNMENT_REMOVED: (assignments.ASSIGNMENT_ENDED,),
    Kind.ASSIGNMENT_EXPIRED: (assignments.ASSIGNMENT_ENDED, assignments.ROLE_EXPIRED),
    # That a request was granted is told by the activation that came of it.
    Kind.ACTIVATION_STARTED: (
        requests.REQUEST_RESULT,
        requests.REQUEST_CLOSED,
        assignments.ROLE_ACTIVATED,
        assignments.OTHER_ROLE_ACTIVATED,
    ),
    Kind.ACTIVATION_PROLONGED: (requests.REQUEST_RESULT, requests.REQUEST_CLOSED, assignments.ROLE_PROLONGED),
    Kind.ACTIVATION_EXPIRED: (assignments.ACTIVATION_ENDED,),
    Kind.ACTIVATION_ENDED: (assignments.ACTIVATION_ENDED,),
    # Asking and deciding
    Kind.REQUEST_MADE: (requests.REQUEST_WAITS,),
    Kind.REQUEST_APPROVED: (requests.REQUEST_WAITS,),
    Kind.REQUEST_DENIED: (requests.REQUEST_RESULT, requests.REQUEST_CLOSED),
    Kind.REQUEST_CANCELLED: (requests.REQUEST_RESULT, requests.REQUEST_CLOSED),
    Kind.REQUEST_LAPSED: (requests.REQUEST_RESULT, requests.REQUEST_CLOSED),
    Kind.REQUEST_FAILED: (requests.REQUEST_RESULT, requests.REQUEST_CLOSED),
    Kind.DEPUTY_NAMED: (requests.DEPUTY_NAMED,),
    Kind.DEPUTY_ENDED: (requests.DEPUTY_ENDED,),
    Kind.EMERGENCY_STARTED: (emergencies.EMERGENCY_STARTED,),
    Kind.EMERGENCY_REVIEWED: (emergencies.EMERGENCY_RESULT, emergencies.EMERGENCY_CLOSED),
    # Access reviews
    Kind.REVIEW_STARTED: (reviews.REVIEW_BEGINS,),
    Kind.REVIEW_STAGE_STARTED: (reviews.REVIEW_BEGINS,),
    Kind.REVIEW_ASKED: (reviews.REVIEW_BEGINS,),
    Kind.REVIEW_REMINDED: (reviews.REVIEW_REMINDER,),
    Kind.REVIEW_COMPLETED: (reviews.REVIEW_COMPLETED,),
    Kind.REVIEW_WAITS: (reviews.REVIEW_WAITS,),
    Kind.REVIEW_APPLIED: (reviews.REVIEW_LEFT,),
    # Roles, resources, settings
    Kind.ROLE_SETTINGS_CHANGED: (portal.SETTINGS_CHANGED, requests.REQUEST_RESULT, requests.REQUEST_CLOSED),
    Kind.ROLE_SETTINGS_CHANGED_ALONE: (portal.SETTINGS_CHANGED_ALONE,),
    Kind.ROLE_SETTINGS_RESET: (portal.SETTINGS_CHANGED, requests.REQUEST_RESULT, requests.REQUEST_CLOSED),
    # One that loosened settings, to whom a second administrator agreed.
    Kind.RESOURCE_MOVED: (requests.REQUEST_RESULT, requests.REQUEST_CLOSED),
    Kind.ACCESS_ELEVATED: (portal.ACCESS_ELEVATED,),
    # Alerts
    Kind.ALERT_RAISED: (alerts.HIGH_ALERT_RAISED, alerts.ALERT_RAISED),
    Kind.ALERT_RESOLVED: (alerts.ALERT_RESOLVED,),
    # People
    Kind.PERSON_INVITED: (accounts.INVITATION,),
    Kind.PERSON_CHANGED: (accounts.EMAIL_CHANGED,),
    Kind.PERSON_ENABLED: (accounts.ACCOUNT_ENABLED,),
    # In and out
    Kind.IMPORTED: (portal.IMPORTED,),
    # Signing in: people hear of it even when they did it themselves, since somebody else may have.
    Kind.FACTOR_ADDED: (accounts.FACTOR_ADDED,),
    Kind.FACTOR_REMOVED: (accounts.FACTOR_REMOVED,),
    Kind.RECOVERY_CODES_MADE: (accounts.RECOVERY_CODES_MADE,),
    Kind.RECOVERY_CODE_USED: (accounts.RECOVERY_CODE_USED,),
    Kind.PASSWORD_CHANGED: (accounts.PASSWORD_CHANGED,),
    Kind.RESET_TICKET_GIVEN: (accounts.RESET_TICKET,),
    Kind.RESET_TICKET_USED: (accounts.RESET_TICKET_USED,),
    # The history itself
    Kind.HISTORY_ANCHORED: (portal.AUDIT_TIP,),
    Kind.RETENTION_CHANGED: (keeping.RETENTION_CHANGED,),
    Kind.HISTORY_ARCHIVED: (keeping.HISTORY_ARCHIVED,),
    # Where everything goes to: who reads the history should know.
    Kind.WEB_HOOK_ADDED: (keeping.WEB_HOOK_SET,),
    Kind.WEB_HOOK_CHANGED: (keeping.WEB_HOOK_SET,),
}

NO_MAIL: frozenset[Kind] = frozenset(
    {
        Kind.PORTAL_SET_UP,
        Kind.SECRETS_ENCRYPTED,
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
        Kind.REVIEW_ANSWERED,
        Kind.REVIEW_APPLYING,
        Kind.ROLE_ADDED,
        Kind.ROLE_CHANGED,
        Kind.ROLE_RETIRED,
        Kind.ROLE_RESTORED,
        # Who was there before keeps what they have; whom it keeps from a role is told where they ask for it.
        Kind.DUTY_RULE_ADDED,
        Kind.DUTY_RULE_CHANGED,
        Kind.DUTY_RULE_RETIRED,
        Kind.RESOURCE_ADDED,
        Kind.RESOURCE_RENAMED,
        Kind.RESOURCE_RETIRED,
        Kind.RESOURCE_RESTORED,
        # All that one look found is told in one mail.
        Kind.INCIDENT_RAISED,
        Kind.INCIDENT_RESOLVED,
        Kind.INCIDENT_DISMISSED,
        Kind.INCIDENT_FIXED,
        Kind.ALERT_SETTINGS_CHANGED,
        Kind.ALERTS_SCANNED,
        Kind.PERSON_ADDED,
        Kind.PERSON_JOINED,
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
        # It leads nowhere else by that; their page says how they do.
        Kind.WEB_HOOK_PAUSED,
        Kind.WEB_HOOK_RESUMED,
        Kind.WEB_HOOK_TESTED,
        Kind.WEB_HOOK_SECRET_CHANGED,
        Kind.WEB_HOOK_REPLAYED,
        Kind.WEB_HOOK_DELETED,
        Kind.TEXT_ERASED,
        Kind.AUDIT_KEY_MADE,
        # As with every export: who did it waits for it, and it stands in the history.
        Kind.ARCHIVE_TAKEN,
    }
)

# What falls due by the clock. A day before the end says the same as two weeks before, with another number.
DUE_MAILS: dict[Due, tuple[DueMail, ...]] = {
    Due.ENDS_IN_TWO_WEEKS: (assignments.ENDS_SOON, assignments.ENDS_SOON_FOR),
    Due.ENDS_TOMORROW: (assignments.ENDS_SOON, assignments.ENDS_SOON_FOR),
    Due.ACTIVATION_ENDS: (assignments.ACTIVATION_ENDS_SOON,),
    Due.REQUEST_HALFWAY: (requests.STILL_WAITS, requests.REQUEST_ESCALATED),
    Due.EMERGENCY_REVIEW: (emergencies.EMERGENCY_OVERDUE,),
    Due.DIGEST: (DIGEST,),
}

EVERY_MAIL: list[Mail | DueMail] = [
    *(mail for mails in MAILS.values() for mail in mails),
    assignments.ROLES_IMPORTED,
    *(mail for due in DUE_MAILS.values() for mail in due),
]

BY_NAME = {mail.name: mail for mail in EVERY_MAIL}
