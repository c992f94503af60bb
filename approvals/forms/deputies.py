"""Naming a deputy."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from approvals.rules.deputies import LONGEST
from roles.forms.fields import LocalDateTimeField
from roles.forms.step_up import StepUpForm
from roles.middleware import PortalRequest
from roles.models import Purpose


class DeputyForm(StepUpForm):
    """Who stands in, for how long, and why."""

    deputy = forms.CharField(
        label=gettext_lazy("Who"),
        max_length=254,
        widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false"}),
        help_text=gettext_lazy("Their user name or e-mail address."),
        error_messages={"required": gettext_lazy("Say who stands in for you.")},
    )
    starts_at = LocalDateTimeField(label=gettext_lazy("From"), required=False)
    ends_at = LocalDateTimeField(label=gettext_lazy("Until"))
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        widget=forms.Textarea({"rows": 2}),
        help_text=gettext_lazy("Your deputy and auditors see this."),
        error_messages={"required": gettext_lazy("Say why somebody stands in for you.")},
    )

    field_order = ("deputy", "starts_at", "ends_at", "reason", "device", "code")

    def __init__(self, *args: Any, request: PortalRequest, **kwargs: Any) -> None:
        super().__init__(*args, request=request, purpose=Purpose.DECIDE, **kwargs)
        zone = timezone.get_current_timezone_name()
        self.fields["starts_at"].help_text = _("Empty: at once. Your clock ({zone}).").format(zone=zone)
        self.fields["ends_at"].help_text = _("At most {days} days later; it ends by itself.").format(days=LONGEST.days)
