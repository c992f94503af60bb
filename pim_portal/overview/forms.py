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
        choices=[(ELIGIBLE, _("Make eligible")), (REMOVE, _("Remove"))],
        widget=forms.HiddenInput,
    )

    field_order = ("reason", "device", "code")

    def __init__(self, *args: Any, may_make_eligible: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.may_make_eligible = may_make_eligible
        if not may_make_eligible:
            self.fields["act"].choices = self.fields["act"].choices[1:]  # type: ignore[attr-defined]
        self.order_fields(self.field_order)

    def clean(self) -> None:
        super().clean()
        if self.errors.pop("act", None):
            # The buttons are the field; there is nothing to stand beside.
            self.add_error(None, _("Say what to do."))
