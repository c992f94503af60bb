"""Every kind of thing that can happen, in one closed list.

A kind names the change, not its result: a refused attempt is recorded under the kind that it would have been,
with the outcome *refused*. Each has a sentence for people in `audit.sentences`.
"""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Outcome(TextChoices):
    """How it went."""

    DONE = "done", _("Done")
    REFUSED = "refused", _("Refused")
    FAILED = "failed", _("Failed")


class Realm(TextChoices):
    """The world an event belongs to; it decides who may read it (resource isolation)."""

    DIRECTORY = "directory", _("Directory")
    RESOURCE = "resource", _("Resources")
    GROUP = "group", _("Groups")


class Kind(TextChoices):
    """What happened. The stored value is part of the history's format and is never renamed."""

    # Set-up
    PORTAL_SET_UP = "portal.set_up", _("Portal set up")
    SECRETS_ENCRYPTED = "portal.secrets_encrypted", _("Secrets encrypted anew")
    CHECKLIST_STEP_DISMISSED = "portal.checklist_step_dismissed", _("Step of the set-up dismissed")

    # Who may hold what
    ASSIGNMENT_ADDED = "assignment.added", _("Assignment added")
    ASSIGNMENT_CHANGED = "assignment.changed", _("Assignment changed")
    ASSIGNMENT_EXTENDED = "assignment.extended", _("Assignment extended")
    ASSIGNMENT_RENEWED = "assignment.renewed", _("Assignment renewed")
    ASSIGNMENT_REMOVED = "assignment.removed", _("Assignment removed")
    ASSIGNMENT_EXPIRED = "assignment.expired", _("Assignment expired")
    ASSIGNMENT_ENDED = "assignment.ended", _("Assignment ended")
    ACTIVATION_STARTED = "activation.started", _("Role activated")
    ACTIVATION_PROLONGED = "activation.prolonged", _("Activation prolonged")
    ACTIVATION_DEACTIVATED = "activation.deactivated", _("Role deactivated")
    ACTIVATION_EXPIRED = "activation.expired", _("Activation expired")
    ACTIVATION_ENDED = "activation.ended", _("Activation ended")

    # Asking and deciding
    REQUEST_MADE = "request.made", _("Request made")
    REQUEST_APPROVED = "request.approved", _("Request approved")
    REQUEST_DENIED = "request.denied", _("Request denied")
    REQUEST_CANCELLED = "request.cancelled", _("Request cancelled")
    REQUEST_LAPSED = "request.lapsed", _("Request lapsed")
    REQUEST_FAILED = "request.failed", _("Request failed")
    DEPUTY_NAMED = "deputy.named", _("Deputy named")
    DEPUTY_ENDED = "deputy.ended", _("Deputy ended")
    EMERGENCY_STARTED = "emergency.started", _("Role activated in an emergency")
    EMERGENCY_REVIEWED = "emergency.reviewed", _("Emergency reviewed")

    # Access reviews
    REVIEW_CREATED = "review.created", _("Access review created")
    REVIEW_CHANGED = "review.changed", _("Access review changed")
    REVIEW_DELETED = "review.deleted", _("Access review deleted")
    REVIEW_STARTED = "review.started", _("Access review started")
    REVIEW_STAGE_STARTED = "review.stage_started", _("Stage of an access review started")
    REVIEW_ASKED = "review.asked", _("Reviewers asked")
    REVIEW_REMINDED = "review.reminded", _("Reviewers reminded")
    REVIEW_DECIDED = "review.decided", _("Access reviewed")
    REVIEW_RESET = "review.reset", _("Access review reset")
    REVIEW_STOPPED = "review.stopped", _("Access review stopped")
    REVIEW_ANSWERED = "review.answered", _("Answered where nobody did")
    REVIEW_COMPLETED = "review.completed", _("Access review completed")
    REVIEW_WAITS = "review.waits", _("Access review waits to be applied")
    REVIEW_APPLYING = "review.applying", _("Applying an access review started")
    REVIEW_APPLIED = "review.applied", _("Access review applied")

    # Roles, resources, settings
    ROLE_ADDED = "role.added", _("Role added")
    ROLE_CHANGED = "role.changed", _("Role changed")
    ROLE_RETIRED = "role.retired", _("Role retired")
    ROLE_RESTORED = "role.restored", _("Role restored")
    ROLE_SETTINGS_CHANGED = "role_settings.changed", _("Role settings changed")
    ROLE_SETTINGS_CHANGED_ALONE = "role_settings.changed_alone", _("Role settings loosened alone")
    ROLE_SETTINGS_RESET = "role_settings.reset", _("Role settings taken from above again")
    DUTY_RULE_ADDED = "duty_rule.added", _("Rule of separation of duties made")
    DUTY_RULE_CHANGED = "duty_rule.changed", _("Rule of separation of duties changed")
    DUTY_RULE_RETIRED = "duty_rule.retired", _("Rule of separation of duties retired")
    RESOURCE_ADDED = "resource.added", _("Resource added")
    RESOURCE_RENAMED = "resource.renamed", _("Resource renamed")
    RESOURCE_MOVED = "resource.moved", _("Resource moved")
    RESOURCE_RETIRED = "resource.retired", _("Resource retired")
    RESOURCE_RESTORED = "resource.restored", _("Resource restored")
    ACCESS_ELEVATED = "access.elevated", _("Access elevated")

    # Alerts
    INCIDENT_RAISED = "incident.raised", _("Incident found")
    INCIDENT_RESOLVED = "incident.resolved", _("Incident resolved")
    INCIDENT_DISMISSED = "incident.dismissed", _("Incident dismissed")
    INCIDENT_FIXED = "incident.fixed", _("Incident fixed")
    ALERT_RAISED = "alert.raised", _("Alert raised")
    ALERT_RESOLVED = "alert.resolved", _("Alert resolved")
    ALERT_SETTINGS_CHANGED = "alert_settings.changed", _("Settings of an alert changed")
    ALERTS_SCANNED = "alerts.scanned", _("Scan for incidents asked for")

    # People and groups
    PERSON_ADDED = "person.added", _("Person added")
    PERSON_INVITED = "person.invited", _("Person invited")
    PERSON_JOINED = "person.joined", _("Invitation accepted")
    PERSON_CHANGED = "person.changed", _("Person changed")
    PERSON_DISABLED = "person.disabled", _("Person disabled")
    PERSON_ENABLED = "person.enabled", _("Person enabled")
    GROUP_ADDED = "group.added", _("Group added")
    GROUP_CHANGED = "group.changed", _("Group changed")
    GROUP_DISABLED = "group.disabled", _("Group disabled")
    GROUP_ENABLED = "group.enabled", _("Group enabled")

    # In and out
    IMPORTED = "import.applied", _("Import applied")
    EXPORTED = "export.made", _("Everything exported")

    # Mails
    NOTIFICATIONS_CHOSEN = "person.notifications_chosen", _("Mails chosen")
    MAILS_SENT_AGAIN = "mail.sent_again", _("Mails sent again")

    # To a SIEM
    WEB_HOOK_ADDED = "web_hook.added", _("Web hook added")
    WEB_HOOK_CHANGED = "web_hook.changed", _("Web hook changed")
    WEB_HOOK_PAUSED = "web_hook.paused", _("Web hook paused")
    WEB_HOOK_RESUMED = "web_hook.resumed", _("Web hook resumed")
    WEB_HOOK_TESTED = "web_hook.tested", _("Web hook tested")
    WEB_HOOK_SECRET_CHANGED = "web_hook.secret_changed", _("Secret of a web hook changed")
    WEB_HOOK_REPLAYED = "web_hook.replayed", _("Web hook sent everything again")
    WEB_HOOK_DELETED = "web_hook.deleted", _("Web hook deleted")

    # Signing in
    SIGNED_IN = "session.signed_in", _("Signed in")
    SIGNED_OUT = "session.signed_out", _("Signed out")
    SIGN_IN_LOCKED = "session.locked", _("Sign-in locked")
    SECOND_FACTOR_GIVEN = "factor.given", _("Second factor given")
    FACTOR_ADDED = "factor.added", _("Second factor added")
    FACTOR_REMOVED = "factor.removed", _("Second factor removed")
    RECOVERY_CODES_MADE = "factor.recovery_codes_made", _("Recovery codes made")
    RECOVERY_CODE_USED = "factor.recovery_code_used", _("Recovery code used")
    PASSWORD_CHANGED = "password.changed", _("Password changed")
    PASSWORD_REHASHED = "password.rehashed", _("Password stored anew")
    RESET_TICKET_GIVEN = "reset.given", _("Reset ticket given")
    RESET_TICKET_USED = "reset.used", _("Reset ticket used")
    SESSIONS_ENDED = "session.others_ended", _("Other sessions ended")

    # The history itself
    HISTORY_VERIFIED = "history.verified", _("Audit history verified")
    HISTORY_ANCHORED = "history.anchored", _("Tip of the audit history")
    TEXT_ERASED = "history.text_erased", _("Personal text erased")
    AUDIT_KEY_MADE = "history.key_made", _("Audit key made")
    RETENTION_CHANGED = "history.retention_changed", _("Retention of events changed")
    HISTORY_ARCHIVED = "history.archived", _("Events moved into an archive")
    ARCHIVE_TAKEN = "history.archive_taken", _("Archive downloaded")


# What an administrator is told of somebody before anybody has spoken with them: no part of that person's own history.
ABOUT_AND_NOT_FOR = frozenset(
    {Kind.INCIDENT_RAISED, Kind.INCIDENT_RESOLVED, Kind.INCIDENT_DISMISSED, Kind.INCIDENT_FIXED}
)


def kinds() -> list[tuple[str, str]]:
    """Return the kinds as choices. A callable, so that a new kind needs no migration of the history."""
    return [(kind.value, str(kind.label)) for kind in Kind]


def label_of(kind: str) -> str:
    """Return the words of a kind; one that is not known here stands as it is.

    Of a callable Django asks all choices anew for each event that it is to name.
    """
    try:
        return str(Kind(kind).label)
    except ValueError:
        return kind
