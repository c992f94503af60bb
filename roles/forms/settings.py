"""The form of a role's settings: activation with its stages, assignment, notification. It needs a second factor."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django import forms
from django.forms import BoundField
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from roles.forms.assignments import label_of
from roles.forms.fields import DurationField
from roles.forms.settings_stages import TypedStage
from roles.forms.step_up import StepUpForm
from roles.middleware import PortalRequest
from roles.models import Audience, NotifiedAct, Principal, Purpose, SecondFactor
from roles.patterns import MAX_PATTERN
from roles.rules.settings import (
    LONGEST_ACTIVATION,
    LONGEST_EMERGENCY,
    LONGEST_REVIEW,
    LONGEST_WINDOW,
    MAX_ADDRESSES,
    MAX_STAGES,
    SHORTEST,
    SHORTEST_REVIEW,
    takes_nobody_else,
)
from roles.selectors.prospects import MOST_FOUND
from roles.selectors.settings import RULES, Cell, EffectiveSettings, Stage
from roles.settings_words import LABELS, cell_label, cells_of
from roles.text import MAX_REASON
from roles.wording import span

PRESETS = [timedelta(days=days) for days in (15, 30, 90, 180, 365)]
# From how long to how long, by the field in which it is typed.
_RANGES = {
    "max_activation": (SHORTEST, LONGEST_ACTIVATION),
    "approval_window": (SHORTEST, LONGEST_WINDOW),
    "break_glass_max": (SHORTEST, LONGEST_EMERGENCY),
    "break_glass_review_within": (SHORTEST_REVIEW, LONGEST_REVIEW),
}
_CELLS = [(act, audience) for act in NotifiedAct for audience in Audience]


class SettingsStepUpForm(StepUpForm):
    """An act on settings: what was looked at comes with it."""

    seen = forms.CharField(widget=forms.HiddenInput, required=False, empty_value="nothing")

    def __init__(self, *args: Any, request: PortalRequest, **kwargs: Any) -> None:
        super().__init__(*args, request=request, purpose=Purpose.SETTINGS, **kwargs)


def _after(label: Any) -> forms.TypedChoiceField:
    return forms.TypedChoiceField(label=label, coerce=lambda seconds: timedelta(seconds=int(seconds)))


def _box(label: Any, help_text: Any = "") -> forms.BooleanField:
    return forms.BooleanField(label=label, help_text=help_text, required=False)


@dataclass(frozen=True, slots=True)
class StageBlock:
    """One stage of the form, for its template."""

    number: int
    quorum: BoundField
    q: BoundField
    approvers: BoundField
    escalation: BoundField
    nobody: bool
    more: bool


@dataclass(frozen=True, slots=True)
class CellRow:
    """One cell of the notifications, for its template; some take no addresses."""

    audience: str
    sent: BoundField
    critical: BoundField
    additional: BoundField | None


class ReasonedSettingsForm(SettingsStepUpForm):
    """An act on settings that may be explained: to the history, and to a second administrator who decides on it."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        required=False,
        max_length=MAX_REASON,
        widget=forms.Textarea({"rows": 2}),
        help_text=gettext_lazy("It is recorded, and shown to whoever has to agree."),
    )


