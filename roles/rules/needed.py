"""What an act needs: the permissions by which somebody may have done what the history tells.

Each event of an act names the assignment by whose authority it was done. Where a kind is done by one permission or
another, all of those count as needed which that role gives: to need too much proposes nothing wrong.
"""

from __future__ import annotations

from typing import Final

from audit.kinds import Kind
from roles.catalogue import Permission

P = Permission

# Done by no permission: only the role itself, or whoever is named, can do it. No smaller role covers it.
ALONE: Final[frozenset[Permission]] = frozenset()

_ACTS: Final[dict[frozenset[Permission], tuple[Kind, ...]]] = {
    frozenset({P.ASSIGN}): (
        Kind.ASSIGNMENT_ADDED,
        Kind.ASSIGNMENT_CHANGED,
        Kind.ASSIGNMENT_REMOVED,
        Kind.REQUEST_CANCELLED,
        Kind.EMERGENCY_REVIEWED,
        Kind.INCIDENT_FIXED,
        Kind.REVIEW_CREATED,
        Kind.REVIEW_CHANGED,
        Kind.REVIEW_DELETED,
        Kind.REVIEW_RESET,
        Kind.REVIEW_STOPPED,
        Kind.REVIEW_APPLYING,
        Kind.REVIEW_APPLIED,
        Kind.REVIEW_REMINDED,
    ),
    frozenset({P.ASSIGN, P.DECIDE_RENEWALS}): (Kind.ASSIGNMENT_EXTENDED, Kind.ASSIGNMENT_RENEWED),
    frozenset({P.DECIDE_RENEWALS, P.CHANGE_SETTINGS}): (Kind.REQUEST_APPROVED, Kind.REQUEST_DENIED),
    frozenset({P.CHANGE_SETTINGS}): (
        Kind.ROLE_SETTINGS_CHANGED,
        Kind.ROLE_SETTINGS_CHANGED_ALONE,
        Kind.ROLE_SETTINGS_RESET,
    ),
    frozenset({P.DEFINE}): (
        Kind.ROLE_ADDED,
        Kind.ROLE_CHANGED,
        Kind.ROLE_RETIRED,
        Kind.ROLE_RESTORED,
        Kind.RESOURCE_ADDED,
        Kind.RESOURCE_RENAMED,
        Kind.RESOURCE_MOVED,
        Kind.RESOURCE_RETIRED,
        Kind.RESOURCE_RESTORED,
        Kind.IMPORTED,
    ),
    frozenset({P.SEPARATE}): (Kind.DUTY_RULE_ADDED, Kind.DUTY_RULE_CHANGED, Kind.DUTY_RULE_RETIRED),
    frozenset({P.ASSIGN, P.OPERATE}): (
        Kind.CHECKLIST_STEP_DISMISSED,
        Kind.INCIDENT_DISMISSED,
        Kind.ALERT_SETTINGS_CHANGED,
        Kind.ALERTS_SCANNED,
    ),
    frozenset({P.MANAGE_PEOPLE, P.DEFINE}): (
        Kind.PERSON_ADDED,
        Kind.PERSON_INVITED,
        Kind.PERSON_CHANGED,
        Kind.PERSON_DISABLED,
        Kind.PERSON_ENABLED,
    ),
    frozenset({P.RESET_PEOPLE}): (Kind.RESET_TICKET_GIVEN,),
    frozenset({P.MANAGE_GROUPS, P.DEFINE}): (
        Kind.GROUP_ADDED,
        Kind.GROUP_CHANGED,
        Kind.GROUP_DISABLED,
        Kind.GROUP_ENABLED,
    ),
    frozenset({P.SEE_AUDIT, P.DEFINE}): (Kind.EXPORTED,),
    frozenset({P.SEE_AUDIT}): (Kind.HISTORY_VERIFIED, Kind.ARCHIVE_TAKEN),
    frozenset({P.OPERATE}): (
        Kind.MAILS_SENT_AGAIN,
        Kind.TEXT_ERASED,
        Kind.RETENTION_CHANGED,
        Kind.WEB_HOOK_ADDED,
        Kind.WEB_HOOK_CHANGED,
        Kind.WEB_HOOK_PAUSED,
        Kind.WEB_HOOK_RESUMED,
        Kind.WEB_HOOK_TESTED,
        Kind.WEB_HOOK_SECRET_CHANGED,
        Kind.WEB_HOOK_REPLAYED,
        Kind.WEB_HOOK_DELETED,
    ),
    ALONE: (Kind.ACCESS_ELEVATED, Kind.PORTAL_SET_UP),
}

# What somebody does for themselves, what follows from another act or from the clock, and what the portal does: it says
# nothing of what a role is needed for. To have a role, to activate it and to put it down is no use of it.
NO_ACTS: Final[frozenset[Kind]] = frozenset(
    {
        Kind.ASSIGNMENT_EXPIRED,
        Kind.ASSIGNMENT_ENDED,
        Kind.ACTIVATION_STARTED,
        Kind.ACTIVATION_PROLONGED,
        Kind.ACTIVATION_DEACTIVATED,
        Kind.ACTIVATION_EXPIRED,
        Kind.ACTIVATION_ENDED,
        Kind.REQUEST_MADE,
        Kind.REQUEST_LAPSED,
        Kind.REQUEST_FAILED,
        Kind.DEPUTY_NAMED,
        Kind.DEPUTY_ENDED,
        Kind.EMERGENCY_STARTED,
        Kind.REVIEW_STARTED,
        Kind.REVIEW_STAGE_STARTED,
        Kind.REVIEW_ASKED,
        Kind.REVIEW_DECIDED,
        Kind.REVIEW_ANSWERED,
        Kind.REVIEW_COMPLETED,
        Kind.REVIEW_WAITS,
        Kind.INCIDENT_RAISED,
        Kind.INCIDENT_RESOLVED,
        Kind.ALERT_RAISED,
        Kind.ALERT_RESOLVED,
        Kind.PERSON_JOINED,
        Kind.NOTIFICATIONS_CHOSEN,
        Kind.SIGNED_IN,
        Kind.SIGNED_OUT,
        Kind.SIGN_IN_LOCKED,
        Kind.SECOND_FACTOR_GIVEN,
        Kind.FACTOR_ADDED,
        Kind.FACTOR_REMOVED,
        Kind.RECOVERY_CODES_MADE,
        Kind.RECOVERY_CODE_USED,
        Kind.PASSWORD_CHANGED,
        Kind.PASSWORD_REHASHED,
        Kind.RESET_TICKET_USED,
        Kind.SESSIONS_ENDED,
        Kind.HISTORY_ANCHORED,
        Kind.HISTORY_ARCHIVED,
        Kind.AUDIT_KEY_MADE,
        Kind.SECRETS_ENCRYPTED,
    }
)

NEEDED: Final[dict[Kind, frozenset[Permission]]] = {kind: needs for needs, kinds in _ACTS.items() for kind in kinds}
