"""The forms of custom roles; each needs a fresh second factor."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from roles.forms.step_up import StepUpForm
from roles.middleware import PortalRequest
from roles.models import Purpose
from roles.rules.custom_roles import MAX_CATEGORY, MAX_DESCRIPTION, MAX_PERMISSION, MAX_PERMISSIONS, Definition
from roles.services.custom_roles import definition_of
from roles.text import MAX_NAME, MAX_REASON


class _RoleStepUpForm(StepUpForm):
    def __init__(self, *args: Any, request: PortalRequest, **kwargs: Any) -> None:
        super().__init__(*args, request=request, purpose=Purpose.ASSIGN, **kwargs)


class DefineForm(_RoleStepUpForm):
    """What a custom role is."""

    name = forms.CharField(
        label=_("Name"), max_length=MAX_NAME, error_messages={"required": _("Give the role a name.")}
    )
    description = forms.CharField(
        label=_("Description"), max_length=MAX_DESCRIPTION, widget=forms.Textarea({"rows": 3}), required=False
    )
    category = forms.CharField(label=_("Service or category"), max_length=MAX_CATEGORY, required=False)
    privileged = forms.BooleanField(
        label=_("Privileged"), help_text=_("Its holder could come to more rights with it."), required=False
    )
    permissions = forms.CharField(
        label=_("Permissions"),
        max_length=MAX_PERMISSIONS * (MAX_PERMISSION + 2),
        widget=forms.Textarea({"rows": 6, "class": "mono", "spellcheck": "false"}),
        help_text=_("What the role allows in the target system, one a line."),
        required=False,
    )

    def definition(self) -> Definition:
        names = ("name", "description", "category", "privileged", "permissions")
        return definition_of(**{name: self.cleaned_data[name] for name in names})


class RetireForm(_RoleStepUpForm):
    """Why a custom role is retired, or restored."""

    reason = forms.CharField(
        label=_("Justification"),
        max_length=MAX_REASON,
        widget=forms.Textarea({"rows": 3}),
        help_text=_("It stays in the history."),
        error_messages={"required": _("Say why.")},
    )
