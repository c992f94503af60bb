"""The rules of asking for a role; each is a sentence, all broken ones are told at once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from approvals.rules import tickets
from approvals.selectors.approvers import Panel
from approvals.ticket_checks import TicketCheck, TicketSubject
from roles.models import Assignment
from roles.refusals import Violation
from roles.rules.asked import reason_too_long, second_factor_missing
from roles.rules.duties import kept_apart
from roles.selectors.duties.clashes import Clash
from roles.selectors.seats import Need, shortages
from roles.selectors.settings import EffectiveSettings
from roles.text import is_visible
from roles.wording import exact, span

SHORTEST = timedelta(minutes=5)  # an activation; also the shortest maximum that settings can have
SLACK = timedelta(minutes=5)  # how long filling in a form may take
HORIZON = timedelta(days=90)  # how far ahead an activation may be planned


@dataclass(frozen=True, slots=True)
class ActivateFacts:
    """What is known when somebody asks to activate a role. `eligibility` None: not eligible (any more).

    `ends_at` is when the eligibility ends for this person (`roles.selectors.assignments.ends_for`).
    """

    eligibility: Assignment | None
    settings: EffectiveSettings
    now: datetime
    start: datetime | None
    duration: timedelta
    reason: str
    ticket: str
    panels: tuple[Panel, ...]
    second_factor: bool
    inside: bool
    already_active: bool
    already_asked: bool
    ends_at: datetime | None
    subject: TicketSubject
    ticket_check: TicketCheck | None
    clashes: tuple[Clash, ...] = ()

    @property
    def begins(self) -> datetime:
        return max(self.start or self.now, self.now)


def not_eligible(facts: ActivateFacts) -> Violation | None:
    if facts.eligibility is None:
        return Violation("not_eligible", _("You are not eligible for this role now."))
    return None


def outside_the_eligibility(facts: ActivateFacts) -> Violation | None:
    if not facts.inside:
        return Violation("outside", _("Choose a resource at or below the one that you are eligible at."), "resource")
    return None


def already_active(facts: ActivateFacts) -> Violation | None:
    if facts.already_active:
        return Violation("already_active", _("This role is already active, or its activation is planned."))
    return None


def already_asked(facts: ActivateFacts) -> Violation | None:
    if facts.already_asked:
        return Violation("already_asked", _("Your request for this role is already waiting for approval."))
    return None


def start_in_the_past(facts: ActivateFacts) -> Violation | None:
    if facts.start is not None and facts.start < facts.now - SLACK:
        return Violation("start_in_past", _("The start lies in the past. Choose now, or a later time."), "start")
    return None


def start_too_far_ahead(facts: ActivateFacts) -> Violation | None:
    if facts.start is not None and facts.start > facts.now + HORIZON:
        sentence = _("The start may lie at most %(days)s days ahead.")
        return Violation("start_too_far", sentence % {"days": HORIZON.days}, "start")
    return None


def duration_too_short(facts: ActivateFacts) -> Violation | None:
    if facts.duration < SHORTEST:
        sentence = _("A role is activated for at least %(shortest)s.")
        return Violation("duration_too_short", sentence % {"shortest": span(SHORTEST)}, "duration")
    return None


def duration_too_long(facts: ActivateFacts) -> Violation | None:
    if facts.duration > facts.settings.max_activation:
        sentence = _("This role can be active for at most %(longest)s.")
        return Violation("duration_too_long", sentence % {"longest": span(facts.settings.max_activation)}, "duration")
    return None


def past_the_eligibility(facts: ActivateFacts) -> Violation | None:
    """An activation never outlives the eligibility behind it; a form's minutes of delay are cut off, not refused."""
    end = facts.ends_at
    if end is None:
        return None
    if facts.begins >= end:
        sentence = _("Your eligibility ends on %(end)s. Choose an earlier start.")
        return Violation("starts_after_eligibility", sentence % {"end": exact(end)}, "start")
    left = end - facts.begins
    if left >= SHORTEST and facts.duration > left + SLACK:
        sentence = _("Your eligibility ends on %(end)s. Choose a shorter duration.")
        return Violation("past_eligibility", sentence % {"end": exact(end)}, "duration")
    return None


def reason_missing(facts: ActivateFacts) -> Violation | None:
    if facts.settings.reason_required and not is_visible(facts.reason):
        return Violation("reason_missing", _("Say why you need this role."), "reason")
    return None


def ticket_missing(facts: ActivateFacts) -> Violation | None:
    return tickets.missing(facts.settings, facts.ticket)


def ticket_too_long(facts: ActivateFacts) -> Violation | None:
    return tickets.too_long(facts.ticket)


def ticket_of_another_form(facts: ActivateFacts) -> Violation | None:
    return tickets.misfit(facts.settings, facts.ticket)


def ticket_not_accepted(facts: ActivateFacts) -> Violation | None:
    return tickets.not_accepted(facts.settings, facts.subject, facts.ticket_check, facts.now)


def nobody_to_approve(facts: ActivateFacts) -> Violation | None:
    """Nobody waits a day for somebody who cannot come. A deputy fills a seat and adds none."""
    needs = [Need(one.number, one.quorum, frozenset(user.pk for user in one.people)) for one in facts.panels]
    if next(shortages(needs), None) is None:
        return None
    sentence = _(
        "Nobody but you could approve this now, or too few people. "
        "Ask an administrator of this role to name more approvers."
    )
    return Violation("nobody_to_approve", sentence)


ACTIVATE = (
    not_eligible,
    outside_the_eligibility,
    already_active,
    already_asked,
    kept_apart,
    nobody_to_approve,
    start_in_the_past,
    start_too_far_ahead,
    duration_too_short,
    duration_too_long,
    past_the_eligibility,
    reason_missing,
    reason_too_long,
    ticket_missing,
    ticket_too_long,
    ticket_of_another_form,
    ticket_not_accepted,
    second_factor_missing,
)

# What can be said before anything is typed.
BEFOREHAND = (not_eligible, already_active, already_asked, kept_apart, nobody_to_approve)
