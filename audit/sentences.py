"""What happened, in a sentence for people: one for every kind of event, done or only tried.

The names are those of the moment, from the event's text; erased ones show as erased. Placeholders are named, so that
another language can put them in its own order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from django.utils.dateparse import parse_datetime
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from audit.kinds import Kind, Outcome
from audit.models import Event

ERASED: Final = gettext_lazy("(erased)")


class Wording(NamedTuple):
    """A kind of event in words: what was done, and what somebody tried to do."""

    done: str | Promise
    tried: str | Promise


# How an attempt ended.
ENDINGS: Final[dict[Outcome, str | Promise]] = {
    Outcome.REFUSED: gettext_lazy("{attempt}: refused."),
    Outcome.FAILED: gettext_lazy("{attempt}: failed."),
}

# What stands for a name that the event never had, such as the role in an attempt on an unknown id.
_NAMELESS: Final[dict[str, str | Promise]] = {
    "actor": gettext_lazy("Somebody"),
    "target": gettext_lazy("somebody"),
    "role": gettext_lazy("a role"),
    "resource": gettext_lazy("a resource"),
    "review": gettext_lazy("an access review"),
    "instead": gettext_lazy("an approver"),
}

WORDINGS: Final[dict[Kind, Wording]] = {
    Kind.PORTAL_SET_UP: Wording(
        gettext_lazy("The portal was set up, with {target} as its first administrator."),
        gettext_lazy("{actor} tried to set up the portal"),
    ),
    Kind.CHECKLIST_STEP_DISMISSED: Wording(
        gettext_lazy("{actor} dismissed a step of the set-up checklist."),
        gettext_lazy("{actor} tried to dismiss a step of the set-up checklist"),
    ),
    Kind.ASSIGNMENT_ADDED: Wording(
        gettext_lazy("{actor} assigned {role} at {resource} to {target}."),
        gettext_lazy("{actor} tried to assign {role} at {resource} to {target}"),
    ),
    Kind.ASSIGNMENT_CHANGED: Wording(
        gettext_lazy("{actor} changed the assignment of {role} at {resource} to {target}."),
        gettext_lazy("{actor} tried to change the assignment of {role} at {resource} to {target}"),
    ),
    Kind.ASSIGNMENT_EXTENDED: Wording(
        gettext_lazy("{actor} extended the assignment of {role} at {resource} to {target}."),
        gettext_lazy("{actor} tried to extend the assignment of {role} at {resource} to {target}"),
    ),
    Kind.ASSIGNMENT_RENEWED: Wording(
        gettext_lazy("{actor} renewed the assignment of {role} at {resource} to {target}."),
        gettext_lazy("{actor} tried to renew the assignment of {role} at {resource} to {target}"),
    ),
    Kind.ASSIGNMENT_REMOVED: Wording(
        gettext_lazy("{actor} removed the assignment of {role} at {resource} from {target}."),
        gettext_lazy("{actor} tried to remove the assignment of {role} at {resource} from {target}"),
    ),
    Kind.ASSIGNMENT_EXPIRED: Wording(
        gettext_lazy("The assignment of {role} at {resource} to {target} ended: its time was over."),
        gettext_lazy("{actor} tried to end the assignment of {role} at {resource} to {target}"),
    ),
    Kind.ASSIGNMENT_ENDED: Wording(
        gettext_lazy("The assignment of {role} at {resource} to {target} ended."),
        gettext_lazy("{actor} tried to end the assignment of {role} at {resource} to {target}"),
    ),
    Kind.ACTIVATION_STARTED: Wording(
        gettext_lazy("{actor} activated {role} at {resource}."),
        gettext_lazy("{actor} tried to activate {role} at {resource}"),
    ),
    Kind.ACTIVATION_PROLONGED: Wording(
        gettext_lazy("{actor} prolonged {role} at {resource}."),
        gettext_lazy("{actor} tried to prolong {role} at {resource}"),
    ),
    Kind.ACTIVATION_DEACTIVATED: Wording(
        gettext_lazy("{actor} deactivated {role} at {resource}."),
        gettext_lazy("{actor} tried to deactivate {role} at {resource}"),
    ),
    Kind.ACTIVATION_EXPIRED: Wording(
        gettext_lazy("{role} at {resource} is no longer active for {target}: its time was over."),
        gettext_lazy("{actor} tried to end {role} at {resource} for {target}"),
    ),
    Kind.ACTIVATION_ENDED: Wording(
        gettext_lazy("{role} at {resource} is no longer active for {target}."),
        gettext_lazy("{actor} tried to end {role} at {resource} for {target}"),
    ),
    Kind.REQUEST_MADE: Wording(
        gettext_lazy("{actor} asked for {role} at {resource}."),
        gettext_lazy("{actor} tried to ask for {role} at {resource}"),
    ),
    Kind.REQUEST_APPROVED: Wording(
        gettext_lazy("{actor} approved the request of {target} for {role} at {resource}."),
        gettext_lazy("{actor} tried to approve the request of {target} for {role} at {resource}"),
    ),
    Kind.REQUEST_DENIED: Wording(
        gettext_lazy("{actor} denied the request of {target} for {role} at {resource}."),
        gettext_lazy("{actor} tried to deny the request of {target} for {role} at {resource}"),
    ),
    Kind.REQUEST_CANCELLED: Wording(
        gettext_lazy("{actor} cancelled the request of {target} for {role} at {resource}."),
        gettext_lazy("{actor} tried to cancel the request of {target} for {role} at {resource}"),
    ),
    Kind.REQUEST_LAPSED: Wording(
        gettext_lazy("The request of {target} for {role} at {resource} lapsed."),
        gettext_lazy("{actor} tried to let the request of {target} for {role} at {resource} lapse"),
    ),
    Kind.REQUEST_FAILED: Wording(
        gettext_lazy("The request of {target} for {role} at {resource} could not be granted."),
        gettext_lazy("{actor} tried to close the request of {target} for {role} at {resource}"),
    ),
    Kind.DEPUTY_NAMED: Wording(
        gettext_lazy("{actor} named {target} as a deputy, to decide requests in their place."),
        gettext_lazy("{actor} tried to name a deputy"),
    ),
    Kind.DEPUTY_ENDED: Wording(
        gettext_lazy("{actor} ended that {target} decides requests in place of {instead}."),
        gettext_lazy("{actor} tried to end what a deputy may do"),
    ),
    Kind.REVIEW_CREATED: Wording(
        gettext_lazy("{actor} created the access review “{review}” at {resource}."),
        gettext_lazy("{actor} tried to create the access review “{review}” at {resource}"),
    ),
    Kind.REVIEW_CHANGED: Wording(
        gettext_lazy("{actor} changed the access review “{review}” at {resource}."),
        gettext_lazy("{actor} tried to change the access review “{review}” at {resource}"),
    ),
    Kind.REVIEW_DELETED: Wording(
        gettext_lazy("{actor} deleted the access review “{review}” at {resource}."),
        gettext_lazy("{actor} tried to delete the access review “{review}” at {resource}"),
    ),
    Kind.REVIEW_STARTED: Wording(
        gettext_lazy("The access review “{review}” at {resource} started."),
        gettext_lazy("{actor} tried to start the access review “{review}” at {resource}"),
    ),
    Kind.REVIEW_STAGE_STARTED: Wording(
        gettext_lazy("The next stage of the access review “{review}” at {resource} started."),
        gettext_lazy("{actor} tried to start a stage of the access review “{review}” at {resource}"),
    ),
    Kind.REVIEW_REMINDED: Wording(
        gettext_lazy("{actor} reminded the reviewers of the access review “{review}” at {resource}."),
        gettext_lazy("{actor} tried to remind the reviewers of the access review “{review}” at {resource}"),
    ),
    Kind.REVIEW_DECIDED: Wording(
        gettext_lazy("{actor} reviewed access in the access review “{review}” at {resource}."),
        gettext_lazy("{actor} tried to review access in the access review “{review}” at {resource}"),
    ),
    Kind.REVIEW_RESET: Wording(
        gettext_lazy("{actor} reset the access review “{review}” at {resource}: everything is to be reviewed again."),
        gettext_lazy("{actor} tried to reset the access review “{review}” at {resource}"),
    ),
    Kind.REVIEW_STOPPED: Wording(
        gettext_lazy("{actor} stopped the access review “{review}” at {resource}."),
        gettext_lazy("{actor} tried to stop the access review “{review}” at {resource}"),
    ),
    Kind.REVIEW_COMPLETED: Wording(
        gettext_lazy("The access review “{review}” at {resource} was completed."),
        gettext_lazy("{actor} tried to complete the access review “{review}” at {resource}"),
    ),
    Kind.REVIEW_WAITS: Wording(
        gettext_lazy(
            "The results of the access review “{review}” at {resource} wait to be applied: "
            "whoever set it up may not remove assignments there any more."
        ),
        gettext_lazy("{actor} tried to leave the results of the access review “{review}” at {resource} to somebody"),
    ),
    Kind.REVIEW_APPLYING: Wording(
        gettext_lazy("{actor} began to apply the results of the access review “{review}” at {resource}."),
        gettext_lazy("{actor} tried to apply the results of the access review “{review}” at {resource}"),
    ),
    Kind.REVIEW_APPLIED: Wording(
        gettext_lazy("The results of the access review “{review}” at {resource} were applied."),
        gettext_lazy("{actor} tried to apply the results of the access review “{review}” at {resource}"),
    ),
    Kind.ROLE_ADDED: Wording(
        gettext_lazy("{actor} added the role {role}."),
        gettext_lazy("{actor} tried to add the role {role}"),
    ),
    Kind.ROLE_CHANGED: Wording(
        gettext_lazy("{actor} changed the role {role}."),
        gettext_lazy("{actor} tried to change the role {role}"),
    ),
    Kind.ROLE_RETIRED: Wording(
        gettext_lazy("{actor} retired the role {role}."),
        gettext_lazy("{actor} tried to retire the role {role}"),
    ),
    Kind.ROLE_RESTORED: Wording(
        gettext_lazy("{actor} restored the role {role}."),
        gettext_lazy("{actor} tried to restore the role {role}"),
    ),
    Kind.ROLE_SETTINGS_CHANGED: Wording(
        gettext_lazy("{actor} changed the settings of {role} at {resource}."),
        gettext_lazy("{actor} tried to change the settings of {role} at {resource}"),
    ),
    Kind.ROLE_SETTINGS_RESET: Wording(
        gettext_lazy("{actor} let the settings of {role} at {resource} come from above again."),
        gettext_lazy("{actor} tried to let the settings of {role} at {resource} come from above again"),
    ),
    Kind.RESOURCE_ADDED: Wording(
        gettext_lazy("{actor} added the resource {resource}."),
        gettext_lazy("{actor} tried to add the resource {resource}"),
    ),
    Kind.RESOURCE_RENAMED: Wording(
        gettext_lazy("{actor} renamed the resource {resource}."),
        gettext_lazy("{actor} tried to rename the resource {resource}"),
    ),
    Kind.RESOURCE_MOVED: Wording(
        gettext_lazy("{actor} moved the resource {resource}."),
        gettext_lazy("{actor} tried to move the resource {resource}"),
    ),
    Kind.RESOURCE_RETIRED: Wording(
        gettext_lazy("{actor} retired the resource {resource}."),
        gettext_lazy("{actor} tried to retire the resource {resource}"),
    ),
    Kind.RESOURCE_RESTORED: Wording(
        gettext_lazy("{actor} restored the resource {resource}."),
        gettext_lazy("{actor} tried to restore the resource {resource}"),
    ),
    Kind.ACCESS_ELEVATED: Wording(
        gettext_lazy("{actor} elevated their access: {role} at {resource}."),
        gettext_lazy("{actor} tried to elevate their access at {resource}"),
    ),
    Kind.PERSON_ADDED: Wording(
        gettext_lazy("{actor} added {target}."),
        gettext_lazy("{actor} tried to add {target}"),
    ),
    Kind.PERSON_INVITED: Wording(
        gettext_lazy("{actor} invited {target}."),
        gettext_lazy("{actor} tried to invite {target}"),
    ),
    Kind.PERSON_JOINED: Wording(
        gettext_lazy("{target} accepted the invitation."),
        gettext_lazy("{actor} tried to accept an invitation"),
    ),
    Kind.PERSON_CHANGED: Wording(
        gettext_lazy("{actor} changed what the portal knows of {target}."),
        gettext_lazy("{actor} tried to change what the portal knows of {target}"),
    ),
    Kind.PERSON_DISABLED: Wording(
        gettext_lazy("{actor} disabled {target}."),
        gettext_lazy("{actor} tried to disable {target}"),
    ),
    Kind.PERSON_ENABLED: Wording(
        gettext_lazy("{actor} enabled {target}."),
        gettext_lazy("{actor} tried to enable {target}"),
    ),
    Kind.GROUP_ADDED: Wording(
        gettext_lazy("{actor} added the group {target}."),
        gettext_lazy("{actor} tried to add the group {target}"),
    ),
    Kind.GROUP_CHANGED: Wording(
        gettext_lazy("{actor} changed the group {target}."),
        gettext_lazy("{actor} tried to change the group {target}"),
    ),
    Kind.GROUP_DISABLED: Wording(
        gettext_lazy("{actor} disabled the group {target}."),
        gettext_lazy("{actor} tried to disable the group {target}"),
    ),
    Kind.GROUP_ENABLED: Wording(
        gettext_lazy("{actor} enabled the group {target}."),
        gettext_lazy("{actor} tried to enable the group {target}"),
    ),
    Kind.IMPORTED: Wording(
        gettext_lazy("{actor} applied an import."),
        gettext_lazy("{actor} tried to apply an import"),
    ),
    Kind.EXPORTED: Wording(
        gettext_lazy("{actor} exported everything that they may see."),
        gettext_lazy("{actor} tried to export everything that they may see"),
    ),
    Kind.SIGNED_IN: Wording(
        gettext_lazy("{actor} signed in."),
        gettext_lazy("{actor} tried to sign in"),
    ),
    Kind.SIGNED_OUT: Wording(
        gettext_lazy("{actor} signed out."),
        gettext_lazy("{actor} tried to sign out"),
    ),
    Kind.SIGN_IN_LOCKED: Wording(
        gettext_lazy("Sign-in as {target} was locked for a while after too many wrong passwords."),
        gettext_lazy("{actor} tried to lock the sign-in of {target}"),
    ),
    Kind.SECOND_FACTOR_GIVEN: Wording(
        gettext_lazy("{actor} gave a second factor."),
        gettext_lazy("{actor} tried to give a second factor"),
    ),
    Kind.FACTOR_ADDED: Wording(
        gettext_lazy("{actor} added a second factor."),
        gettext_lazy("{actor} tried to add a second factor"),
    ),
    Kind.FACTOR_REMOVED: Wording(
        gettext_lazy("{actor} removed a second factor."),
        gettext_lazy("{actor} tried to remove a second factor"),
    ),
    Kind.RECOVERY_CODES_MADE: Wording(
        gettext_lazy("{actor} made new recovery codes."),
        gettext_lazy("{actor} tried to make new recovery codes"),
    ),
    Kind.RECOVERY_CODE_USED: Wording(
        gettext_lazy("{actor} used a recovery code as second factor."),
        gettext_lazy("{actor} tried to use a recovery code"),
    ),
    Kind.PASSWORD_CHANGED: Wording(
        gettext_lazy("{actor} changed the password of {target}."),
        gettext_lazy("{actor} tried to change the password of {target}"),
    ),
    Kind.PASSWORD_REHASHED: Wording(
        gettext_lazy("The password of {target} is stored in a newer form; it stayed the same."),
        gettext_lazy("{actor} tried to store the password of {target} in a newer form"),
    ),
    Kind.RESET_TICKET_GIVEN: Wording(
        gettext_lazy("{actor} gave {target} a reset ticket."),
        gettext_lazy("{actor} tried to give {target} a reset ticket"),
    ),
    Kind.RESET_TICKET_USED: Wording(
        gettext_lazy("{target} used a reset ticket."),
        gettext_lazy("{actor} tried to use a reset ticket"),
    ),
    Kind.NOTIFICATIONS_CHOSEN: Wording(
        gettext_lazy("{actor} chose which mails they get."),
        gettext_lazy("{actor} tried to choose which mails they get"),
    ),
    Kind.MAILS_SENT_AGAIN: Wording(
        gettext_lazy("{actor} had mails sent again that were set aside."),
        gettext_lazy("{actor} tried to send mails again that were set aside"),
    ),
    Kind.SESSIONS_ENDED: Wording(
        gettext_lazy("{actor} ended the other sessions of {target}."),
        gettext_lazy("{actor} tried to end the other sessions of {target}"),
    ),
    Kind.HISTORY_VERIFIED: Wording(
        gettext_lazy("{actor} verified the audit history: nothing was changed."),
        gettext_lazy("{actor} tried to verify the audit history"),
    ),
    Kind.HISTORY_ANCHORED: Wording(
        gettext_lazy("The tip of the audit history was sent to the auditors."),
        gettext_lazy("{actor} tried to send the tip of the audit history to the auditors"),
    ),
    Kind.TEXT_ERASED: Wording(
        gettext_lazy("{actor} erased personal text from the audit history."),
        gettext_lazy("{actor} tried to erase personal text from the audit history"),
    ),
    Kind.AUDIT_KEY_MADE: Wording(
        gettext_lazy("{actor} made a new key that signs the audit history."),
        gettext_lazy("{actor} tried to make a new key that signs the audit history"),
    ),
}


def _own(event: Event) -> bool:
    return event.target_id is not None and event.target_id == event.actor_id


def _for_somebody_else(event: Event) -> bool:
    return event.target_id is not None and event.target_id != event.actor_id


def _eligible(event: Event) -> bool:
    return bool(event.details.get("type") == "eligible")


def _asks_to(action: str) -> Callable[[Event], bool]:
    """Return whether a request of this action was made."""
    return lambda event: bool(event.details.get("action") == action)


def _planned(event: Event) -> bool:
    """Return whether what was activated begins later than it was activated."""
    starts_at = parse_datetime(str(event.details.get("starts_at", "")))
    return starts_at is not None and starts_at > event.occurred_at


def _planned_for_somebody_else(event: Event) -> bool:
    return _planned(event) and _for_somebody_else(event)


def _default_settings(event: Event) -> bool:
    return event.resource_id is None and "resource" not in event.commitments


# Where one sentence would not do, the first that fits is said instead.
def _by_a_deputy(event: Event) -> bool:
    return "instead_of" in event.details


VARIANTS: Final[dict[Kind, list[tuple[Callable[[Event], bool], Wording]]]] = {
    Kind.ASSIGNMENT_ADDED: [
        (
            _eligible,
            Wording(
                gettext_lazy("{actor} made {target} eligible for {role} at {resource}."),
                gettext_lazy("{actor} tried to make {target} eligible for {role} at {resource}"),
            ),
        )
    ],
    Kind.REQUEST_APPROVED: [
        (
            _by_a_deputy,
            Wording(
                gettext_lazy(
                    "{actor} approved, in place of {instead}, the request of {target} for {role} at {resource}."
                ),
                gettext_lazy("{actor} tried to approve the request of {target} for {role} at {resource}"),
            ),
        )
    ],
    Kind.REQUEST_DENIED: [
        (
            _by_a_deputy,
            Wording(
                gettext_lazy(
                    "{actor} denied, in place of {instead}, the request of {target} for {role} at {resource}."
                ),
                gettext_lazy("{actor} tried to deny the request of {target} for {role} at {resource}"),
            ),
        )
    ],
    Kind.ASSIGNMENT_EXPIRED: [
        (
            _eligible,
            Wording(
                gettext_lazy("{target} is no longer eligible for {role} at {resource}: the time was over."),
                gettext_lazy("{actor} tried to end the eligibility of {target} for {role} at {resource}"),
            ),
        )
    ],
    Kind.ASSIGNMENT_REMOVED: [
        (
            _eligible,
            Wording(
                gettext_lazy("{actor} removed the eligibility of {target} for {role} at {resource}."),
                gettext_lazy("{actor} tried to remove the eligibility of {target} for {role} at {resource}"),
            ),
        )
    ],
    Kind.ACTIVATION_STARTED: [
        (
            _planned_for_somebody_else,
            Wording(
                gettext_lazy("{role} at {resource} was planned for {target}, approved by {actor}."),
                gettext_lazy("{actor} tried to plan {role} at {resource} for {target}"),
            ),
        ),
        (
            _planned,
            Wording(
                gettext_lazy("{actor} planned to have {role} at {resource} later."),
                gettext_lazy("{actor} tried to plan {role} at {resource}"),
            ),
        ),
        (
            _for_somebody_else,
            Wording(
                gettext_lazy("{role} at {resource} was activated for {target}, approved by {actor}."),
                gettext_lazy("{actor} tried to activate {role} at {resource} for {target}"),
            ),
        ),
    ],
    Kind.REQUEST_MADE: [
        (
            _asks_to("extend"),
            Wording(
                gettext_lazy("{actor} asked to extend {role} at {resource}."),
                gettext_lazy("{actor} tried to ask to extend {role} at {resource}"),
            ),
        ),
        (
            _asks_to("renew"),
            Wording(
                gettext_lazy("{actor} asked to renew {role} at {resource}."),
                gettext_lazy("{actor} tried to ask to renew {role} at {resource}"),
            ),
        ),
        (
            _asks_to("prolong"),
            Wording(
                gettext_lazy("{actor} asked to prolong {role} at {resource}."),
                gettext_lazy("{actor} tried to ask to prolong {role} at {resource}"),
            ),
        ),
    ],
    Kind.ACTIVATION_PROLONGED: [
        (
            _for_somebody_else,
            Wording(
                gettext_lazy("{role} at {resource} was prolonged for {target}, approved by {actor}."),
                gettext_lazy("{actor} tried to prolong {role} at {resource} for {target}"),
            ),
        )
    ],
    Kind.REQUEST_CANCELLED: [
        (
            _own,
            Wording(
                gettext_lazy("{actor} cancelled their request for {role} at {resource}."),
                gettext_lazy("{actor} tried to cancel their request for {role} at {resource}"),
            ),
        )
    ],
    Kind.PERSON_CHANGED: [
        (
            _own,
            Wording(
                gettext_lazy("{actor} changed their account."),
                gettext_lazy("{actor} tried to change their account"),
            ),
        )
    ],
    Kind.SIGNED_IN: [
        (
            _for_somebody_else,
            Wording(
                gettext_lazy("{actor} signed in as {target}."),
                gettext_lazy("{actor} tried to sign in as {target}"),
            ),
        )
    ],
    Kind.ROLE_SETTINGS_CHANGED: [
        (
            _default_settings,
            Wording(
                gettext_lazy("{actor} changed the default settings of {role}."),
                gettext_lazy("{actor} tried to change the default settings of {role}"),
            ),
        )
    ],
    Kind.FACTOR_REMOVED: [
        (
            _for_somebody_else,
            Wording(
                gettext_lazy("{actor} removed the second factor of {target}."),
                gettext_lazy("{actor} tried to remove the second factor of {target}"),
            ),
        )
    ],
    Kind.PASSWORD_CHANGED: [
        (
            _own,
            Wording(
                gettext_lazy("{actor} changed their password."),
                gettext_lazy("{actor} tried to change their password"),
            ),
        )
    ],
    Kind.SESSIONS_ENDED: [
        (
            _own,
            Wording(
                gettext_lazy("{actor} ended all their other sessions."),
                gettext_lazy("{actor} tried to end all their other sessions"),
            ),
        )
    ],
}


def said(event: Event, name: str) -> str:
    """Return one text of an event, such as its reason; "(erased)" where it was erased, empty where there was none."""
    if name not in event.commitments:
        return ""
    return str(event.text.fields.get(name, ERASED))


def who(event: Event) -> str:
    """Say who acted: a person, the portal, its operator, or nobody knows who."""
    return said(event, "actor") or str(_NAMELESS["actor"])


def sentence(event: Event) -> str:
    """Say what happened, in the names of that moment."""
    wording = WORDINGS[Kind(event.kind)]
    for fits, variant in VARIANTS.get(Kind(event.kind), []):
        if fits(event):
            wording = variant
            break
    names = {name: said(event, name) or str(nameless) for name, nameless in _NAMELESS.items()}
    if event.outcome == Outcome.DONE:
        return str(wording.done).format(**names)
    attempt = str(wording.tried).format(**names)
    return str(ENDINGS[Outcome(event.outcome)]).format(attempt=attempt)


def why(event: Event) -> str:
    """Say why: the justification of who decided, else the reason of who asked or acted."""
    return said(event, "justification") or said(event, "reason")
