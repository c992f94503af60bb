"""The forms that act on people; each needs a fresh second factor."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from pim_portal.models import TicketKind
from roles.forms.assignments import label_of
from roles.forms.step_up import StepUpForm
from roles.middleware import PortalRequest
from roles.models import Principal, Purpose
from roles.models.principals import USERNAME_SHAPE
from roles.services.groups import MAX_DESCRIPTION
from roles.text import MAX_NAME, MAX_REASON

PERSON_FIELDS = ("name", "username", "email", "job_title", "department")


class PeopleForm(StepUpForm):
    """An act on somebody that asks for nothing but a fresh second factor."""

    def __init__(self, *args: Any, request: PortalRequest, **kwargs: Any) -> None:
        super().__init__(*args, request=request, purpose=Purpose.PEOPLE, **kwargs)


class ReasonForm(PeopleForm):
    reason = forms.CharField(
        label=_("Justification"),
        max_length=MAX_REASON,
        widget=forms.Textarea({"rows": 3}),
        help_text=_("It stays in the history."),
        error_messages={"required": _("Say why.")},
    )


class ResetForm(ReasonForm):
    kind = forms.ChoiceField(
        label=_("What they lost"),
        choices=[
            (TicketKind.RESET_PASSWORD, _("Password: they choose a new one, their second factors stay")),
            (TicketKind.RESET_FACTOR, _("Phone: their second factors go, they add a new one at the next sign-in")),
        ],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose what they lost.")},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].label = _("How you made sure who is asking")
        self.fields["reason"].error_messages["required"] = str(_("Say how you made sure."))
        self.order_fields(["kind", "reason", "device", "code"])


class InviteForm(PeopleForm):
    name = forms.CharField(label=_("Name"), max_length=200, error_messages={"required": _("Write their name.")})
    username = forms.CharField(
        label=_("User name"),
        max_length=150,
        validators=[USERNAME_SHAPE],
        widget=forms.TextInput({"autocapitalize": "none", "spellcheck": "false", "autocomplete": "off"}),
        error_messages={"required": _("Give them a user name.")},
    )
    email = forms.EmailField(
        label=_("E-mail"),
        max_length=254,
        required=False,
        error_messages={"invalid": _("Write a whole e-mail address, like name@example.org.")},
    )
    job_title = forms.CharField(label=_("Job title"), max_length=120, required=False)
    department = forms.CharField(label=_("Department"), max_length=120, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if settings.PIM_MAILS_LEAVE:
            self.fields["email"].help_text = _("The link is mailed there as well.")


class GroupForm(PeopleForm):
    """What a group is called, and what it is for."""

    name = forms.CharField(
        label=_("Name"), max_length=MAX_NAME, error_messages={"required": _("Give the group a name.")}
    )
    description = forms.CharField(
        label=_("Description"),
        max_length=MAX_DESCRIPTION,
        widget=forms.Textarea({"rows": 3}),
        required=False,
        help_text=_("Who belongs in it, and what for."),
    )

    def group(self) -> dict[str, str]:
        return {"name": self.cleaned_data["name"], "description": self.cleaned_data["description"]}


class LeaveForm(StepUpForm):
    """Why all that somebody has ends, and whether they are disabled as well. The rows come beside the form."""

    reason = forms.CharField(
        label=_("Justification"),
        max_length=MAX_REASON,
        widget=forms.Textarea({"rows": 3}),
        help_text=_("It stays in the history of each of them."),
        error_messages={"required": _("Say why.")},
    )
    disable_too = forms.BooleanField(
        label=_("Disable the account as well"),
        required=False,
        help_text=_("They are signed out at once, and what they asked for is cancelled."),
    )

    def __init__(self, *args: Any, request: PortalRequest, may_disable: bool, **kwargs: Any) -> None:
        super().__init__(*args, request=request, purpose=Purpose.LEAVE, **kwargs)
        if not may_disable:
            self.fields["disable_too"].disabled = True
            self.fields["disable_too"].initial = False
            self.fields["disable_too"].widget = forms.HiddenInput()


class EditForm(InviteForm):
    """Who somebody is; the manager is found by a part of their name."""

    q = forms.CharField(label=_("Find a manager"), required=False, max_length=100)
    manager = forms.ChoiceField(label=_("Manager"), required=False, widget=forms.RadioSelect)

    def __init__(self, *args: Any, people: list[Principal], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].help_text = ""
        found = [(str(one.pk), label_of(one)) for one in people]
        self.fields["manager"].choices = [("", _("Nobody")), *found]  # type: ignore[attr-defined]

    def person(self) -> dict[str, Any]:
        given = self.cleaned_data
        manager_id = uuid.UUID(given["manager"]) if given["manager"] else None
        return {name: given[name] for name in PERSON_FIELDS} | {"manager_id": manager_id}
