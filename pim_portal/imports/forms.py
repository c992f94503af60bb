"""The forms of an import: the file, and the confirmation with a code of its own."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from pim_portal.imports.kinds import choices_at
from pim_portal.imports.services.orders import purpose_of
from pim_portal.imports.services.uploads import MOST_BYTES
from pim_portal.models import FileKind, Upload
from roles.forms.step_up import StepUpForm
from roles.middleware import PortalRequest
from roles.models import Resource
from roles.text import MAX_REASON


class UploadForm(forms.Form):
    kind = forms.ChoiceField(label=_("What the file holds"), widget=forms.RadioSelect)
    file = forms.FileField(
        label=_("CSV file"),
        max_length=200,
        widget=forms.ClearableFileInput({"accept": ".csv,text/csv"}),
    )

    def __init__(self, *args: Any, place: Resource, kind: str = "", too_large: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = choices_at(place)
        field = cast("forms.ChoiceField", self.fields["kind"])
        field.choices = choices
        field.initial = kind if kind in dict(choices) else choices[0][0]
        if len(choices) == 1:
            field.widget = forms.HiddenInput()
        megabytes = MOST_BYTES // 1024 // 1024
        self.fields["file"].help_text = _(
            "At most {most} MB. Nothing changes before you have seen what each line would do."
        ).format(most=megabytes)
        messages = self.fields["file"].error_messages
        messages["required"] = _("Choose a CSV file.")
        if too_large:
            messages["required"] = _("This file is larger than {most} MB. Split it.").format(most=megabytes)
        messages["empty"] = _("This file is empty.")


class ConfirmForm(StepUpForm):
    reason = forms.CharField(
        label=_("Justification"),
        max_length=MAX_REASON,
        widget=forms.Textarea({"rows": 3}),
        help_text=_("It is recorded with each thing that is made."),
        error_messages={"required": _("Say why.")},
    )
    invite = forms.BooleanField(
        label=_("Mail each new person their invitation"),
        required=False,
        help_text=_("Otherwise invite them later, each on their page."),
    )

    def __init__(self, *args: Any, request: PortalRequest, upload: Upload, **kwargs: Any) -> None:
        super().__init__(*args, request=request, purpose=purpose_of(upload), own_code=True, **kwargs)
        if upload.kind != FileKind.PEOPLE:
            del self.fields["invite"]
