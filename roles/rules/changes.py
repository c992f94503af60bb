"""The rules of changing and renewing assignments: those of assigning, and when either is possible at all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from roles.models import Assignment, EndReason
from roles.refusals import Violation
from roles.rules.assignments import ASSIGN, AssignFacts, already_assigned, disabled

EXTENDED_WITHIN = timedelta(days=14)  # before its end, a later end is an extension
RENEWED_WITHIN = timedelta(days=30)  # after its end


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeFacts(AssignFacts):
    """What is known when somebody is about to move the times of an assignment.

    `starts_at` is when the new time begins: now where it runs already, so that the settings limit what lies ahead.
    """

    assignment: Assignment
    moves_start: bool
    moves_end: bool
    longer: bool = True  # whether it gives any time that was not given before


def is_activation(facts: ChangeFacts | RenewFacts) -> Violation | None:
    if facts.assignment.activated_from_id is not None:
        sentence = _("This is an activation: it can be ended, and activated anew, but its times stay as they are.")
        return Violation("activation", sentence)
    return None


def is_elevation(facts: ChangeFacts | RenewFacts) -> Violation | None:
    if facts.assignment.elevated_from_id is not None:
        sentence = _("This is elevated access: it lasts an hour and no longer. It can be ended, and taken anew.")
        return Violation("elevation", sentence)
    return None


def disabled_and_longer(facts: ChangeFacts) -> Violation | None:
    """Nothing is given to who is disabled; nobody has to be enabled for taking away some of what is suspended."""
    return disabled(facts) if facts.longer else None


def is_over(facts: ChangeFacts) -> Violation | None:
    end = facts.assignment.over_at
    if end is not None and end <= facts.now:
        return Violation("over", _("This assignment has already ended."))
    return None


def has_started(facts: ChangeFacts) -> Violation | None:
    if facts.moves_start and facts.assignment.starts_at <= facts.now:
        sentence = _("This assignment has begun already: its start cannot be moved any more.")
        return Violation("already_started", sentence, "starts_at")
    return None


def nothing_to_change(facts: ChangeFacts) -> Violation | None:
    if not facts.moves_start and not facts.moves_end:
        return Violation("no_change", _("These are the times that it has already. Choose others."), "ends_at")
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewFacts(AssignFacts):
    """What is known when somebody is about to give an assignment anew that has ended."""

    assignment: Assignment
    renewed_already: bool


def has_not_ended(facts: RenewFacts) -> Violation | None:
    end = facts.assignment.over_at
    if end is None or end > facts.now:
        return Violation("not_over", _("This assignment has not ended. Change its end instead."))
    return None


def did_not_expire(facts: RenewFacts) -> Violation | None:
    if facts.assignment.end_reason not in ("", EndReason.EXPIRED):
        sentence = _("Only what ended because its time was over can be renewed. Assign the role anew instead.")
        return Violation("not_expired", sentence)
    return None


def ended_long_ago(facts: RenewFacts) -> Violation | None:
    if facts.assignment.over_at is not None and facts.assignment.over_at < facts.now - RENEWED_WITHIN:
        sentence = _("This assignment ended more than %(days)s days ago. Assign the role anew instead.")
        return Violation("too_late", sentence % {"days": RENEWED_WITHIN.days})
    return None


def was_renewed(facts: RenewFacts) -> Violation | None:
    if facts.renewed_already:
        return Violation("already_renewed", _("This assignment has been renewed already."))
    return None


_AS_ASSIGNED = tuple(rule for rule in ASSIGN if rule is not already_assigned)

CHANGE = (
    *(rule for rule in _AS_ASSIGNED if rule is not disabled),
    disabled_and_longer,
    is_activation,
    is_elevation,
    is_over,
    has_started,
    nothing_to_change,
)
REPLACE = (*CHANGE, already_assigned)
RENEW = (*ASSIGN, is_activation, is_elevation, has_not_ended, did_not_expire, ended_long_ago, was_renewed)


def _was_given(assignment: Assignment) -> bool:
    """Whether an administrator gave it; its holder took an activation or an elevation."""
    return assignment.activated_from_id is None and assignment.elevated_from_id is None


def can_be_changed(assignment: Assignment, now: datetime) -> bool:
    """Return whether an assignment could be changed at all, whoever asks."""
    end = assignment.over_at
    return _was_given(assignment) and (end is None or end > now)


def can_be_renewed(assignment: Assignment, now: datetime) -> bool:
    """Return whether an assignment could be renewed at all, whoever asks."""
    end = assignment.over_at
    expired = assignment.end_reason in ("", EndReason.EXPIRED)
    return _was_given(assignment) and expired and end is not None and now - RENEWED_WITHIN <= end <= now
