"""Deciding one request, or several with one justification."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from approvals.models import Request, Verdict
from roles import wording
from roles.forms.fields import DurationField
from roles.forms.step_up import StepUpForm
from roles.middleware import PortalRequest
from roles.models import Purpose


class DecideForm(StepUpForm):
    """A verdict and why. One step-up serves all the requests of the form."""

    verdict = forms.ChoiceField(choices=Verdict.choices, widget=forms.HiddenInput)
    justification = forms.CharField(
        label=gettext_lazy("Justification"),
        widget=forms.Textarea({"rows": 4}),
        help_text=gettext_lazy("The requestor and auditors see this."),
        error_messages={"required": gettext_lazy("Say why you decide so.")},
    )

    field_order = ("duration", "justification", "device", "code")

    def __init__(self, *args: Any, request: PortalRequest, asked: Request | None = None, **kwargs: Any) -> None:
        super().__init__(*args, request=request, purpose=Purpose.DECIDE, **kwargs)
        if asked is not None:
            field = DurationField(label=_("Grant for"), longest=asked.time, required=False)
            field.initial = asked.time
            words = _("{span} was asked for. You can shorten it.")
            field.help_text = words.format(span=wording.span(asked.time))
            self.fields["duration"] = field
        self.order_fields(self.field_order)

    def clean(self) -> None:
        super().clean()
        if self.errors.pop("verdict", None):
            # The buttons are the field; there is nothing to stand beside.
            self.add_error(None, _("Choose whether to approve or to deny."))
