"""The form of an export: why, and a fresh second factor."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from roles.forms.step_up import StepUpForm
from roles.middleware import PortalRequest
from roles.models import Purpose
from roles.text import MAX_REASON


class ExportForm(StepUpForm):
    reason = forms.CharField(
        label=_("Justification"),
        max_length=MAX_REASON,
        widget=forms.Textarea({"rows": 3}),
        help_text=_("It is recorded with the export."),
        error_messages={"required": _("Say why.")},
    )

    def __init__(self, *args: Any, request: PortalRequest, **kwargs: Any) -> None:
        super().__init__(*args, request=request, purpose=Purpose.EXPORT, **kwargs)
        self.order_fields(["reason", "device", "code"])
