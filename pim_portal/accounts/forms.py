"""The forms of signing in and of one's own account."""

from __future__ import annotations

import zoneinfo
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.password_validation import password_validators_help_texts, validate_password
from django.core import signing
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from roles.forms.refusable import RefusableForm
from roles.forms.step_up import FactorField, StepUpForm
from roles.middleware import PortalRequest, session_of
from roles.models import Purpose, User
from roles.models.factors import fresh_key
from roles.models.principals import LONGEST_KEY, Theme, search_key

LONGEST_PASSWORD = 128
SEAL = "pim_portal.accounts.new_app"
SEALED_FOR = 3600  # seconds between showing a new key and confirming it


class SignInForm(forms.Form):
    username = forms.CharField(
        label=_("User name or e-mail"),
        max_length=LONGEST_KEY,
        widget=forms.TextInput(
            {"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false", "autofocus": True}
        ),
        error_messages={"required": _("Write your user name or e-mail address.")},
    )
    password = forms.CharField(
        label=_("Password"),
        max_length=512,
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "current-password"}),
        error_messages={"required": _("Write your password.")},
    )

    def clean_username(self) -> str:
        """Return the form in which people are told apart; upper case or a full-width letter is not another account."""
        key = search_key(self.cleaned_data["username"])
        if len(key) > LONGEST_KEY:
            raise ValidationError(_("This is too long for a user name or an e-mail address."))
        return key


def code_field(label: Any = _("Code")) -> forms.CharField:
    attributes = {
        "autocomplete": "one-time-code",
        "class": "otp",
        "spellcheck": "false",
        "autocapitalize": "characters",
    }
    field = forms.CharField(label=label, max_length=40, widget=forms.TextInput(attributes))
    field.error_messages["required"] = str(_("Enter the code."))
    return field


class SecondFactorForm(RefusableForm):
    """A code from one chosen second factor: trying all of them would throttle the others."""

    code = code_field()

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        device = FactorField(user, sent=self.data.get(self.add_prefix("device")))
        self.fields = {"device": device, **self.fields}
        self.fields["code"].widget.attrs["autofocus"] = True
        self.fields["code"].help_text = device.help_with_code


class KeyMixin(forms.Form):
    """The key of an app that is being added, shown as a QR code and kept in the page, sealed, until it is confirmed.

    Nothing is stored before: opening the page changes nothing.
    """

    key = forms.CharField(widget=forms.HiddenInput, max_length=1000)
    name = forms.CharField(
        label=_("Name of this app"),
        max_length=64,
        required=False,
        help_text=_("So that you can tell your apps apart, for example “Work phone”."),
    )

    request: PortalRequest

    def new_key(self) -> str:
        """Return the key that this page shows: the one in the form that was sent, or a fresh one."""
        if self.is_bound and (key := self.unsealed(str(self.data.get("key", "")))):
            return key
        return fresh_key()

    def seal(self, key: str) -> str:
        return signing.dumps({"key": key, "for": session_of(self.request)}, salt=SEAL)

    def unsealed(self, text: str) -> str | None:
        try:
            sealed = signing.loads(text, salt=SEAL, max_age=SEALED_FOR)
        except signing.BadSignature:
            return None
        return str(sealed["key"]) if sealed["for"] == session_of(self.request) else None

    def clean_key(self) -> str:
        key = self.unsealed(self.cleaned_data["key"])
        if key is None:
            raise ValidationError(_("This page was open for too long. Scan the new code and try again."))
        return key


class EnrolForm(RefusableForm, KeyMixin):
    """The first authenticator app."""

    code = code_field(_("Code that the app shows now"))
    field_order = ("key", "code", "name")

    def __init__(self, *args: Any, request: PortalRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request


class AppForm(StepUpForm, KeyMixin):
    """One more authenticator app; an existing factor has to be given as well."""

    app_code = code_field(_("Code that the new app shows now"))

    def __init__(self, *args: Any, request: PortalRequest, **kwargs: Any) -> None:
        super().__init__(*args, request=request, purpose=Purpose.FACTORS, **kwargs)
        self.order_fields(["key", "name", "app_code", "device", "code"])
        if "code" in self.fields:
            self.fields["code"].label = _("Code from a second factor you already have")


class FactorsForm(StepUpForm):
    """A change of one's own second factors that asks for nothing but a fresh one."""

    def __init__(self, *args: Any, request: PortalRequest, **kwargs: Any) -> None:
        super().__init__(*args, request=request, purpose=Purpose.FACTORS, **kwargs)


class NewPasswordMixin(forms.Form):
    """A new password, twice, long enough and not a common one."""

    new_password = forms.CharField(
        label=_("New password"),
        max_length=LONGEST_PASSWORD,
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
        error_messages={"required": _("Choose a new password.")},
    )
    repeated = forms.CharField(
        label=_("The same password again"),
        max_length=LONGEST_PASSWORD,
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
        error_messages={"required": _("Write the new password again.")},
    )

    def describe_passwords(self) -> None:
        self.fields["new_password"].help_text = " ".join(password_validators_help_texts())

    def owner(self) -> User:
        """Return whose password it will be; a password that resembles their name is refused."""
        raise NotImplementedError

    def clean_new_password(self) -> str:
        password: str = self.cleaned_data["new_password"]
        validate_password(password, self.owner())
        return password

    def clean_repeated(self) -> str:
        repeated: str = self.cleaned_data["repeated"]
        if self.cleaned_data.get("new_password") not in (None, repeated):
            raise ValidationError(_("This is not the same password."))
        return repeated


class PasswordForm(StepUpForm, NewPasswordMixin):
    """Change one's own password: the old one and a second factor are needed."""

    password = forms.CharField(
        label=_("Current password"),
        max_length=512,
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "current-password"}),
        error_messages={"required": _("Enter your current password.")},
    )

    def __init__(self, *args: Any, request: PortalRequest, **kwargs: Any) -> None:
        super().__init__(*args, request=request, purpose=Purpose.FACTORS, **kwargs)
        self.order_fields(["password", "new_password", "repeated", "device", "code"])
        self.describe_passwords()

    def owner(self) -> User:
        return self.request.user


class EntryForm(RefusableForm, NewPasswordMixin):
    """Choose a password by a link."""

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        self.describe_passwords()

    def owner(self) -> User:
        return self.user


def zones() -> list[tuple[str, Any]]:
    names = sorted(name for name in zoneinfo.available_timezones() if "/" in name and not name.startswith("Etc/"))
    default = _("Like the portal (%(zone)s)") % {"zone": settings.PIM_DEFAULT_TIME_ZONE}
    return [("", default), ("UTC", "UTC"), *((name, name.replace("_", " ")) for name in names)]


class PreferencesForm(forms.Form):
    time_zone = forms.ChoiceField(label=_("Time zone"), choices=zones, required=False)
    theme = forms.ChoiceField(label=_("Theme"), choices=Theme.choices)
