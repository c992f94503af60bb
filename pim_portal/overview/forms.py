"""Acting on several assignments of a world."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from roles.forms.assignments import EndForm

ELIGIBLE, REMOVE = "eligible", "remove"


class ActForm(EndForm):
    """What is done to the chosen assignments, and why. It needs a fresh second factor."""

    act = forms.ChoiceField(
        label=_("What to do"),
        choices=[
            (ELIGIBLE, _("Make eligible: whoever is active activates the role from now on, when it is needed")),
            (REMOVE, _("Remove: nobody of them has the role any more")),
        ],
        widget=forms.RadioSelect,
        error_messages={"required": _("Say what to do.")},
    )

    field_order = ("act", "reason", "device", "code")

    def __init__(self, *args: Any, may_make_eligible: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not may_make_eligible:
            self.fields["act"].choices = self.fields["act"].choices[1:]  # type: ignore[attr-defined]
        self.fields["act"].initial = ELIGIBLE if may_make_eligible else REMOVE
        self.order_fields(self.field_order)
