"""The forms of rules of separation of duties: what is kept apart, then whom it concerns, then the second factor."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from roles.forms.settings import SettingsStepUpForm
from roles.models import DutyReach, Role
from roles.rules.duty_rules import MAX_DESCRIPTION, MAX_NAME, DutyTerms
from roles.text import MAX_REASON

REACHES = [
    (DutyReach.HOLD, _("Not held together: nobody may be eligible for, or hold, two of them at the same time")),
    (DutyReach.ACTIVE, _("Not active at once: one may be eligible for all of them, and have one active at a time")),
]


def _reason() -> forms.CharField:
    return forms.CharField(
        label=_("Justification"),
        max_length=MAX_REASON,
        widget=forms.Textarea({"rows": 3}),
        help_text=_("It stays in the history."),
        error_messages={"required": _("Say why.")},
    )


class DutyRuleForm(SettingsStepUpForm):
    """What a rule says. Before anybody has seen whom it concerns (`needs_factor` off) nothing more is asked."""

    name = forms.CharField(
        label=_("Name"),
        max_length=MAX_NAME,
        help_text=_("Whoever it keeps from a role reads it."),
        error_messages={"required": _("Give the rule a name.")},
    )
    description = forms.CharField(
        label=_("Description"), max_length=MAX_DESCRIPTION, widget=forms.Textarea({"rows": 2}), required=False
    )
    reach = forms.ChoiceField(label=_("What is kept apart"), choices=REACHES, widget=forms.RadioSelect)
    q = forms.CharField(label=_("Find roles"), required=False, max_length=100)
    roles = forms.MultipleChoiceField(
        label=_("Roles"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose two roles or more.")},
    )
    reason = _reason()

    def __init__(self, *args: Any, roles: list[Role], needs_factor: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, needs_factor=needs_factor, **kwargs)
        self.known = {str(one.pk): one for one in roles}
        self.fields["roles"].choices = [(pk, one.name) for pk, one in self.known.items()]  # type: ignore[attr-defined]
        if not needs_factor:
            del self.fields["reason"]

    def terms(self) -> DutyTerms:
        typed = self.cleaned_data
        roles = tuple(self.known[pk] for pk in typed["roles"])
        return DutyTerms(typed["name"], typed["description"], DutyReach(typed["reach"]), roles)


class RetireDutyRuleForm(SettingsStepUpForm):
    """Why a rule is retired."""

    reason = _reason()
