"""The forms about keeping, each with a fresh second factor."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.groups import Group
from pim_portal.keeping.rules import MOST_DAYS
from pim_portal.keeping.selectors import Kept
from roles.forms.step_up import StepUpForm
from roles.middleware import PortalRequest
from roles.models import Purpose
from roles.text import MAX_REASON


class RetentionForm(StepUpForm):
    """For how many days the events of each group are kept; nothing: for ever."""

    reason = forms.CharField(
        label=gettext_lazy("Justification"),
        max_length=MAX_REASON,
        widget=forms.Textarea({"rows": 3}),
        error_messages={"required": gettext_lazy("Say why.")},
    )

    def __init__(self, *args: Any, request: PortalRequest, kept: list[Kept], **kwargs: Any) -> None:
        super().__init__(*args, request=request, purpose=Purpose.SETTINGS, **kwargs)
        for one in kept:
            self.fields[one.group.value] = forms.IntegerField(
                label=one.group.label,
                required=False,
                initial=one.days,
                help_text=_("Days, at least {least}. Empty: for ever.").format(least=one.least),
                widget=forms.NumberInput({"min": one.least, "max": MOST_DAYS, "placeholder": _("For ever")}),
                error_messages={"invalid": _("Write a number of days, or nothing to keep them for ever.")},
            )
        self.order_fields([*(one.group.value for one in kept), "reason", "device", "code"])

    @property
    def wanted(self) -> dict[Group, int | None]:
        return {group: self.cleaned_data.get(group.value) for group in Group}


class TakeForm(StepUpForm):
    """Taking an archive away."""

    def __init__(self, *args: Any, request: PortalRequest, **kwargs: Any) -> None:
        super().__init__(*args, request=request, purpose=Purpose.EXPORT, **kwargs)
