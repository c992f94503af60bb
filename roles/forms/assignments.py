"""The forms of giving, changing, renewing and ending assignments; each needs a fresh second factor."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from roles.forms.fields import LocalDateTimeField
from roles.forms.step_up import StepUpForm
from roles.middleware import PortalRequest
from roles.models import Assignment, AssignmentType, Principal, Purpose, Role
from roles.selectors.settings import EffectiveSettings
from roles.text import MAX_REASON

YEAR = timedelta(days=365)
PERMANENT, UNTIL = "permanent", "until"


def proposed_end(settings: EffectiveSettings | None, type: AssignmentType, now: datetime) -> datetime | None:
    """Return the end that a form proposes: none where permanent is allowed, else a year or what is allowed."""
    if settings is None:
        return None
    eligible = type == AssignmentType.ELIGIBLE
    if settings.permanent_eligible_allowed if eligible else settings.permanent_active_allowed:
        return None
    longest = settings.expire_eligible_after if eligible else settings.expire_active_after
    return (now + min(YEAR, longest)).replace(second=0, microsecond=0)


class _ActForm(StepUpForm):
    reason = forms.CharField(
        label=gettext_lazy("Justification"),
        max_length=MAX_REASON,
        widget=forms.Textarea({"rows": 3}),
        help_text=gettext_lazy("It stays in the history."),
        error_messages={"required": gettext_lazy("Say why.")},
        required=False,
    )

    def __init__(self, *args: Any, request: PortalRequest, purpose: Purpose = Purpose.ASSIGN, **kwargs: Any) -> None:
        super().__init__(*args, request=request, purpose=purpose, **kwargs)


class EndForm(_ActForm):
    """Why somebody's assignments end."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].required = True


class TermsForm(_ActForm):
    """From when to when, on the viewer's clock."""

    starts_at = LocalDateTimeField(label=gettext_lazy("Start"), required=False)
    duration = forms.ChoiceField(
        label=gettext_lazy("Duration"),
        choices=[(PERMANENT, gettext_lazy("Permanent")), (UNTIL, gettext_lazy("Until the end below"))],
        widget=forms.RadioSelect,
        initial=PERMANENT,
    )
    ends_at = LocalDateTimeField(label=gettext_lazy("End"), required=False)

    order: ClassVar[tuple[str, ...]] = ("type", "duration", "starts_at", "ends_at", "reason", "device", "code")
    asked_for = gettext_lazy("required")  # the justification, where the settings want one of an active assignment

    def __init__(
        self, *args: Any, end: datetime | None = None, settings: EffectiveSettings | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        if settings is not None and settings.reason_on_assign:
            self.fields["reason"].need = self.asked_for  # type: ignore[attr-defined]
        zone = timezone.get_current_timezone_name()
        if "starts_at" in self.fields:
            self.fields["starts_at"].help_text = _("Empty: at once. Your clock ({zone}).").format(zone=zone)
        self.fields["ends_at"].help_text = _("Your clock ({zone}).").format(zone=zone)
        # What the label says in place of "optional"; the form itself asks for it.
        self.fields["ends_at"].need = _("unless permanent")  # type: ignore[attr-defined]
        if end is not None:
            self.fields["duration"].initial = UNTIL
            self.fields["ends_at"].initial = end
        self.order_fields(self.order)

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        if given.get("duration") == PERMANENT:
            given["ends_at"] = None
        elif not given.get("ends_at") and "ends_at" not in self.errors:
            self.add_error("ends_at", ValidationError(_("Choose a date and a time."), code="required"))
        return given


class ChangeForm(TermsForm):
    """The times of an assignment, set anew; the start only while it lies ahead."""

    def __init__(self, *args: Any, assignment: Assignment, **kwargs: Any) -> None:
        super().__init__(*args, end=assignment.ends_at, **kwargs)
        if assignment.starts_at <= self.request.now:
            del self.fields["starts_at"]
        else:
            self.fields["starts_at"].initial = assignment.starts_at
            self.fields["starts_at"].required = True
        self.assignment = assignment

    def times(self) -> dict[str, datetime | None]:
        """Return both times; what shows the same minute as before is as it was, to the second."""
        kept, given = self.assignment, self.cleaned_data
        return {
            "starts_at": as_it_was(given.get("starts_at"), kept.starts_at),
            "ends_at": as_it_was(given["ends_at"], kept.ends_at),
        }


def as_it_was(given: datetime | None, before: datetime | None) -> datetime | None:
    """Return a typed moment; one that shows the same minute as before is as it was, to the second."""
    same = given is not None and before is not None and given == before.replace(second=0, microsecond=0)
    return before if same else given


class TypedForm(TermsForm):
    """Eligible or active, and from when to when."""

    asked_for = gettext_lazy("required for an active one")

    type = forms.ChoiceField(
        label=gettext_lazy("Type"),
        choices=AssignmentType.choices,
        widget=forms.RadioSelect,
        initial=AssignmentType.ELIGIBLE,
        help_text=gettext_lazy("Eligible: activated when it is needed. Active: held all the time."),
    )


class AddForm(TypedForm):
    """One role for several users and groups. Those who are found or chosen stand in `people`."""

    role = forms.ChoiceField(label=gettext_lazy("Role"), error_messages={"required": gettext_lazy("Choose a role.")})
    q = forms.CharField(label=gettext_lazy("Find users and groups"), required=False, max_length=100)
    principal = forms.MultipleChoiceField(label=gettext_lazy("Users and groups"), widget=forms.CheckboxSelectMultiple)

    order: ClassVar[tuple[str, ...]] = ("role", "q", "principal", *TermsForm.order)

    def __init__(
        self, *args: Any, roles: list[Role], people: list[Principal], only_people: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        if only_people:
            self.fields["q"].label, self.fields["principal"].label = _("Find people"), _("People")
        self.roles = {str(one.pk): one for one in roles}
        self.fields["role"].choices = [  # type: ignore[attr-defined]
            ("", _("Choose a role")),
            *((key, one.name) for key, one in self.roles.items()),
        ]
        self.fields["principal"].choices = [(str(one.pk), label_of(one)) for one in people]  # type: ignore[attr-defined]
        self.fields["principal"].error_messages["required"] = _("Find and choose at least one user or group.")

    def principals(self) -> list[uuid.UUID]:
        return [uuid.UUID(one) for one in self.cleaned_data["principal"]]


def label_of(principal: Principal) -> str:
    """Name a user or group so that it can be told apart from its namesakes."""
    user = getattr(principal, "user", None)
    detail = user.username if user else _("group")
    return _("{name} ({detail})").format(name=principal.name, detail=detail)
