"""The rules of making a change of settings alone, after nobody else has answered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from roles.refusals import Violation
from roles.rules.asked import reason_too_long, second_factor_missing
from roles.text import is_visible
from roles.wording import exact


@dataclass(frozen=True, slots=True)
class AloneFacts:
    """What is known when an author is about to make a change alone. `allowed_from`: a day after it was asked."""

    own: bool
    waits: bool
    now: datetime
    allowed_from: datetime
    as_seen: bool
    drifted: str  # what changed in the settings since, in words
    reason: str
    second_factor: bool


def not_yours(facts: AloneFacts) -> Violation | None:
    if not facts.own:
        return Violation("not_allowed", _("Only who proposed this change can make it alone."))
    return None


def over(facts: AloneFacts) -> Violation | None:
    if not facts.waits:
        return Violation("over", _("This change no longer waits: it was decided, cancelled, or has lapsed."))
    return None


def too_early(facts: AloneFacts) -> Violation | None:
    if facts.waits and facts.now < facts.allowed_from:
        sentence = _("Another administrator can still answer. You can make this change alone from {when} on.")
        return Violation("too_early", sentence.format(when=exact(facts.allowed_from)))
    return None


def changed_since_seen(facts: AloneFacts) -> Violation | None:
    if not facts.as_seen:
        return Violation("changed", _("This request changed since you opened the page. Look at it again."))
    return None


def settings_drifted(facts: AloneFacts) -> Violation | None:
    return drift(facts.drifted) if facts.waits and facts.drifted else None


def drift(what: str) -> Violation:
    """Say that the settings are not those any more that were to be changed."""
    sentence = _("These settings changed since this was proposed: {what}. It can be proposed anew.")
    return Violation("settings_changed", sentence.format(what=what))


def reason_missing(facts: AloneFacts) -> Violation | None:
    if not is_visible(facts.reason):
        return Violation("reason_missing", _("Say why it cannot wait for another administrator."), "reason")
    return None


MAY_ALONE = (not_yours, over, too_early, settings_drifted)
ALONE = (*MAY_ALONE, changed_since_seen, reason_missing, reason_too_long, second_factor_missing)