class SettingsForm(ReasonedSettingsForm):
    """All rules of a role at a place."""

    max_activation = DurationField(label=LABELS["max_activation"], longest=LONGEST_ACTIVATION)
    second_factor = forms.ChoiceField(
        label=gettext_lazy("Second factor"), choices=SecondFactor.choices, widget=forms.RadioSelect
    )
    reason_required = _box(gettext_lazy("Require a reason"))
    ticket_required = _box(gettext_lazy("Require a ticket"))
    ticket_pattern = forms.CharField(
        label=gettext_lazy("Form of a ticket"),
        required=False,
        max_length=MAX_PATTERN,
        widget=forms.TextInput({"class": "mono", "autocomplete": "off", "spellcheck": "false"}),
        help_text=gettext_lazy(
            "A regular expression (RE2) that the whole ticket matches, like INC[0-9]{7}. Empty: any."
        ),
    )
    ticket_verified = _box(
        gettext_lazy("Have each ticket checked"),
        gettext_lazy("The portal asks the ticket system. Where it gets no answer, nobody can activate the role."),
    )
    approval_required = _box(
        gettext_lazy("Require approval"),
        gettext_lazy("The stages below follow each other. While no approval is required they wait."),
    )
    approval_window = DurationField(label=LABELS["approval_window"], longest=LONGEST_WINDOW)
    break_glass_allowed = _box(
        gettext_lazy("Allow emergency access"),
        gettext_lazy(
            "Somebody who cannot wait may activate the role without approval. Everybody who would have approved "
            "and the administrators hear of it at once, and one of them must review it."
        ),
    )
    break_glass_max = DurationField(label=LABELS["break_glass_max"], longest=LONGEST_EMERGENCY)
    break_glass_review_within = DurationField(label=LABELS["break_glass_review_within"], longest=LONGEST_REVIEW)

    permanent_eligible_allowed = _box(gettext_lazy("Allow permanent eligible assignment"))
    expire_eligible_after = _after(LABELS["expire_eligible_after"])
    permanent_active_allowed = _box(gettext_lazy("Allow permanent active assignment"))
    expire_active_after = _after(LABELS["expire_active_after"])
    second_factor_on_assign = _box(
        gettext_lazy("Require a code when somebody is made active"),
        gettext_lazy("Whoever assigns the role types a code with each such assignment."),
    )
    reason_on_assign = _box(gettext_lazy("Require a justification when somebody is made active"))

    stage_count = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(
        self,
        *args: Any,
        settings: EffectiveSettings,
        stages: Sequence[TypedStage],
        people: Sequence[list[Principal]],
        **kwargs: Any,
    ) -> None:
        kwargs["initial"] = initial_of(settings) | kwargs.get("initial", {})
        super().__init__(*args, **kwargs)
        self.initial["stage_count"] = len(stages)
        self.typed, self.people = stages, people
        for name, (least, most) in _RANGES.items():
            sentence = _("From {least} to {most}. An hour and a half is 1.5 or 1:30.")
            self.fields[name].help_text = sentence.format(least=span(least), most=span(most))
        for name in ("expire_eligible_after", "expire_active_after"):
            self._offer(name, getattr(settings, name))
        for number, (stage, found) in enumerate(zip(stages, people, strict=True), start=1):
            self._add_stage(number, stage, found)
        for act, audience in _CELLS:
            self._add_cell(act, audience)

    def _offer(self, name: str, ruling: timedelta) -> None:
        choices = sorted({*PRESETS, ruling})
        self.fields[name].choices = [(_seconds(one), span(one)) for one in choices]  # type: ignore[attr-defined]
        self.fields[name].help_text = _("At most that, where permanent is not allowed.")

    def _add_stage(self, number: int, stage: TypedStage, found: list[Principal]) -> None:
        quorum = forms.IntegerField(label=_("How many must agree"), initial=stage.quorum)
        quorum.widget.attrs |= {"class": "number", "inputmode": "numeric"}
        finder = forms.CharField(label=_("Find users and groups"), required=False, max_length=100, initial=stage.q)
        approvers = forms.MultipleChoiceField(
            label=_("Approvers"),
            required=False,
            widget=forms.CheckboxSelectMultiple,
            choices=[(str(one.pk), label_of(one)) for one in found],
            initial=[str(one) for one in stage.approvers],
        )
        escalation = forms.MultipleChoiceField(
            label=_("Escalation"),
            help_text=_("May decide as well once half of the lapse window is over."),
            required=False,
            widget=forms.CheckboxSelectMultiple,
            choices=approvers.choices,
            initial=[str(one) for one in stage.escalation],
        )
        self.fields |= {f"quorum_{number}": quorum, f"q_{number}": finder, f"approvers_{number}": approvers}
        self.fields[f"escalation_{number}"] = escalation

    def _add_cell(self, act: NotifiedAct, audience: Audience) -> None:
        cell, about = f"{act}_{audience}", cell_label(act, audience)
        sent, critical = _box(_("Send")), _box(_("Only where something must be done"))
        sent.widget.attrs["aria-label"] = f"{about}: {_('Send')}"
        critical.widget.attrs["aria-label"] = f"{about}: {critical.label}"
        self.fields |= {f"default_{cell}": sent, f"critical_{cell}": critical}
        if not takes_nobody_else(act, audience):
            look = {"aria-label": f"{about}: {_('Additional addresses')}", "autocomplete": "off", "spellcheck": "false"}
            addresses = forms.CharField(label=_("Additional addresses"), required=False, widget=forms.TextInput(look))
            addresses.max_length = MAX_ADDRESSES * 260
            self.fields[f"additional_{cell}"] = addresses

    @property
    def stage_blocks(self) -> Iterator[StageBlock]:
        for number, (stage, found) in enumerate(zip(self.typed, self.people, strict=True), start=1):
            new = len(found) - len(stage.chosen)
            yield StageBlock(
                number,
                self[f"quorum_{number}"],
                self[f"q_{number}"],
                self[f"approvers_{number}"],
                self[f"escalation_{number}"],
                nobody=bool(stage.q) and new < 1,
                more=new >= MOST_FOUND,
            )

    @property
    def may_add_stage(self) -> bool:
        return len(self.typed) < MAX_STAGES

    @property
    def acts(self) -> Iterator[tuple[str, list[CellRow]]]:
        """The cells of the notifications by what they tell of."""
        for act in NotifiedAct:
            rows = []
            for audience in Audience:
                cell = f"{act}_{audience}"
                additional = None if takes_nobody_else(act, audience) else self[f"additional_{cell}"]
                sent, critical = self[f"default_{cell}"], self[f"critical_{cell}"]
                rows.append(CellRow(str(audience.label), sent, critical, additional))
            yield str(act.label), rows

    def values(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in RULES}

    def stages(self) -> tuple[Stage, ...]:
        """Return the stages in full; one alone that says nothing is none: the administrators decide."""
        given = self.cleaned_data
        stages = tuple(
            Stage(
                number,
                given[f"quorum_{number}"],
                frozenset(map(uuid.UUID, given[f"approvers_{number}"])),
                frozenset(map(uuid.UUID, given[f"escalation_{number}"])),
            )
            for number in range(1, len(self.typed) + 1)
        )
        return () if stages == (Stage(1, 1, frozenset()),) else stages

    def cells(self) -> tuple[Cell, ...]:
        given = self.cleaned_data
        return tuple(
            Cell(
                act,
                audience,
                default_recipients=given[f"default_{act}_{audience}"],
                additional=_addresses(given.get(f"additional_{act}_{audience}", "")),
                critical_only=given[f"critical_{act}_{audience}"],
            )
            for act, audience in _CELLS
        )


