"""The forms about the history: verify it, take it away, erase personal text."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.proofs import tips_in
from audit.verifying import Tip
from roles.forms.step_up import StepUpForm
from roles.middleware import PortalRequest
from roles.models import Purpose
from roles.text import MAX_REASON

MOST_TEXT = 100_000  # characters of a log or mails that hold tips


class VerifyForm(forms.Form):
    """What to verify against besides the anchors that the portal knows."""

    tips = forms.CharField(
        required=False,
        max_length=MOST_TEXT,
        label=gettext_lazy("A tip that you kept"),
        help_text=gettext_lazy("From a mail to the auditors, or a line of the log; any text that holds it will do."),
        widget=forms.Textarea({"rows": 2, "spellcheck": "false", "class": "mono"}),
    )

    def clean_tips(self) -> list[Tip]:
        text = self.cleaned_data["tips"]
        found = list(tips_in(text))
        if text.strip() and not found:
            raise ValidationError(_("There is no tip in this text: it begins with pim-audit-tip."), code="no_tip")
        return found


class ExportForm(StepUpForm):
    """Taking the history away, with a fresh second factor."""

    def __init__(self, *args: Any, request: PortalRequest, **kwargs: Any) -> None:
        super().__init__(*args, request=request, purpose=Purpose.EXPORT, **kwargs)


class EraseForm(StepUpForm):
    """Erasing the personal text of an event."""

    reason = forms.CharField(
        label=gettext_lazy("Justification"),
        max_length=MAX_REASON,
        widget=forms.Textarea({"rows": 3}),
        help_text=gettext_lazy("It stays in the history: name nobody in it."),
        error_messages={"required": gettext_lazy("Say why.")},
    )

    def __init__(self, *args: Any, request: PortalRequest, **kwargs: Any) -> None:
        super().__init__(*args, request=request, purpose=Purpose.PEOPLE, **kwargs)
        self.order_fields(["reason", "device", "code"])
