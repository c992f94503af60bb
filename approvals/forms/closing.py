"""Cancelling somebody's request."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from roles.forms.step_up import StepUpForm
from roles.middleware import PortalRequest
from roles.models import Purpose


class CancelForm(StepUpForm):
    """Why an administrator cancels a request."""

    reason = forms.CharField(
        label=_("Justification"),
        widget=forms.Textarea({"rows": 3}),
        help_text=_("The person who asked and auditors see this."),
        error_messages={"required": _("Say why you cancel somebody’s request.")},
    )

    field_order = ("reason", "device", "code")

    def __init__(self, *args: Any, request: PortalRequest, **kwargs: Any) -> None:
        super().__init__(*args, request=request, purpose=Purpose.DECIDE, **kwargs)
