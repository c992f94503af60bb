"""Naming a saved profile."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy

from roles.refusals import Refused


class ProfileNameForm(forms.Form):
    """What a profile is called. It needs no second factor: a profile gives nothing."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        error_messages={"required": gettext_lazy("Give the profile a name.")},
        widget=forms.TextInput({"autocomplete": "off"}),
    )

    def add_refusal(self, refused: Refused) -> None:
        """Show each violation beside the field that it speaks of."""
        for violation in refused.violations:
            self.add_error(violation.field if violation.field in self.fields else None, str(violation.message))
