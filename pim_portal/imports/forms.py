"""The forms of an import: the file, and the confirmation with a code of its own."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from pim_portal.imports.services.uploads import MOST_BYTES, most_lines
from roles.forms.step_up import StepUpForm
from roles.middleware import PortalRequest
from roles.models import Purpose
from roles.text import MAX_REASON


class UploadForm(forms.Form):
    file = forms.FileField(
        label=_("CSV file"),
        max_length=200,
        widget=forms.ClearableFileInput({"accept": ".csv,text/csv"}),
    )

    def __init__(self, *args: Any, too_large: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        megabytes = MOST_BYTES // 1024 // 1024
        self.fields["file"].help_text = _(
            "At most {lines} lines and {most} MB. Nothing changes before you have seen what each line would do."
        ).format(lines=f"{most_lines():,}", most=megabytes)
        messages = self.fields["file"].error_messages
        messages["required"] = _("Choose a CSV file.")
        if too_large:
            messages["required"] = _("This file is larger than {most} MB. Split it.").format(most=megabytes)
        messages["empty"] = _("This file is empty.")


class ConfirmForm(StepUpForm):
    reason = forms.CharField(
        label=_("Reason"),
        max_length=MAX_REASON,
        widget=forms.Textarea({"rows": 3}),
        help_text=_("It is recorded with each assignment."),
    )

    def __init__(self, *args: Any, request: PortalRequest, **kwargs: Any) -> None:
        super().__init__(*args, request=request, purpose=Purpose.ASSIGN, own_code=True, **kwargs)
