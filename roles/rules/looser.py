"""What loosens the settings of a role: an order for each field, in one table.

A field that is missing in it fails its test. Where two values have no order between them, as two patterns, any change
counts: whoever may not loosen settings alone shall find no way around.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from django.utils.translation import gettext as _

from roles.models import SecondFactor
from roles.refusals import Violation
from roles.selectors.settings import Cell, EffectiveSettings, Stage
from roles.settings_words import cells_of, loosened_words

Looser = Callable[[EffectiveSettings, EffectiveSettings], bool]

_DEMANDS: Final = (SecondFactor.NONE, SecondFactor.FRESH, SecondFactor.EVERY_TIME)


def _longer(name: str) -> Looser:
    return lambda before, after: bool(getattr(after, name) > getattr(before, name))


def _allowed(name: str) -> Looser:
    return lambda before, after: bool(getattr(after, name) and not getattr(before, name))


def _dropped(name: str) -> Looser:
    return lambda before, after: bool(getattr(before, name) and not getattr(after, name))


def _lower_factor(before: EffectiveSettings, after: EffectiveSettings) -> bool:
    return _DEMANDS.index(after.second_factor) < _DEMANDS.index(before.second_factor)


def _other_pattern(before: EffectiveSettings, after: EffectiveSettings) -> bool:
    return bool(before.ticket_pattern) and after.ticket_pattern != before.ticket_pattern


def _other_window(before: EffectiveSettings, after: EffectiveSettings) -> bool:
    """A longer window leaves a request open for longer; a shorter one lets the escalation decide sooner."""
    escalates = any(one.escalation for one in after.stages)
    sooner = escalates and after.approval_window < before.approval_window
    return before.approval_required and (sooner or after.approval_window > before.approval_window)


def _stages(looser: Callable[[Stage, Stage], bool]) -> Looser:
    """Compare the stages that an activation goes through, one by one; where none is asked for, nothing is looser."""

    def compare(before: EffectiveSettings, after: EffectiveSettings) -> bool:
        return any(looser(was, one) for was, one in zip(before.stages, after.stages, strict=False))

    return compare


def _fewer_stages(before: EffectiveSettings, after: EffectiveSettings) -> bool:
    return after.approval_required and len(after.stages) < len(before.stages)


def _others_approve(was: Stage, one: Stage) -> bool:
    """Somebody approves who did not. To name nobody lets the administrators decide, who are others, too."""
    fewer = bool(one.approvers) and one.approvers <= was.approvers
    return was.approvers != one.approvers and not fewer


def _others_escalate(was: Stage, one: Stage) -> bool:
    return not one.escalation <= was.escalation | was.approvers


def _cells(looser: Callable[[Cell, Cell], Any]) -> Looser:
    """Compare the cells of the notifications: whoever would no longer be told."""

    def compare(before: EffectiveSettings, after: EffectiveSettings) -> bool:
        return any(looser(was, one) for was, one in zip(cells_of(before), cells_of(after), strict=True))

    return compare


def _addresses(cell: Cell) -> set[str]:
    return {one.casefold() for one in cell.additional}


LOOSER: Final[dict[str, Looser]] = {
    # Of the settings themselves
    "max_activation": _longer("max_activation"),
    "second_factor": _lower_factor,
    "reason_required": _dropped("reason_required"),
    "ticket_required": _dropped("ticket_required"),
    "ticket_pattern": _other_pattern,
    "ticket_verified": _dropped("ticket_verified"),
    "approval_required": _dropped("approval_required"),
    "approval_window": _other_window,
    "break_glass_allowed": _allowed("break_glass_allowed"),
    "break_glass_max": _longer("break_glass_max"),
    "break_glass_review_within": _longer("break_glass_review_within"),
    "permanent_eligible_allowed": _allowed("permanent_eligible_allowed"),
    "expire_eligible_after": _longer("expire_eligible_after"),
    "permanent_active_allowed": _allowed("permanent_active_allowed"),
    "expire_active_after": _longer("expire_active_after"),
    "second_factor_on_assign": _dropped("second_factor_on_assign"),
    "reason_on_assign": _dropped("reason_on_assign"),
    # Of a stage
    "stage.number": _fewer_stages,
    "stage.quorum": _stages(lambda was, one: one.quorum < was.quorum),
    "stage.approvers": _stages(_others_approve),
    "stage.escalation": _stages(_others_escalate),
    # Of a cell of the notifications
    "cell.default_recipients": _cells(lambda was, one: was.default_recipients and not one.default_recipients),
    "cell.critical_only": _cells(lambda was, one: one.critical_only and not was.critical_only),
    "cell.additional": _cells(lambda was, one: _addresses(was) - _addresses(one)),
}


def loosened(before: EffectiveSettings, after: EffectiveSettings) -> tuple[str, ...]:
    """Return which fields are looser after a change; none where it makes nothing looser."""
    return tuple(name for name, looser in LOOSER.items() if looser(before, after))


def second_administrator(fields: tuple[str, ...]) -> Violation:
    """Say that a change waits for a second administrator; `fields` are what it loosens (`loosened`)."""
    sentence = _(
        "You hold this role or may activate it, and this would loosen its settings: {fields}. "
        "It waits for a second administrator."
    )
    return Violation("second_administrator", sentence.format(fields=", ".join(loosened_words(fields))))
