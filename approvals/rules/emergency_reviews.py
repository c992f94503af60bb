"""The rules of closing the review of an emergency: by somebody else, once, with a finding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from roles.refusals import Violation
from roles.rules.asked import second_factor_missing
from roles.text import MAX_REASON, is_visible


@dataclass(frozen=True, slots=True)
class CloseFacts:
    """What is known when somebody closes the review of an emergency.

    `own`: they activated it, or asked. `stood_in`: they were a deputy of who did at any moment since. `may`: they would
    have approved it then and would now, or administer the place. `others`: who could close it, for the operator.
    """

    own: bool
    stood_in: bool
    may: bool
    closed: bool
    justified: bool | None
    finding: str
    second_factor: bool = True
    others: Sequence[str] = ()


def own_emergency(facts: CloseFacts) -> Violation | None:
    if facts.own:
        return Violation("own_request", _("Somebody else reviews your emergency."))
    return None


def stood_in_for_the_holder(facts: CloseFacts) -> Violation | None:
    if facts.stood_in and not facts.own:
        sentence = _("You stood in as a deputy for the person who activated it: somebody else reviews it.")
        return Violation("deputy_of_holder", sentence)
    return None


def not_a_reviewer(facts: CloseFacts) -> Violation | None:
    if not facts.may and not facts.own and not facts.stood_in:
        sentence = _("Only who would have approved this, or who administers the place, can review it.")
        return Violation("not_a_reviewer", sentence)
    return None


def somebody_else_can(facts: CloseFacts) -> Violation | None:
    if facts.others:
        sentence = _("There are people who can close this review themselves: {names}.")
        return Violation("somebody_else_can", sentence.format(names=", ".join(facts.others)))
    return None


def closed_before(facts: CloseFacts) -> Violation | None:
    if facts.closed:
        return Violation("closed", _("This emergency was already reviewed."))
    return None


def nothing_chosen(facts: CloseFacts) -> Violation | None:
    if facts.justified is None:
        return Violation("justified_missing", _("Say whether it was justified."), "justified")
    return None


def finding_missing(facts: CloseFacts) -> Violation | None:
    if not is_visible(facts.finding):
        return Violation("finding_missing", _("Say what you found."), "finding")
    return None


def finding_too_long(facts: CloseFacts) -> Violation | None:
    if len(facts.finding) > MAX_REASON:
        sentence = _("The finding is too long: at most %(limit)s characters.")
        return Violation("finding_too_long", sentence % {"limit": MAX_REASON}, "finding")
    return None


MAY_CLOSE = (own_emergency, stood_in_for_the_holder, not_a_reviewer, closed_before)
CLOSE = (*MAY_CLOSE, nothing_chosen, finding_missing, finding_too_long, second_factor_missing)
# The operator has no second factor of the portal, and closes only what nobody else can.
CLOSE_AS_OPERATOR = (somebody_else_can, closed_before, finding_missing, finding_too_long)
