"""What may be done to an instance, and when (pim-behaviour.md §7.2); and the rules of deciding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from reviews.models import Opinion, Status
from roles.refusals import Rule, Violation
from roles.rules.asked import second_factor_missing
from roles.text import MAX_REASON, is_visible

MOST_AT_ONCE: Final = 500  # rows of one submitted form


@dataclass(frozen=True, slots=True)
class ActFacts:
    """What is known when an administrator stops, resets, reminds, applies or deletes."""

    status: Status
    allowed: bool
    second_factor: bool
    decided: int = 0
    refused: int = 0
    resetting: bool = False
    reminding: bool = False
    waited_for: bool = True


def not_allowed(facts: ActFacts) -> Violation | None:
    if not facts.allowed:
        return Violation("not_allowed", _("You may not manage access reviews here."))
    return None


def not_running(facts: ActFacts) -> Violation | None:
    if facts.status != Status.IN_PROGRESS:
        sentence = _("This review is not in progress: %(status)s.")
        return Violation("not_in_progress", sentence % {"status": str(facts.status.label).lower()})
    return None


def nothing_decided(facts: ActFacts) -> Violation | None:
    if not facts.decided:
        return Violation("nothing_decided", _("Nothing has been reviewed yet, so there is nothing to reset."))
    return None


def resetting(facts: ActFacts | DecideFacts) -> Violation | None:
    if facts.resetting:
        return Violation("resetting", _("This review is just being reset. Try again when it is done."))
    return None


def reminding(facts: ActFacts) -> Violation | None:
    if facts.reminding:
        return Violation("reminding", _("The reviewers are just being reminded."))
    return None


def everybody_finished(facts: ActFacts) -> Violation | None:
    if facts.status == Status.IN_PROGRESS and not facts.waited_for:
        return Violation("everybody_finished", _("Nothing waits for any reviewer now, so there is nobody to remind."))
    return None


def not_to_apply(facts: ActFacts) -> Violation | None:
    if facts.status == Status.COMPLETED or (facts.status == Status.APPLIED and facts.refused):
        return None
    if facts.status == Status.APPLIED:
        return Violation("applied", _("The results are applied already, and none of them failed."))
    sentence = _("Only the results of a completed review can be applied; this one: %(status)s.")
    return Violation("not_completed", sentence % {"status": str(facts.status.label).lower()})


def deleted(facts: ActFacts) -> Violation | None:
    if facts.status == Status.DELETED:
        return Violation("deleted", _("This access review was deleted."))
    return None


_ALWAYS: Final = (not_allowed, second_factor_missing)
STOP: Final[tuple[Rule[ActFacts], ...]] = (*_ALWAYS, not_running)
REMIND: Final[tuple[Rule[ActFacts], ...]] = (*_ALWAYS, not_running, reminding, everybody_finished)
RESET: Final[tuple[Rule[ActFacts], ...]] = (*_ALWAYS, not_running, nothing_decided, resetting)
APPLY: Final[tuple[Rule[ActFacts], ...]] = (*_ALWAYS, not_to_apply)
DELETE: Final[tuple[Rule[ActFacts], ...]] = (*_ALWAYS, deleted)


@dataclass(frozen=True, slots=True)
class DecideFacts:
    """What is known when a reviewer decides. `asked` rows were sent, `found` of them are theirs to review now."""

    status: Status
    stage_open: bool
    reviewer_enabled: bool
    second_factor: bool
    asked: int
    found: int
    opinions: frozenset[str]
    reason_required: bool
    approved_without_reason: bool
    longest_reason: int
    recommendations: bool = True
    resetting: bool = False
    still_saying: bool = False


def reviewing_is_over(facts: DecideFacts) -> Violation | None:
    if facts.status != Status.IN_PROGRESS or not facts.stage_open:
        return Violation("closed", _("This review is not open: nothing can be said any more."))
    return None


def reviewer_disabled(facts: DecideFacts) -> Violation | None:
    if not facts.reviewer_enabled:
        return Violation("disabled", _("Your account is disabled."))
    return None


def nothing_said(facts: DecideFacts) -> Violation | None:
    if not facts.asked:
        return Violation("nothing_said", _("Choose a verdict for at least one assignment."))
    if facts.asked > MOST_AT_ONCE:
        sentence = _("Decide at most %(most)s assignments at once.")
        return Violation("too_many", sentence % {"most": MOST_AT_ONCE})
    return None


def not_yours(facts: DecideFacts) -> Violation | None:
    missing = facts.asked - facts.found
    if facts.status == Status.IN_PROGRESS and facts.stage_open and missing > 0:
        sentence = ngettext(
            "%(count)s of these assignments is not yours to review. Load the page again.",
            "%(count)s of these assignments are not yours to review. Load the page again.",
            missing,
        )
        return Violation("not_yours", sentence % {"count": missing})
    return None


def no_verdict(facts: DecideFacts) -> Violation | None:
    if not facts.opinions <= {Opinion.APPROVE, Opinion.DENY, Opinion.DONT_KNOW}:
        return Violation("no_verdict", _("Approve, deny, or say that you do not know."))
    return None


def reason_missing(facts: DecideFacts) -> Violation | None:
    if facts.reason_required and facts.approved_without_reason:
        return Violation("reason_missing", _("This review asks for a reason with every approval."), "reason")
    return None


def reason_too_long(facts: DecideFacts) -> Violation | None:
    if facts.longest_reason > MAX_REASON:
        sentence = _("The reason is too long: at most %(limit)s characters.")
        return Violation("reason_too_long", sentence % {"limit": MAX_REASON}, "reason")
    return None


def still_saying(facts: DecideFacts) -> Violation | None:
    if facts.still_saying:
        return Violation("still_saying", _("What you said of all is still being saved. Wait until it is done."))
    return None


def no_recommendations(facts: DecideFacts) -> Violation | None:
    if not facts.recommendations:
        return Violation("no_recommendations", _("This review makes no recommendations."))
    return None


DECIDE: Final[tuple[Rule[DecideFacts], ...]] = (
    reviewing_is_over,
    resetting,
    reviewer_disabled,
    second_factor_missing,
    nothing_said,
    not_yours,
    no_verdict,
    reason_missing,
    reason_too_long,
)
DECIDE_ALL: Final[tuple[Rule[DecideFacts], ...]] = (
    reviewing_is_over,
    resetting,
    still_saying,
    reviewer_disabled,
    second_factor_missing,
    no_verdict,
    reason_missing,
    reason_too_long,
)
ACCEPT: Final[tuple[Rule[DecideFacts], ...]] = (
    reviewing_is_over,
    resetting,
    still_saying,
    reviewer_disabled,
    second_factor_missing,
    no_recommendations,
)


def has_reason(text: str) -> bool:
    """Return whether a reason says something."""
    return is_visible(text)
