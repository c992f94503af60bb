"""Prolonging one's own activation."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from approvals.rules.activations import SHORTEST
from approvals.rules.prolonging import ProlongFacts
from approvals.services.activations import Wanted
from approvals.wording import form_of_tickets
from roles import wording
from roles.forms.fields import DurationField
from roles.forms.step_up import StepUpForm
from roles.middleware import PortalRequest
from roles.models import Purpose, SecondFactor

_MINUTE = timedelta(minutes=1)


class ProlongForm(StepUpForm):
    """For how long from now, and whatever the settings ask."""

    ticket = forms.CharField(label=gettext_lazy("Ticket"), required=False)
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        required=False,
        widget=forms.Textarea({"rows": 3}),
        help_text=gettext_lazy("Approvers and auditors see this."),
    )

    field_order = ("duration", "ticket", "reason", "device", "code")

    def __init__(self, *args: Any, request: PortalRequest, facts: ProlongFacts, **kwargs: Any) -> None:
        settings = facts.settings
        super().__init__(
            *args,
            request=request,
            purpose=Purpose.ACTIVATE,
            own_code=settings.second_factor == SecondFactor.EVERY_TIME,
            needs_factor=settings.second_factor != SecondFactor.NONE,
            **kwargs,
        )
        longest = settings.max_activation
        if facts.ends_at is not None:
            longest = min(longest, (facts.ends_at - facts.now) // _MINUTE * _MINUTE)
        field = DurationField(label=_("For how long from now"), longest=max(longest, SHORTEST))
        field.initial = max(longest, SHORTEST)
        words = _("At most {longest}: until {end}.")
        if facts.panels:
            words = _("At most {longest}. The time is counted from the approval.")
        field.help_text = words.format(longest=wording.span(longest), end=wording.exact(facts.now + longest))
        self.fields["duration"] = field
        if settings.reason_required:
            self._require("reason", _("Say why you need this role."))
        if settings.ticket_required:
            self._require("ticket", _("Enter the ticket that this is for."))
        self.fields["ticket"].help_text = form_of_tickets([settings])
        self.order_fields(self.field_order)

    def _require(self, name: str, sentence: str) -> None:
        self.fields[name].required = True
        self.fields[name].error_messages["required"] = sentence

    def wanted(self) -> Wanted:
        said = self.cleaned_data
        return Wanted(duration=said["duration"], reason=said["reason"], ticket=said["ticket"])
