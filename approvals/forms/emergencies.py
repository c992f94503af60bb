"""Activating in an emergency, and closing the review of one."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from approvals.forms.activation import ActivateForm
from roles import wording
from roles.forms.step_up import StepUpForm
from roles.middleware import PortalRequest
from roles.models import Purpose


class BreakGlassForm(ActivateForm):
    """What somebody says who cannot wait: the form of an activation, at once, with a code of its own."""

    purpose_of_act = Purpose.BREAK_GLASS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["when"], self.fields["start"]
        words = _("At most {longest}. It begins at once.")
        self.fields["duration"].help_text = words.format(longest=wording.span(self.longest))
        self.fields["reason"].help_text = _("Everybody who is told of it and auditors see this.")
        self.fields["reason"].error_messages["required"] = _("Say what the emergency is.")

    def _word_the_start(self) -> None:
        """There is nothing to choose."""


class CloseEmergencyForm(StepUpForm):
    """Whether an emergency was justified, what was found, and whether what still runs ends now."""

    justified = forms.TypedChoiceField(
        label=gettext_lazy("Was it justified?"),
        choices=[("yes", gettext_lazy("Yes, it could not wait")), ("no", gettext_lazy("No"))],
        coerce=lambda said: said == "yes",
        empty_value=None,
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Say whether it was justified.")},
    )
    finding = forms.CharField(
        label=gettext_lazy("What you found"),
        widget=forms.Textarea({"rows": 4}),
        help_text=gettext_lazy("The person who activated it and auditors see this."),
        error_messages={"required": gettext_lazy("Say what you found.")},
    )
    end_now = forms.BooleanField(
        label=gettext_lazy("End the activation now"),
        required=False,
        help_text=gettext_lazy("Without this it goes on until its end."),
    )

    field_order = ("justified", "finding", "end_now", "device", "code")

    def __init__(self, *args: Any, request: PortalRequest, runs: bool, **kwargs: Any) -> None:
        super().__init__(*args, request=request, purpose=Purpose.DECIDE, **kwargs)
        if not runs:
            del self.fields["end_now"]
