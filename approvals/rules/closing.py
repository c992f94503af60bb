"""The rules of cancelling a request."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from roles.refusals import Violation
from roles.text import MAX_REASON, is_visible


@dataclass(frozen=True, slots=True)
class CancelFacts:
    """What is known when somebody is about to cancel a request, their own or as an administrator."""

    allowed: bool
    waits: bool
    reason: str = ""
    second_factor: bool = True


def not_yours(facts: CancelFacts) -> Violation | None:
    if not facts.allowed:
        return Violation("not_allowed", _("Only the person who asked can cancel this request."))
    return None


def not_administered(facts: CancelFacts) -> Violation | None:
    if not facts.allowed:
        return Violation("not_allowed", _("You do not administer the place that this request is about."))
    return None


def over(facts: CancelFacts) -> Violation | None:
    if not facts.waits:
        return Violation("over", _("This request no longer waits; there is nothing to cancel."))
    return None


def reason_missing(facts: CancelFacts) -> Violation | None:
    if not is_visible(facts.reason):
        return Violation("reason_missing", _("Say why you cancel somebody’s request."), "reason")
    return None


def reason_too_long(facts: CancelFacts) -> Violation | None:
    if len(facts.reason) > MAX_REASON:
        sentence = _("The reason is too long: at most %(limit)s characters.")
        return Violation("reason_too_long", sentence % {"limit": MAX_REASON}, "reason")
    return None


def no_second_factor(facts: CancelFacts) -> Violation | None:
    if not facts.second_factor:
        return Violation("second_factor", _("Enter a current code from your second factor."), "code")
    return None


CANCEL = (not_yours, over)
CANCEL_FOR = (not_administered, over, reason_missing, reason_too_long, no_second_factor)
