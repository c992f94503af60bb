"""The forms that act on people; each needs a fresh second factor."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from pim_portal.models import TicketKind
from roles.forms.step_up import StepUpForm
from roles.middleware import PortalRequest
from roles.models import Purpose
from roles.models.principals import USERNAME_SHAPE
from roles.text import MAX_REASON


class PeopleForm(StepUpForm):
    """An act on somebody that asks for nothing but a fresh second factor."""

    def __init__(self, *args: Any, request: PortalRequest, **kwargs: Any) -> None:
        super().__init__(*args, request=request, purpose=Purpose.PEOPLE, **kwargs)


class ReasonForm(PeopleForm):
    reason = forms.CharField(
        label=_("Reason"),
        max_length=MAX_REASON,
        widget=forms.Textarea({"rows": 3}),
        help_text=_("It stays in the history."),
    )


class ResetForm(ReasonForm):
    kind = forms.ChoiceField(
        label=_("What they lost"),
        choices=[
            (TicketKind.RESET_PASSWORD, _("Password: they choose a new one, their second factors stay")),
            (TicketKind.RESET_FACTOR, _("Phone: their second factors go, they add a new one at the next sign-in")),
        ],
        widget=forms.RadioSelect,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].label = _("How you made sure who is asking")
        self.order_fields(["kind", "reason", "device", "code"])


class InviteForm(PeopleForm):
    name = forms.CharField(label=_("Name"), max_length=200)
    username = forms.CharField(
        label=_("User name"),
        max_length=150,
        validators=[USERNAME_SHAPE],
        widget=forms.TextInput({"autocapitalize": "none", "spellcheck": "false", "autocomplete": "off"}),
    )
    email = forms.EmailField(
        label=_("E-mail"), max_length=254, required=False, help_text=_("The link is mailed there as well.")
    )
    job_title = forms.CharField(label=_("Job title"), max_length=120, required=False)
    department = forms.CharField(label=_("Department"), max_length=120, required=False)
