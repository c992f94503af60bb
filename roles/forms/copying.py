"""The form that copies a role's settings to others: first who, then what would change for each."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from roles.forms.settings import SettingsStepUpForm
from roles.models import Role


class CopyForm(SettingsStepUpForm):
    """Which roles take the settings."""

    q = forms.CharField(label=gettext_lazy("Find roles"), required=False, max_length=100)
    to = forms.MultipleChoiceField(label=gettext_lazy("Copy to"), widget=forms.CheckboxSelectMultiple)

    def __init__(self, *args: Any, roles: list[Role], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["to"].choices = [(str(one.pk), one.name) for one in roles]  # type: ignore[attr-defined]
        self.fields["to"].error_messages["required"] = _("Choose at least one role.")

    def chosen(self) -> list[uuid.UUID]:
        return [uuid.UUID(one) for one in self.cleaned_data["to"]]
