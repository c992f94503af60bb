"""What nearly every change asks of whoever makes it: a fresh second factor, and a reason of some length."""

from __future__ import annotations

from typing import Protocol

from django.utils.translation import gettext as _

from roles.refusals import Violation
from roles.text import MAX_REASON, is_visible


class Made(Protocol):
    """The facts of a change that asks for a second factor."""

    @property
    def second_factor(self) -> bool: ...


class Reasoned(Protocol):
    """The facts of a change that takes a reason."""

    @property
    def reason(self) -> str: ...


def second_factor_missing(facts: Made) -> Violation | None:
    if not facts.second_factor:
        return Violation("second_factor", _("Enter a current code from your second factor."), "code")
    return None


def reason_too_long(facts: Reasoned) -> Violation | None:
    if len(facts.reason) > MAX_REASON:
        sentence = _("The reason is too long: at most %(limit)s characters.")
        return Violation("reason_too_long", sentence % {"limit": MAX_REASON}, "reason")
    return None


def reason_missing(facts: Reasoned) -> Violation | None:
    if not is_visible(facts.reason) or len(facts.reason) > MAX_REASON:
        sentence = _("Say why, in at most {limit} characters.").format(limit=MAX_REASON)
        return Violation("reason_missing", sentence, "reason")
    return None
