"""The forms of acting on a review, and of reviewing; each needs a fresh second factor."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from reviews.models import Opinion
from reviews.services.deciding import Saying
from roles.forms.step_up import StepUpForm
from roles.middleware import PortalRequest
from roles.models import Purpose
from roles.text import MAX_REASON

RECOMMENDED = "recommended"
VERDICTS = [
    (Opinion.APPROVE, gettext_lazy("Approve")),
    (Opinion.DENY, gettext_lazy("Deny")),
    (Opinion.DONT_KNOW, gettext_lazy("Don’t know")),
]


def _reason(help_text: Any) -> forms.CharField:
    return forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=MAX_REASON,
        widget=forms.Textarea({"rows": 2}),
        help_text=help_text,
        required=False,
    )


class ActForm(StepUpForm):
    """Why an administrator does what they do."""

    reason = _reason(gettext_lazy("It stays in the history."))
    reason.label = gettext_lazy("Justification")

    def __init__(self, *args: Any, request: PortalRequest, **kwargs: Any) -> None:
        super().__init__(*args, request=request, purpose=Purpose.ASSIGN, **kwargs)


class SayForm(StepUpForm):
    """The verdicts of a page of rows, sent as `verdict-<id>` and `reason-<id>`, and one reason for those without."""

    reason = _reason(gettext_lazy("For every row that you decide on this page and that has no reason of its own."))

    def __init__(self, *args: Any, request: PortalRequest, reason_required: bool, **kwargs: Any) -> None:
        super().__init__(*args, request=request, purpose=Purpose.DECIDE, **kwargs)
        if reason_required:
            self.fields["reason"].help_text = _(
                "This review wants a reason for every approval. This one is for every row that you decide on this page "
                "and that has no reason of its own."
            )

    def sayings(self, sent: QueryDict) -> list[Saying]:
        """Return what was said of which row; what is no id or no verdict says nothing."""
        common = self.cleaned_data["reason"]
        found = []
        for name, value in sent.items():
            if not name.startswith("verdict-") or value not in Opinion.values or value == Opinion.NOT_REVIEWED:
                continue
            try:
                row = uuid.UUID(name.removeprefix("verdict-"))
            except ValueError:
                continue
            own = str(sent.get(f"reason-{row}", "")).strip()
            found.append(Saying(row, Opinion(str(value)), own or common))
        return found


class SayAllForm(StepUpForm):
    """The same for all rows that wait."""

    verdict = forms.ChoiceField(
        label=gettext_lazy("Say of all that wait for you"),
        widget=forms.RadioSelect,
        choices=[(RECOMMENDED, gettext_lazy("What is recommended, where something is")), *VERDICTS],
        error_messages={"required": gettext_lazy("Choose what you say.")},
    )
    reason = _reason(gettext_lazy("A recommendation is its own reason."))

    def __init__(self, *args: Any, request: PortalRequest, recommendations: bool, **kwargs: Any) -> None:
        super().__init__(*args, request=request, purpose=Purpose.DECIDE, **kwargs)
        if not recommendations:
            self.fields["verdict"].choices = VERDICTS  # type: ignore[attr-defined]
