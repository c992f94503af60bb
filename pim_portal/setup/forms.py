"""The form of the first set-up."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from pim_portal.accounts.forms import NewPasswordMixin
from roles.forms.refusable import RefusableForm
from roles.models import User
from roles.models.principals import USERNAME_SHAPE


class SetUpForm(RefusableForm, NewPasswordMixin):
    code = forms.CharField(
        label=_("Set-up code"),
        max_length=40,
        help_text=_("“manage.py setup” prints it on the server."),
        error_messages={"required": _("Write the code that “manage.py setup” printed.")},
        widget=forms.TextInput({"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}),
    )
    name = forms.CharField(
        label=_("Your name"),
        max_length=200,
        widget=forms.TextInput({"autocomplete": "name"}),
        error_messages={"required": _("Write your name.")},
    )
    username = forms.CharField(
        label=_("User name"),
        max_length=150,
        validators=[USERNAME_SHAPE],
        widget=forms.TextInput({"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}),
        error_messages={"required": _("Give yourself a user name.")},
    )
    email = forms.EmailField(
        label=_("E-mail"),
        max_length=254,
        widget=forms.EmailInput({"autocomplete": "email"}),
        error_messages={
            "required": _("Write your e-mail address."),
            "invalid": _("Write a whole e-mail address, like name@example.org."),
        },
    )
    root = forms.CharField(
        label=_("First resource root"),
        max_length=200,
        required=False,
        help_text=_(
            "For example your organisation. You become its Owner and can hang subscriptions and resources below it. "
            "It can wait."
        ),
    )
    field_order = ("code", "name", "username", "email", "new_password", "repeated", "root")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.describe_passwords()

    def owner(self) -> User:
        names = {field: self.cleaned_data.get(field, "") for field in ("username", "name", "email")}
        return User(**names)
