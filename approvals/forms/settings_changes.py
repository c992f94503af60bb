"""Making a change of settings alone."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from roles.forms.step_up import StepUpForm
from roles.middleware import PortalRequest
from roles.models import Purpose


class AloneForm(StepUpForm):
    """Why it cannot wait for another administrator; `seen` is what its page showed."""

    seen = forms.CharField(widget=forms.HiddenInput, max_length=64)
    reason = forms.CharField(
        label=_("Reason"),
        widget=forms.Textarea({"rows": 3}),
        help_text=_("Every administrator here and auditors see this."),
        error_messages={"required": _("Say why it cannot wait for another administrator.")},
    )

    field_order = ("reason", "device", "code")

    def __init__(self, *args: Any, request: PortalRequest, **kwargs: Any) -> None:
        super().__init__(*args, request=request, purpose=Purpose.SETTINGS, **kwargs)
