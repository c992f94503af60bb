"""The rules of prolonging a running activation: those of activating, and that it runs and would last longer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from approvals.rules.activations import (
    ActivateFacts,
    duration_too_long,
    duration_too_short,
    nobody_to_approve,
    past_the_eligibility,
    reason_missing,
    ticket_missing,
    ticket_not_accepted,
    ticket_of_another_form,
    ticket_too_long,
)
from roles.models import Assignment
from roles.refusals import Violation
from roles.rules.asked import reason_too_long, second_factor_missing
from roles.rules.duties import kept_apart
from roles.wording import exact


@dataclass(frozen=True, slots=True, kw_only=True)
class ProlongFacts(ActivateFacts):
    """What is known when somebody asks to prolong an activation. `activation` None: it does not run (any more).

    `duration` counts from now, as with an activation: it is never longer than the settings allow from now on.
    """

    activation: Assignment | None


def not_running(facts: ProlongFacts) -> Violation | None:
    if facts.activation is None:
        return Violation("not_active", _("This role is not active any more. Activate it anew."))
    return None


def already_asked(facts: ProlongFacts) -> Violation | None:
    if facts.already_asked:
        return Violation("already_asked", _("Your request to prolong this role is already waiting for approval."))
    return None


def as_long_as_it_can_be(facts: ProlongFacts) -> Violation | None:
    """Its eligibility ends with it, or the settings allow no more from now than it has already."""
    end = facts.activation.ends_at if facts.activation else None
    if end is None:
        return None
    if facts.ends_at is not None and facts.ends_at <= end:
        return Violation("eligibility_ends", _("Your eligibility ends then, too: it has to be extended first."))
    if facts.now + facts.settings.max_activation <= end:
        sentence = _("It runs until %(end)s already, and the settings allow no more from now on.")
        return Violation("as_long_as_allowed", sentence % {"end": exact(end)})
    return None


def not_longer(end: datetime | None, now: datetime, duration: timedelta) -> Violation | None:
    """What is asked or granted must lie after the present end."""
    if end is not None and now + duration <= end:
        sentence = _("It runs until %(end)s already. Choose a longer time, counted from now.")
        return Violation("not_longer", sentence % {"end": exact(end)}, "duration")
    return None


def asks_for_less(facts: ProlongFacts) -> Violation | None:
    return not_longer(facts.activation.ends_at if facts.activation else None, facts.now, facts.duration)


PROLONG = (
    not_running,
    already_asked,
    as_long_as_it_can_be,
    kept_apart,
    nobody_to_approve,
    duration_too_short,
    duration_too_long,
    past_the_eligibility,
    asks_for_less,
    reason_missing,
    reason_too_long,
    ticket_missing,
    ticket_too_long,
    ticket_of_another_form,
    ticket_not_accepted,
    second_factor_missing,
)

# What can be said before anything is typed.
PROLONG_BEFOREHAND = (not_running, already_asked, as_long_as_it_can_be, kept_apart, nobody_to_approve)
