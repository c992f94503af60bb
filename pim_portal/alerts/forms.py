"""The forms of answering an alert; they need a fresh second factor."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pim_portal.alerts.definitions.base import AlertKind, Values
from roles.forms.assignments import EndForm
from roles.forms.step_up import StepUpForm
from roles.middleware import PortalRequest
from roles.models import Purpose


class DismissForm(EndForm):
    """Why incidents are dismissed, and when the page was made that showed them."""

    shown_at = forms.DateTimeField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, request: PortalRequest, **kwargs: Any) -> None:
        initial = {"shown_at": request.now.isoformat()}  # as text: a moment would lose what is less than a second
        super().__init__(*args, request=request, purpose=Purpose.SETTINGS, initial=initial, **kwargs)


class AlertForm(StepUpForm):
    """Whether an alert looks and mails, and its thresholds, each in its range."""

    enabled = forms.BooleanField(
        label=gettext_lazy("Look for it"),
        required=False,
        help_text=gettext_lazy("Turned off, its incidents here are over, and nothing new is found."),
    )
    mails = forms.BooleanField(
        label=gettext_lazy("Mail the administrators"),
        required=False,
        help_text=gettext_lazy("When something new is found, and when it is over."),
    )
    seen = forms.CharField(widget=forms.HiddenInput, required=False, empty_value="nothing")

    def __init__(self, *args: Any, request: PortalRequest, kind: AlertKind, values: Values, **kwargs: Any) -> None:
        initial = {"enabled": values.enabled, "mails": values.mails, **values.numbers}
        kwargs["initial"] = initial | kwargs.get("initial", {})
        super().__init__(*args, request=request, purpose=Purpose.SETTINGS, **kwargs)
        self.kind = kind
        for one in kind.settings:
            said = _("From {least} to {most}; {default} by default.").format(
                least=one.least, most=one.most, default=one.default
            )
            in_range = _("Write a whole number from {least} to {most}.").format(least=one.least, most=one.most)
            self.fields[one.name] = forms.IntegerField(
                label=one.label,
                min_value=one.least,
                max_value=one.most,
                help_text=f"{one.help} {said}".strip(),
                error_messages=dict.fromkeys(("required", "invalid", "min_value", "max_value"), in_range),
            )
        self.order_fields(["enabled", *(one.name for one in kind.settings), "mails", "seen", "device", "code"])

    def numbers(self) -> dict[str, int]:
        return {one.name: self.cleaned_data[one.name] for one in self.kind.settings}

    def units(self) -> list[tuple[forms.BoundField, Any]]:
        """Return the thresholds with their units, for the page."""
        return [(self[one.name], one.unit) for one in self.kind.settings]
