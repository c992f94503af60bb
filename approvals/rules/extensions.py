"""The rules of asking to extend or to renew an assignment.

What the settings of the role allow is asked by the rules of `roles.rules.changes`, for who asks and who grants alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from approvals.models import Action
from roles.models import Assignment, PrincipalKind
from roles.refusals import Violation
from roles.rules.asked import second_factor_missing
from roles.rules.changes import EXTENDED_WITHIN
from roles.text import is_visible
from roles.wording import exact


@dataclass(frozen=True, slots=True)
class RenewalFacts:
    """What is known when the holder of an assignment asks to extend or to renew it."""

    action: Action
    assignment: Assignment
    direct: bool
    in_effect: bool
    now: datetime
    ends_at: datetime | None
    reason: str
    second_factor: bool
    already_asked: bool
    somebody_decides: bool

    @property
    def end(self) -> datetime | None:
        return self.assignment.over_at


def not_direct(facts: RenewalFacts) -> Violation | None:
    """Who has it through a group asks whoever looks after the group: its own end is not theirs to move."""
    if facts.direct:
        return None
    holder = facts.assignment.principal
    if holder.kind == PrincipalKind.GROUP:
        sentence = _("You have this through the group %(group)s. Ask an owner of the group, or an administrator.")
        return Violation("through_group", sentence % {"group": holder.name})
    return Violation("not_yours", _("This assignment is not yours."))


def has_no_end(facts: RenewalFacts) -> Violation | None:
    if facts.assignment.ends_at is None:
        return Violation("permanent", _("This assignment has no end; there is nothing to extend."))
    return None


def is_suspended(facts: RenewalFacts) -> Violation | None:
    runs = facts.end is None or facts.end > facts.now
    if facts.action == Action.EXTEND and runs and not facts.in_effect:
        return Violation("not_in_effect", _("This assignment is not in effect now."))
    return None


def too_early(facts: RenewalFacts) -> Violation | None:
    end = facts.assignment.ends_at
    if facts.action == Action.EXTEND and end is not None and end - facts.now > EXTENDED_WITHIN:
        sentence = _("It ends on %(end)s. You can ask for more time from %(days)s days before.")
        return Violation("too_early", sentence % {"end": exact(end), "days": EXTENDED_WITHIN.days})
    return None


def already_asked(facts: RenewalFacts) -> Violation | None:
    if facts.already_asked:
        return Violation("already_asked", _("Your request for this assignment is already waiting."))
    return None


def nobody_decides(facts: RenewalFacts) -> Violation | None:
    if not facts.somebody_decides:
        sentence = _("Nobody but you administers this role. Somebody else must be made its administrator first.")
        return Violation("nobody_to_approve", sentence)
    return None


def reason_missing(facts: RenewalFacts) -> Violation | None:
    if not is_visible(facts.reason):
        return Violation("reason_missing", _("Say why you still need this role."), "reason")
    return None


def not_longer(action: Action, current: datetime | None, wanted: datetime | None) -> Violation | None:
    """An extension ends later than what is extended, whoever says until when."""
    if action == Action.EXTEND and current is not None and wanted is not None and wanted <= current:
        sentence = _("Choose an end after the present one, %(end)s.")
        return Violation("not_longer", sentence % {"end": exact(current)}, "ends_at")
    return None


def asks_for_less(facts: RenewalFacts) -> Violation | None:
    return not_longer(facts.action, facts.assignment.ends_at, facts.ends_at)


ASK_RENEWAL = (
    not_direct,
    has_no_end,
    is_suspended,
    too_early,
    already_asked,
    nobody_decides,
    asks_for_less,
    reason_missing,
    second_factor_missing,
)
