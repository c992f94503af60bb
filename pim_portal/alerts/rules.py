"""The rules of answering alerts: dismissing, fixing, changing what is set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from pim_portal.alerts.definitions.base import AlertKind
from roles.refusals import Violation
from roles.rules.asked import reason_missing, second_factor_missing

MOST_AT_ONCE = 5000  # incidents dismissed in one transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerFacts:
    """What is known when somebody is about to answer an alert."""

    allowed: bool
    second_factor: bool


def not_allowed(facts: AnswerFacts) -> Violation | None:
    if not facts.allowed:
        return Violation("not_allowed", _("You may not answer this alert here."))
    return None


def not_allowed_to_scan() -> Violation:
    """Say that a scan is for who may answer an alert."""
    return Violation("not_allowed", _("Only who may answer the alerts here can have them scanned."))


@dataclass(frozen=True, slots=True, kw_only=True)
class DismissFacts(AnswerFacts):
    """What is known when somebody is about to dismiss incidents."""

    count: int
    reason: str


def nothing_open(facts: DismissFacts) -> Violation | None:
    if not facts.count:
        return Violation("nothing_open", _("None of these incidents is open any more."))
    return None


def too_many(facts: DismissFacts) -> Violation | None:
    if facts.count > MOST_AT_ONCE:
        sentence = _("These are more than {most} incidents. Choose fewer, or raise what is set for the alert.")
        return Violation("too_many", sentence.format(most=MOST_AT_ONCE))
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class FixFacts:
    """What is known when somebody is about to fix an incident."""

    open: bool
    fixable: bool
    as_seen: bool
    still_so: bool
    reason: str


def is_over(facts: FixFacts) -> Violation | None:
    if not facts.open:
        return Violation("over", _("This incident is no longer open."))
    return None


def not_fixable(facts: FixFacts) -> Violation | None:
    if not facts.fixable:
        return Violation("not_fixable", _("This cannot be fixed from here."))
    return None


def changed_meanwhile(facts: FixFacts) -> Violation | None:
    if facts.open and not (facts.as_seen and facts.still_so):
        sentence = _("Something has changed since you looked. Look at what would be done now, and send it again.")
        return Violation("changed_meanwhile", sentence)
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsFacts(AnswerFacts):
    """What is known when somebody is about to change what is set for an alert."""

    kind: AlertKind
    as_seen: bool
    numbers: Mapping[str, int] = field(default_factory=dict)


def stale(facts: SettingsFacts) -> Violation | None:
    if not facts.as_seen:
        sentence = _("Somebody else has changed these settings meanwhile. Look at them, and send yours again.")
        return Violation("changed_meanwhile", sentence)
    return None


def out_of_range(facts: SettingsFacts) -> Violation | None:
    for one in facts.kind.settings:
        if not one.least <= facts.numbers.get(one.name, one.default) <= one.most:
            sentence = _("From {least} to {most}.").format(least=one.least, most=one.most)
            return Violation("out_of_range", sentence, one.name)
    return None


DISMISS = (not_allowed, second_factor_missing, nothing_open, too_many, reason_missing)
FIX = (is_over, not_fixable, changed_meanwhile, reason_missing)
CHANGE = (not_allowed, second_factor_missing, stale, out_of_range)