def initial_of(settings: EffectiveSettings) -> dict[str, Any]:
    """Return what a form starts with: the settings that rule."""
    initial: dict[str, Any] = {name: getattr(settings, name) for name in RULES} | {"seen": settings.seen}
    for name in ("expire_eligible_after", "expire_active_after"):
        initial[name] = _seconds(initial[name])
    for cell in cells_of(settings):
        key = f"{cell.act}_{cell.audience}"
        initial |= {f"default_{key}": cell.default_recipients, f"critical_{key}": cell.critical_only}
        initial[f"additional_{key}"] = "; ".join(cell.additional)
    return initial


# What `stages_typed` has read already, and what is typed anew each time.
_TYPED = ("quorum_", "q_", "approvers_", "escalation_", "code")


def as_typed(form: SettingsForm, query: QueryDict) -> None:
    """Let a form that is shown again, unchecked, keep what was typed."""
    for name, one in form.fields.items():
        if isinstance(one, forms.BooleanField):
            form.initial[name] = name in query
        elif name in query and name != "stage_count" and not name.startswith(_TYPED):
            form.initial[name] = query[name]


def _seconds(duration: timedelta) -> str:
    return str(duration // timedelta(seconds=1))


def _addresses(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one for one in re.split(r"[;,\s]+", text) if one))
