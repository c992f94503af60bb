"""Naming a saved profile."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy

from roles.forms.refusable import RefusableForm


class ProfileNameForm(RefusableForm):
    """What a profile is called. It needs no second factor: a profile gives nothing."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        error_messages={"required": gettext_lazy("Give the profile a name.")},
        widget=forms.TextInput({"autocomplete": "off"}),
    )
