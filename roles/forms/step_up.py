"""The part of a form that asks for a fresh second factor, shared by every act that needs one."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from roles.actors import Actor
from roles.forms.refusable import RefusableForm
from roles.middleware import PortalRequest, actor_of, session_of
from roles.models import Purpose, RecoveryCodes, TotpDevice, User
from roles.refusals import Refused
from roles.services import step_ups


def factor_choices(user: User) -> list[tuple[str, str]]:
    """Return the second factors that this person can give: each app by name, then the recovery codes."""
    apps = TotpDevice.objects.filter(user=user, confirmed=True).order_by("created_at", "pk")
    choices = [(one.persistent_id, one.name) for one in apps]
    codes = RecoveryCodes.objects.filter(user=user, confirmed=True).first()
    if codes is not None and codes.left:
        choices.append((codes.persistent_id, str(_("Recovery code"))))
    return choices


class FactorField(forms.ChoiceField):
    """Which second factor a code comes from. Somebody who has one only is not asked.

    The first one stands there until another is chosen, also where a page that asked for no code is answered with one
    that does.
    """

    default_error_messages: ClassVar[dict[str, Any]] = {
        "invalid_choice": _("You no longer have this second factor. Enter a code from the one that stands here now.")
    }

    def __init__(self, user: User, *, sent: str | None) -> None:
        """`sent` is what the form was sent with: whoever gave a factor that is gone is shown what is left."""
        choices = factor_choices(user)
        self.keys = [key for key, _name in choices]
        super().__init__(label=_("Second factor"), choices=choices, initial=self.keys[0] if self.keys else None)
        if len(choices) == 1 and (sent or self.keys[0]) == self.keys[0]:
            self.widget = forms.HiddenInput()

    @property
    def help_with_code(self) -> str:
        """Say what to type as the code."""
        sentence = _("The six digits that your authenticator app shows now.")
        if any(key.startswith(f"{RecoveryCodes.model_label()}/") for key in self.keys):
            sentence = _(
                "The six digits that your authenticator app shows now, or one of your recovery codes if you chose "
                "those."
            )
        return str(sentence)

    def bound_data(self, data: Any, initial: Any) -> Any:
        return data if data in self.keys else initial

    def to_python(self, value: Any) -> Any:
        return super().to_python(value or self.initial)


class StepUpForm(RefusableForm):
    """A form whose act needs a fresh second factor.

    It asks for a code only where no step-up of this session is fresh; the code of the sign-in counts as one, unless
    `own_code` demands a code with the act itself. `actor` spends nothing: the service does, when it succeeds.
    """

    def __init__(
        self,
        *args: Any,
        request: PortalRequest,
        purpose: Purpose,
        own_code: bool = False,
        needs_factor: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.request = request
        self.purpose = purpose
        self.step_up = step_ups.fresh(
            request.user, session=session_of(request), purpose=purpose, now=request.now, own_code=own_code
        )
        self.asks_for_code = needs_factor and self.step_up is None
        if self.asks_for_code:
            self._add_factor_fields()

    def _add_factor_fields(self) -> None:
        attributes = {"autocomplete": "one-time-code", "inputmode": "text", "class": "otp", "spellcheck": "false"}
        code = forms.CharField(label=_("Code"), max_length=40, widget=forms.TextInput(attributes))
        code.error_messages["required"] = str(_("Enter a current code from your second factor."))
        device = FactorField(self.request.user, sent=self.data.get(self.add_prefix("device")))
        code.help_text = device.help_with_code
        self.fields["device"] = device
        self.fields["code"] = code

    def actor(self, objects: Iterable[uuid.UUID]) -> Actor:
        """Return who acts, with a step-up that covers these objects; verifies the code if one was asked for.

        Raises `Refused` for a wrong code.
        """
        actor = actor_of(self.request)
        if self.step_up is None and self.asks_for_code:
            self.step_up = step_ups.give(
                self.request.user,
                actor=actor,
                device_id=self.cleaned_data["device"],
                token=self.cleaned_data["code"],
                purpose=self.purpose,
                session=session_of(self.request),
                clock=lambda: self.request.now,
            )
        if self.step_up is None:
            return actor
        return replace(actor, presented=step_ups.present(self.step_up, *objects))

    def actor_if_given(self, objects: Iterable[uuid.UUID]) -> Actor | None:
        """Return who acts; None where the code was none or a wrong one, of which the form tells.

        For a form that is not whole, too: a code that was typed is verified whatever else it lacks.
        """
        if self.step_up is None and self.asks_for_code and not {"device", "code"} <= self.cleaned_data.keys():
            return None
        try:
            return self.actor(objects)
        except Refused as refused:
            self.add_refusal(refused)
            return None

    def add_refusal(self, refused: Refused) -> None:
        """Show each violation beside the field that it speaks of. A code that was accepted is not asked for again."""
        if "code" not in self.fields and any(one.field == "code" for one in refused.violations):
            self._add_factor_fields()
        super().add_refusal(refused)
        if self.step_up is not None and "second_factor" not in refused.codes:
            self.fields.pop("device", None)
            self.fields.pop("code", None)
