"""Asking to extend or renew, and deciding it with the dates set anew."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from approvals.models import Action, Request, Verdict
from approvals.services.extensions import Terms
from roles import wording
from roles.forms.assignments import PERMANENT, UNTIL, TermsForm, TypedForm, as_it_was
from roles.models import Assignment, AssignmentType, Purpose
from roles.selectors.settings import EffectiveSettings


def proposed_end(row: Assignment, action: Action, settings: EffectiveSettings, now: datetime) -> datetime | None:
    """Return the end that the form proposes: as long as before once more, within the settings; to the minute."""
    if row.ends_at is None:
        return None
    begins = row.ends_at if action == Action.EXTEND else now
    end = begins + (row.ends_at - row.starts_at)
    eligible = row.type == AssignmentType.ELIGIBLE
    if not may_be_permanent(row, settings):
        end = min(end, now + (settings.expire_eligible_after if eligible else settings.expire_active_after))
    return end.replace(second=0, microsecond=0)


def may_be_permanent(row: Assignment, settings: EffectiveSettings) -> bool:
    eligible = row.type == AssignmentType.ELIGIBLE
    return settings.permanent_eligible_allowed if eligible else settings.permanent_active_allowed


class AskRenewalForm(TermsForm):
    """Until when somebody wants to keep, or have again, what they were given, and why."""

    starts_at = None  # type: ignore[assignment]  # Django takes None as leaving the field out
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        widget=forms.Textarea({"rows": 3}),
        help_text=gettext_lazy("Whoever decides sees it, and it stays in the history."),
        error_messages={"required": gettext_lazy("Say why you still need this role.")},
    )

    def __init__(self, *args: Any, permanent: bool, **kwargs: Any) -> None:
        super().__init__(*args, purpose=Purpose.ACTIVATE, **kwargs)
        self.fields["ends_at"].label = _("End")
        if not permanent:
            # Nothing to choose: the settings ask for an end.
            self.fields["duration"].widget = forms.HiddenInput()
            self.fields["duration"].initial = UNTIL
            self.fields["ends_at"].required = True
            zone = timezone.get_current_timezone_name()
            self.fields["ends_at"].help_text = _("Your clock ({zone}).").format(zone=zone)


class DecideRenewalForm(TypedForm):
    """A verdict and why, and the dates and the type, which may be set anew."""

    reason = None  # type: ignore[assignment]  # Django takes None as leaving the field out
    verdict = forms.ChoiceField(choices=Verdict.choices, widget=forms.HiddenInput)
    justification = forms.CharField(
        label=gettext_lazy("Justification"),
        widget=forms.Textarea({"rows": 3}),
        help_text=gettext_lazy("The requestor and auditors see this."),
        error_messages={"required": gettext_lazy("Say why you decide so.")},
    )

    order: ClassVar[tuple[str, ...]] = ("type", "duration", "starts_at", "ends_at", "justification", "device", "code")

    def __init__(self, *args: Any, asked: Request, **kwargs: Any) -> None:
        super().__init__(*args, purpose=Purpose.DECIDE, end=asked.wanted_end, **kwargs)
        self.asked = asked
        self.fields["type"].initial = asked.wanted_type
        self.fields["type"].help_text = _("Asked for: {type}.").format(type=asked.get_wanted_type_display())
        if asked.action == Action.EXTEND:
            # It runs: its start has passed, and another type takes its place at once.
            del self.fields["starts_at"]
        if asked.wanted_end is None:
            self.fields["duration"].initial = PERMANENT
        said = wording.exact(asked.wanted_end) if asked.wanted_end else _("without an end")
        self.fields["ends_at"].help_text = _("Asked for: {end}.").format(end=said)

    def clean(self) -> dict[str, Any]:
        given = super().clean()
        if self.errors.pop("verdict", None):
            # The buttons are the field; there is nothing to stand beside.
            self.add_error(None, _("Choose whether to approve or to deny."))
        if given.get("verdict") == Verdict.DENY:
            # Dates that nobody grants are no mistake.
            for name in ("type", "duration", "starts_at", "ends_at"):
                self.errors.pop(name, None)
        return given

    @property
    def terms(self) -> Terms:
        given = self.cleaned_data
        return Terms(
            type=AssignmentType(given["type"]),
            starts_at=given.get("starts_at"),
            ends_at=as_it_was(given["ends_at"], self.asked.wanted_end),
        )
