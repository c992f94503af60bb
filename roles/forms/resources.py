"""The forms that change the tree, and the one of elevating access; each needs a fresh second factor."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from roles.forms.step_up import StepUpForm
from roles.middleware import PortalRequest
from roles.models import Purpose, ResourceKind, User
from roles.rules.resources import MAX_TYPE, NAMED_BY_PATH
from roles.text import MAX_NAME, MAX_REASON


class TreeForm(StepUpForm):
    """Why the tree is changed."""

    reason = forms.CharField(
        label=gettext_lazy("Justification"),
        max_length=MAX_REASON,
        widget=forms.Textarea({"rows": 3}),
        help_text=gettext_lazy("It stays in the history."),
        error_messages={"required": gettext_lazy("Say why.")},
        required=False,
    )

    def __init__(self, *args: Any, request: PortalRequest, **kwargs: Any) -> None:
        super().__init__(*args, request=request, purpose=Purpose.ASSIGN, **kwargs)


class ConfirmForm(TreeForm):
    """Agree to what was looked at: `seen` is the digest of the preview."""

    seen = forms.CharField(widget=forms.HiddenInput, max_length=64)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].required = True


class NameForm(TreeForm):
    """What a place is called."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=MAX_NAME,
        error_messages={"required": gettext_lazy("Give it a name.")},
    )

    def __init__(self, *args: Any, kinds: list[ResourceKind], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if any(kind in NAMED_BY_PATH for kind in kinds):
            self.fields["name"].help_text = _("It is part of the scope of this place and of all below it.")
        self.order_fields(("kind", "name", "type", "owner", "reason", "device", "code"))


class AddForm(NameForm):
    """What stands below a place from now on."""

    kind = forms.ChoiceField(
        label=gettext_lazy("Kind"),
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose what it is.")},
    )
    type = forms.CharField(
        label=gettext_lazy("Type"),
        max_length=MAX_TYPE,
        help_text=gettext_lazy("Provider and type, such as Microsoft.KeyVault/vaults."),
    )

    def __init__(self, *args: Any, kinds: list[ResourceKind], **kwargs: Any) -> None:
        super().__init__(*args, kinds=kinds, **kwargs)
        self.fields["kind"].choices = [(str(kind), kind.label) for kind in kinds]  # type: ignore[attr-defined]
        self.fields["kind"].initial = str(kinds[0])
        if len(kinds) == 1:
            self.fields["kind"].widget = forms.HiddenInput()
        if ResourceKind.RESOURCE not in kinds:
            del self.fields["type"]

    def given(self) -> dict[str, Any]:
        """Return what `add_resource` wants to know."""
        given = self.cleaned_data
        return {
            "kind": ResourceKind(given["kind"]),
            "name": given["name"],
            "type": given.get("type", ""),
            "reason": given["reason"],
        }


class RootForm(NameForm):
    """A new resource root, and who owns it first."""

    owner = forms.CharField(
        label=gettext_lazy("First Owner"),
        max_length=254,
        help_text=gettext_lazy("User name or e-mail address. You get nothing there unless you name yourself."),
        widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false"}),
        error_messages={"required": gettext_lazy("Say who is its first Owner.")},
    )

    def clean_owner(self) -> User:
        try:
            return User.objects.get_by_natural_key(self.cleaned_data["owner"])
        except User.DoesNotExist:
            raise forms.ValidationError(_("Nobody has this user name or e-mail address."), code="unknown") from None


class ElevateForm(StepUpForm):
    """Why somebody needs access to every resource; always with a code of its own."""

    reason = forms.CharField(
        label=gettext_lazy("Justification"),
        max_length=MAX_REASON,
        widget=forms.Textarea({"rows": 3}),
        help_text=gettext_lazy("It stays in the history. Those who administer roles are told at once."),
        error_messages={"required": gettext_lazy("Say why.")},
    )

    def __init__(self, *args: Any, request: PortalRequest, **kwargs: Any) -> None:
        super().__init__(*args, request=request, purpose=Purpose.ELEVATE, own_code=True, **kwargs)
