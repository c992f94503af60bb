"""The rules of naming a deputy."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from roles.models import User
from roles.refusals import Violation
from roles.rules.asked import reason_too_long, second_factor_missing
from roles.text import is_visible

LONGEST = timedelta(days=90)  # for how long somebody may stand in
AHEAD = timedelta(days=365)  # how far ahead it may be planned


@dataclass(frozen=True, slots=True)
class DeputyFacts:
    """What is known when an approver names a deputy. `deputy` None: nobody enabled is called so."""

    approver: User
    deputy: User | None
    starts_at: datetime
    ends_at: datetime
    reason: str
    named_already: bool
    second_factor: bool
    now: datetime


def nobody(facts: DeputyFacts) -> Violation | None:
    if facts.deputy is None:
        return Violation("nobody", _("Nobody who can sign in has this user name or e-mail address."), "deputy")
    return None


def oneself(facts: DeputyFacts) -> Violation | None:
    if facts.deputy is not None and facts.deputy.pk == facts.approver.pk:
        return Violation("oneself", _("Name somebody else: you decide in your own place anyway."), "deputy")
    return None


def named_already(facts: DeputyFacts) -> Violation | None:
    if facts.named_already:
        sentence = _("This person already stands in for you in that time. End that first, or choose another time.")
        return Violation("named_already", sentence, "deputy")
    return None


def ends_too_early(facts: DeputyFacts) -> Violation | None:
    if facts.ends_at <= max(facts.starts_at, facts.now):
        return Violation("ends_too_early", _("Choose an end after the start, and in the future."), "ends_at")
    return None


def on_the_clock(moment: datetime) -> datetime:
    """Return what the clock of whoever reads the page shows: its days have 25 hours where the clocks go back."""
    return timezone.localtime(moment).replace(tzinfo=None)


def too_long(facts: DeputyFacts) -> Violation | None:
    if on_the_clock(facts.ends_at) - on_the_clock(facts.starts_at) > LONGEST:
        sentence = _("Somebody can stand in for you for at most {days} days at a time.")
        return Violation("too_long", sentence.format(days=LONGEST.days), "ends_at")
    return None


def too_far_ahead(facts: DeputyFacts) -> Violation | None:
    if facts.starts_at > facts.now + AHEAD:
        sentence = _("The start may lie at most {days} days ahead.")
        return Violation("too_far_ahead", sentence.format(days=AHEAD.days), "starts_at")
    return None


def reason_missing(facts: DeputyFacts) -> Violation | None:
    if not is_visible(facts.reason):
        return Violation("reason_missing", _("Say why somebody stands in for you."), "reason")
    return None


NAME_DEPUTY = (
    nobody,
    oneself,
    named_already,
    ends_too_early,
    too_long,
    too_far_ahead,
    reason_missing,
    reason_too_long,
    second_factor_missing,
)
