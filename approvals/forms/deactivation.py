"""Ending one's own activation."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from roles.text import MAX_REASON


class DeactivateForm(forms.Form):
    """Why somebody ends a role early, if they want to say it."""

    reason = forms.CharField(
        label=_("Reason"), required=False, max_length=MAX_REASON, widget=forms.Textarea({"rows": 2, "maxlength": None})
    )
