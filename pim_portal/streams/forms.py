"""The forms about web hooks, each with a fresh second factor."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.kinds import kinds
from pim_portal.models import WebHook
from pim_portal.models.streams import LONGEST_URL
from pim_portal.streams.rules import LONGEST_NAME
from pim_portal.streams.services import OVERLAPS, Wanted
from roles.forms.step_up import StepUpForm
from roles.middleware import PortalRequest
from roles.models import Purpose
from roles.wording import span


class ActForm(StepUpForm):
    """An act on a web hook that needs nothing but the second factor."""

    def __init__(self, *args: Any, request: PortalRequest, **kwargs: Any) -> None:
        super().__init__(*args, request=request, purpose=Purpose.SETTINGS, **kwargs)


class HookForm(ActForm):
    """What a web hook is."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=LONGEST_NAME,
        widget=forms.TextInput({"autocomplete": "off"}),
        error_messages={"required": gettext_lazy("Give it a name.")},
    )
    url = forms.CharField(
        label=gettext_lazy("Address"),
        max_length=LONGEST_URL,
        widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false", "inputmode": "url", "class": "mono"}),
        help_text=gettext_lazy("Where each message is posted to, like https://siem.example.org/pim."),
        error_messages={"required": gettext_lazy("Write a whole address, like https://siem.example.org/pim.")},
    )
    kinds = forms.MultipleChoiceField(
        label=gettext_lazy("Only these kinds"),
        required=False,
        choices=kinds,
        widget=forms.SelectMultiple({"size": 8}),
        help_text=gettext_lazy("None chosen: every event. Ctrl or ⌘ and a click chooses one more, or one less."),
    )

    field_order = ("name", "url", "kinds", "start", "device", "code")

    @classmethod
    def about(cls, hook: WebHook) -> dict[str, Any]:
        """Return what the form shows at first of a web hook that is there."""
        return {"name": hook.name, "url": hook.url, "kinds": hook.kinds}

    @property
    def wanted(self) -> Wanted:
        said = self.cleaned_data
        return Wanted(said["name"], said["url"], tuple(said["kinds"]))


class AddHookForm(HookForm):
    """A new web hook, and where it begins."""

    start = forms.ChoiceField(
        label=gettext_lazy("Begin with"),
        choices=[
            ("now", gettext_lazy("What is sealed from now on")),
            ("first", gettext_lazy("The first event of the history")),
        ],
        initial="now",
    )


class ReplayForm(ActForm):
    """From where everything is sent again."""

    leaf = forms.IntegerField(
        label=gettext_lazy("From leaf"),
        help_text=gettext_lazy("Each event has a number, its leaf; it stands in every message."),
        error_messages={
            "required": gettext_lazy("Say from which leaf on."),
            "invalid": gettext_lazy("Write a number."),
        },
    )

    field_order = ("leaf", "device", "code")


class RotateForm(ActForm):
    """A new secret, and how long the old one still signs."""

    overlap = forms.TypedChoiceField(
        label=gettext_lazy("The old secret signs too for"),
        coerce=lambda hours: timedelta(hours=int(hours)),
        help_text=gettext_lazy("Long enough for you to set the new one where it is received."),
    )

    field_order = ("overlap", "device", "code")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        words = [(one, span(one) if one else _("Not at all: it ends at once")) for one in OVERLAPS]
        choices = [(str(int(one.total_seconds() // 3600)), label) for one, label in words]
        self.fields["overlap"].choices = choices  # type: ignore[attr-defined]  # of a choice field
        self.fields["overlap"].initial = "24"
