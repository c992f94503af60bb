"""How the settings of a role are said: line by line, the same on pages, in differences and in the history."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.utils.dateparse import parse_duration
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from roles.models import Audience, NotifiedAct, RoleSettings, SecondFactor
from roles.selectors.settings import RULES, Cell, EffectiveSettings
from roles.wording import span

# The parts of the settings, each with its title and the fields that belong to it.
ACTIVATION = (
    "max_activation",
    "second_factor",
    "reason_required",
    "ticket_required",
    "ticket_pattern",
    "ticket_verified",
    "approval_required",
    "stages",
    "approval_window",
    "break_glass_allowed",
    "break_glass_max",
    "break_glass_review_within",
)
# What waits, and is not said, while what it belongs to is off.
_BELONGS = {
    "approval_window": ("approval_required",),
    "break_glass_allowed": ("approval_required",),
    "break_glass_max": ("approval_required", "break_glass_allowed"),
    "break_glass_review_within": ("approval_required", "break_glass_allowed"),
}
ASSIGNMENT = (
    "permanent_eligible_allowed",
    "expire_eligible_after",
    "permanent_active_allowed",
    "expire_active_after",
    "second_factor_on_assign",
    "reason_on_assign",
)
LABELS: dict[str, str | Promise] = {
    "max_activation": gettext_lazy("Maximum duration"),
    "second_factor": gettext_lazy("Second factor"),
    "reason_required": gettext_lazy("Reason"),
    "ticket_required": gettext_lazy("Ticket"),
    "ticket_pattern": gettext_lazy("Form of a ticket"),
    "ticket_verified": gettext_lazy("Check of the ticket"),
    "approval_required": gettext_lazy("Approval"),
    "approval_window": gettext_lazy("A request lapses after"),
    "break_glass_allowed": gettext_lazy("Emergency access"),
    "break_glass_max": gettext_lazy("Maximum duration in an emergency"),
    "break_glass_review_within": gettext_lazy("An emergency is reviewed within"),
    "permanent_eligible_allowed": gettext_lazy("Permanent eligible assignment"),
    "expire_eligible_after": gettext_lazy("Eligible assignments end after"),
    "permanent_active_allowed": gettext_lazy("Permanent active assignment"),
    "expire_active_after": gettext_lazy("Active assignments end after"),
    "second_factor_on_assign": gettext_lazy("Second factor on active assignment"),
    "reason_on_assign": gettext_lazy("Justification on active assignment"),
}
_DURATIONS = {
    "max_activation",
    "approval_window",
    "break_glass_max",
    "break_glass_review_within",
    "expire_eligible_after",
    "expire_active_after",
}
_ALLOWING = {"break_glass_allowed", "permanent_eligible_allowed", "permanent_active_allowed"}

Names = Mapping[uuid.UUID, str]


@dataclass(frozen=True, slots=True)
class Line:
    """One setting, said."""

    key: str
    label: str
    words: str


@dataclass(frozen=True, slots=True)
class Part:
    """The lines of one part of the settings."""

    title: str
    lines: list[Line] = field(default_factory=list)


def said(name: str, value: Any) -> str:
    """Say the value of one field; the history keeps durations as text."""
    if name in _DURATIONS:
        length = value if isinstance(value, timedelta) else parse_duration(str(value))
        return span(length) if length is not None else str(value)
    if name == "second_factor":
        return str(SecondFactor(value).label)
    if name == "ticket_pattern":
        return str(value) or _("Any")
    if name in _ALLOWING:
        return _("Allowed") if value else _("Not allowed")
    return _("Required") if value else _("Not required")


def stage_line(
    number: int, quorum: int, approvers: Iterable[uuid.UUID], names: Names, escalation: Iterable[uuid.UUID] = ()
) -> Line:
    """Say one stage of approval: who is asked, how many of them must agree, and who may decide from half-way on."""
    who = _names_said(approvers, names) or _("Privileged Role Administrators")
    agree = ngettext("{count} must agree", "{count} must agree", quorum).format(count=quorum)
    words = f"{who}: {agree}"
    if later := _names_said(escalation, names):
        words = _("{words}; from half of the window on also {names}").format(words=words, names=later)
    return Line(f"stage_{number}", _("Stage {number}").format(number=number), words)


def _names_said(principals: Iterable[uuid.UUID], names: Names) -> str:
    return ", ".join(sorted(names.get(one, _("somebody unknown")) for one in principals))


def cell_label(act: str, audience: str) -> str:
    """Say which mails a cell of the matrix is about."""
    return f"{NotifiedAct(act).label}: {capfirst(str(Audience(audience).label))}"


def cell_words(*, default_recipients: bool, critical_only: bool, additional: Iterable[str] | int) -> str:
    """Say who gets the mails of one cell; addresses as such, or as a number where only that is kept."""
    words = [_("Sent") if default_recipients else _("Not sent")]
    if critical_only:
        words.append(_("only where something must be done"))
    if isinstance(additional, int):
        if additional:
            words.append(ngettext("and {count} address", "and {count} addresses", additional).format(count=additional))
    elif addresses := ", ".join(additional):
        words.append(_("and to {addresses}").format(addresses=addresses))
    return " ".join(words) if len(words) < 3 else f"{words[0]} {words[1]}, {words[2]}"


def _cell_line(cell: Cell) -> Line:
    words = cell_words(
        default_recipients=cell.default_recipients, critical_only=cell.critical_only, additional=cell.additional
    )
    return Line(f"cell_{cell.act}_{cell.audience}", cell_label(cell.act, cell.audience), words)


def cells_of(settings: EffectiveSettings) -> list[Cell]:
    """Return all nine cells of the matrix, in its order."""
    return [settings.cell(act, audience) for act in NotifiedAct for audience in Audience]


def mails_of(settings: EffectiveSettings) -> list[tuple[str, list[tuple[str, str]]]]:
    """Say for each act, and each audience of it, whether and to whom besides its mails go."""
    return [
        (
            str(act.label),
            [(str(one.label), _cell_line(settings.cell(act, one)).words) for one in Audience],
        )
        for act in NotifiedAct
    ]


def parts_of(settings: EffectiveSettings, names: Names) -> list[Part]:
    """Say all settings, part by part."""
    lines = {name: Line(name, str(LABELS[name]), said(name, getattr(settings, name))) for name in RULES}
    activation: list[Line] = []
    for name in ACTIVATION:
        if name == "stages":
            activation += [
                stage_line(one.number, one.quorum, one.approvers, names, one.escalation) for one in settings.stages
            ]
        elif all(getattr(settings, one) for one in _BELONGS.get(name, ())):
            activation.append(lines[name])
    return [
        Part(_("Activation"), activation),
        Part(_("Assignment"), [lines[name] for name in ASSIGNMENT]),
        Part(_("Notification"), [_cell_line(cell) for cell in cells_of(settings)]),
    ]


@dataclass(frozen=True, slots=True)
class Compared:
    """One setting on both sides; empty where one side has no such line, such as a third stage."""

    label: str
    left: str
    right: str

    @property
    def differs(self) -> bool:
        return self.left != self.right


def compared(left: EffectiveSettings, right: EffectiveSettings, names: Names) -> list[tuple[str, list[Compared]]]:
    """Set two settings side by side, part by part, in the order of the page."""
    answer = []
    for one, other in zip(parts_of(left, names), parts_of(right, names), strict=True):
        ours, theirs = ({line.key: line for line in part.lines} for part in (one, other))
        keys = sorted({**ours, **theirs}, key=lambda key: _order(key, one, other))
        rows = [Compared(_label(key, ours, theirs), _words(key, ours), _words(key, theirs)) for key in keys]
        answer.append((one.title, rows))
    return answer


def differences(left: EffectiveSettings, right: EffectiveSettings, names: Names) -> list[Compared]:
    """Return only what is said differently of the two."""
    return [row for _title, rows in compared(left, right, names) for row in rows if row.differs]


def _order(key: str, one: Part, other: Part) -> tuple[int, str]:
    longest = max(one.lines, other.lines, key=len)
    return next((place, key) for place, line in enumerate(longest) if line.key == key)


def _label(key: str, ours: Mapping[str, Line], theirs: Mapping[str, Line]) -> str:
    return (ours.get(key) or theirs[key]).label


def _words(key: str, lines: Mapping[str, Line]) -> str:
    return lines[key].words if key in lines else ""


def told(old: Mapping[str, Any], new: Mapping[str, Any], names: Names) -> list[Compared]:
    """Say what an event of changed settings keeps: old and new of each field that changed."""
    rows = [
        Compared(str(LABELS[name]), said(name, old[name]), said(name, new[name]))
        for name in (*ACTIVATION, *ASSIGNMENT)
        if name in old and name in LABELS
    ]
    stages = [{str(one[0]): _told_stage(one, names) for one in side.get("stages", [])} for side in (old, new)]
    rows += [
        Compared(_("Stage {number}").format(number=number), stages[0].get(number, ""), stages[1].get(number, ""))
        for number in sorted({**stages[0], **stages[1]})
    ]
    cells = [side.get("cells", {}) for side in (old, new)]
    for key in {f"{act}/{audience}": None for act in NotifiedAct for audience in Audience}:
        if cells[0].get(key) != cells[1].get(key):
            rows.append(Compared(cell_label(*key.split("/")), _told_cell(cells[0], key), _told_cell(cells[1], key)))
    return [row for row in rows if row.differs]


def _told_stage(stage: list[Any], names: Names) -> str:
    number, quorum, *named = stage
    approvers, escalation = ([uuid.UUID(pk) for pk in one] for one in (*named, [])[:2])
    return stage_line(number, quorum, approvers, names, escalation).words


def _told_cell(cells: Mapping[str, Any], key: str) -> str:
    usual = {"default_recipients": True, "critical_only": False, "additional": 0}
    return cell_words(**{**usual, **cells.get(key, {})})


def approvers_told(old: Mapping[str, Any], new: Mapping[str, Any]) -> set[uuid.UUID]:
    """Return the ids of all approvers that such an event names, those of the escalations among them."""
    stages = [stage for side in (old, new) for stage in side.get("stages", [])]
    return {uuid.UUID(pk) for stage in stages for named in stage[2:] for pk in named}


_STAGES = gettext_lazy("Stages of approval")
_MAILS = gettext_lazy("Notification")


def loosened_words(fields: Iterable[str]) -> list[str]:
    """Say the fields that `roles.rules.looser` names, each once."""
    parts = {"stage": _STAGES, "cell": _MAILS}
    return list(dict.fromkeys(str(LABELS[one] if one in LABELS else parts[one.partition(".")[0]]) for one in fields))


def field_names() -> list[str]:
    """Return the fields of the settings that are said; a new field without words fails its test."""
    about = {"id", "role", "resource", "changed_at", "changed_by"}
    return [one.name for one in RoleSettings._meta.concrete_fields if one.name not in about]
