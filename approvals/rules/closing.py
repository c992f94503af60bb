"""The rules of cancelling a request."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from roles.refusals import Violation
from roles.rules.asked import reason_too_long, second_factor_missing
from roles.text import is_visible


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


CANCEL = (not_yours, over)
CANCEL_FOR = (not_administered, over, reason_missing, reason_too_long, second_factor_missing)
