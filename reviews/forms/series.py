"""Making and changing a series: one form, in which people are found and given their parts in one table."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from django import forms
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from reviews.models import Covers, Frequency, IfUnanswered, ReviewersKind
from reviews.rules.series import MOST_INACTIVE, MOST_LOOK_BACK, MOST_OCCURRENCES, Before, StageWanted, Wanted
from roles.forms.assignments import label_of
from roles.forms.fields import LocalDateTimeField
from roles.forms.step_up import StepUpForm
from roles.middleware import PortalRequest
from roles.models import Principal, Purpose, Role
from roles.text import MAX_NAME, MAX_REASON

NEVER, BY_DATE, BY_NUMBER = "never", "date", "number"
PARTS: dict[str, Any] = {
    "reviewers_1": gettext_lazy("Reviews"),
    "fallbacks_1": gettext_lazy("Stands in"),
    "reviewers_2": gettext_lazy("Reviews, second stage"),
    "fallbacks_2": gettext_lazy("Stands in, second stage"),
    "told": gettext_lazy("Is told at the end"),
}
_DAYS = {"min": 1, "inputmode": "numeric", "class": "number"}


@dataclass(frozen=True, slots=True)
class Box:
    """A checkbox of the table of people: the part that somebody gets."""

    name: str
    value: str
    label: str
    part: str
    checked: bool


def _number(label: Any, most: int, *, required: bool = False, **kwargs: Any) -> forms.IntegerField:
    in_range = format_lazy(gettext_lazy("Write a whole number from 1 to {most}."), most=most)
    return forms.IntegerField(
        label=label,
        min_value=1,
        max_value=most,
        required=required,
        widget=forms.NumberInput(_DAYS),
        error_messages={
            "required": gettext_lazy("Say for how many days."),
            **dict.fromkeys(("invalid", "min_value", "max_value"), in_range),
        },
        **kwargs,
    )


def _people() -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(required=False)


class SeriesForm(StepUpForm):
    """A series as somebody wants it."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=MAX_NAME,
        error_messages={"required": gettext_lazy("Give the review a name.")},
    )
    description = forms.CharField(
        label=gettext_lazy("Description"), max_length=MAX_REASON, widget=forms.Textarea({"rows": 2}), required=False
    )
    roles = forms.MultipleChoiceField(
        label=gettext_lazy("Roles"),
        widget=forms.SelectMultiple({"size": 8}),
        help_text=gettext_lazy("One or several; hold Ctrl or ⌘ to choose more than one."),
        error_messages={"required": gettext_lazy("Choose at least one role.")},
    )
    covers = forms.ChoiceField(label=gettext_lazy("Assignment type"), choices=Covers.choices, widget=forms.RadioSelect)
    inherited = forms.BooleanField(
        label=gettext_lazy("Also what is inherited from above"),
        help_text=gettext_lazy("It is shown here, and can only be removed where it was given."),
        required=False,
    )
    inactive_days = _number(
        gettext_lazy("Only those inactive for"),
        MOST_INACTIVE,
        help_text=gettext_lazy("Neither a sign-in nor an activation for so many days. Empty: everybody."),
    )

    starts_at = LocalDateTimeField(label=gettext_lazy("Start"), required=False)
    frequency = forms.ChoiceField(label=gettext_lazy("Frequency"), choices=Frequency.choices)
    end = forms.ChoiceField(
        label=gettext_lazy("End of the series"),
        choices=[
            (NEVER, gettext_lazy("Never")),
            (BY_DATE, gettext_lazy("On a date")),
            (BY_NUMBER, gettext_lazy("After a number of instances")),
        ],
        widget=forms.RadioSelect,
        help_text=gettext_lazy("A review that happens one time ends by itself."),
    )
    ends_on = forms.DateField(
        label=gettext_lazy("Last day on which one starts"), required=False, widget=forms.DateInput({"type": "date"})
    )
    occurrences = _number(gettext_lazy("Number of instances"), MOST_OCCURRENCES)

    kind_1 = forms.ChoiceField(label=gettext_lazy("Who reviews"), choices=ReviewersKind.choices)
    days_1 = _number(gettext_lazy("Duration"), 365, required=True)
    kind_2 = forms.ChoiceField(
        label=gettext_lazy("Second stage"),
        choices=[("", gettext_lazy("None")), *ReviewersKind.choices],
        required=False,
        help_text=gettext_lazy("Its reviewers see what the first stage said, and have the last word."),
    )
    days_2 = _number(gettext_lazy("Duration of the second stage"), 365)
    q = forms.CharField(label=gettext_lazy("Find users and groups"), required=False, max_length=100)
    reviewers_1, fallbacks_1, reviewers_2, fallbacks_2, told = (_people() for _part in PARTS)

    recommendations = forms.BooleanField(label=gettext_lazy("Show recommendations"), required=False)
    look_back_days = _number(gettext_lazy("Look-back of the recommendations"), MOST_LOOK_BACK, required=True)
    reason_required = forms.BooleanField(label=gettext_lazy("Require a reason on approval"), required=False)
    if_unanswered = forms.ChoiceField(
        label=gettext_lazy("If reviewers don’t respond"), choices=IfUnanswered.choices, widget=forms.RadioSelect
    )
    auto_apply = forms.BooleanField(
        label=gettext_lazy("Apply the results automatically"),
        help_text=gettext_lazy(
            "What was denied is removed as soon as an instance ends, by the right of whoever saved the review last."
        ),
        required=False,
    )
    mails = forms.BooleanField(label=gettext_lazy("Write to the reviewers at the start"), required=False)
    reminders = forms.BooleanField(
        label=gettext_lazy("Remind those who have not finished at half time"), required=False
    )
    mail_text = forms.CharField(
        label=gettext_lazy("Additional content of the reviewers’ mail"),
        max_length=MAX_REASON,
        widget=forms.Textarea({"rows": 2}),
        required=False,
    )

    WHAT: ClassVar[tuple[str, ...]] = ("name", "description", "roles", "covers", "inherited", "inactive_days")
    WHEN: ClassVar[tuple[str, ...]] = ("starts_at", "frequency", "end", "ends_on", "occurrences")
    WHO: ClassVar[tuple[str, ...]] = ("kind_1", "days_1", "kind_2", "days_2")
    THEN: ClassVar[tuple[str, ...]] = (
        "recommendations",
        "look_back_days",
        "if_unanswered",
        "auto_apply",
        "reason_required",
        "mails",
        "reminders",
        "mail_text",
    )
    AFTER: ClassVar[dict[str, Any]] = {
        name: gettext_lazy("days") for name in ("inactive_days", "days_1", "days_2", "look_back_days")
    }

    def __init__(
        self,
        *args: Any,
        request: PortalRequest,
        roles: list[Role],
        people: list[Principal],
        before: Wanted | None = None,
        stands: Before | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, request=request, purpose=Purpose.ASSIGN, **kwargs)
        self.people = people
        self.before = before
        chosen = set(self["roles"].value() or ())
        # What is chosen stands first: the list is long, and shows a few lines.
        named = sorted(roles, key=lambda one: str(one.pk) not in chosen)
        self.fields["roles"].choices = [(str(one.pk), one.name) for one in named]  # type: ignore[attr-defined]
        for name in PARTS:
            self.fields[name].choices = [(str(one.pk), one.name) for one in people]  # type: ignore[attr-defined]
        self._ask_for_start(started=stands is not None and stands.started)
        if stands is not None and stands.running:
            self.fields["running_too"] = forms.BooleanField(
                label=_("Also for the instance that runs"),
                help_text=_("For it, too: what stands in this card. What use recommends of its rows stays."),
                required=False,
            )

    def _ask_for_start(self, *, started: bool) -> None:
        zone = timezone.get_current_timezone_name()
        start, before = self.fields["starts_at"], self.before
        sentences = [_("Empty: at once."), _("Your clock ({zone}), also for later ones.")]
        if before is not None:
            sentences[0] = _("As it was set, unless you move it.")
        if before is not None and started:
            start.disabled = True
            self.initial["starts_at"] = before.starts_at
            sentences[0] = _("The first instance has started.")
        if before is not None and before.zone != zone:
            sentences[1] = _("Your clock ({zone}); later ones follow by that of {series}.")
        start.help_text = " ".join(sentences).format(zone=zone, series=before.zone if before else zone)

    def part(self, names: tuple[str, ...]) -> Iterator[tuple[Any, str]]:
        """Yield fields with what stands behind them."""
        return ((self[name], str(self.AFTER.get(name, ""))) for name in names)

    @property
    def what(self) -> Iterator[tuple[Any, str]]:
        return self.part(self.WHAT)

    @property
    def when(self) -> Iterator[tuple[Any, str]]:
        return self.part(self.WHEN)

    @property
    def who(self) -> Iterator[tuple[Any, str]]:
        return self.part(self.WHO)

    @property
    def then(self) -> Iterator[tuple[Any, str]]:
        return self.part(self.THEN)

    @property
    def parts(self) -> list[str]:
        return [str(label) for label in PARTS.values()]

    @property
    def part_errors(self) -> list[str]:
        """What is wrong with who has which part; said above the table."""
        return [str(error) for name in PARTS for error in self.errors.get(name, ())]

    @property
    def table(self) -> list[tuple[str, list[Box]]]:
        """The people that were found or chosen, each with a box for every part."""
        chosen = {name: {str(one) for one in self[name].value() or ()} for name in PARTS}
        rows = []
        for one in self.people:
            named = label_of(one)
            boxes = [
                Box(name, str(one.pk), f"{named}: {part}", str(part), str(one.pk) in chosen[name])
                for name, part in PARTS.items()
            ]
            rows.append((named, boxes))
        return rows

    def also_for_what_runs(self) -> bool:
        """Return whether what follows is to change for the instance that runs as well."""
        return bool(self.cleaned_data.get("running_too"))

    def wanted(self) -> Wanted:
        """Return what the form says; a start left empty is now."""
        given = self.cleaned_data
        second = given["kind_2"]
        stages = [self._stage(1)] + ([self._stage(2)] if second else [])
        end = given["end"]
        plain = ("name", "description", "inherited", "inactive_days", *self.THEN)
        values = {name: given[name] for name in plain if name != "if_unanswered"}
        starts_at, zone = self._start()
        return Wanted(
            roles=_ids(given["roles"]),
            covers=Covers(given["covers"]),
            starts_at=starts_at,
            zone=zone,
            frequency=Frequency(given["frequency"]),
            ends_on=given["ends_on"] if end == BY_DATE else None,
            occurrences=given["occurrences"] if end == BY_NUMBER else None,
            stages=tuple(stages),
            told=_ids(given["told"]),
            if_unanswered=IfUnanswered(given["if_unanswered"]),
            **values,
        )

    def _start(self) -> tuple[datetime, str]:
        """Return the start and on whose clock it is; one that nobody moved stays as it was, seconds and clock too."""
        given, before = self.cleaned_data["starts_at"], self.before
        if before is not None and given is not None and _minute(given) == _minute(before.starts_at):
            return before.starts_at, before.zone
        return given or self.request.now, timezone.get_current_timezone_name()

    def _stage(self, number: int) -> StageWanted:
        given = self.cleaned_data
        return StageWanted(
            kind=ReviewersKind(given[f"kind_{number}"]),
            days=given[f"days_{number}"],
            reviewers=_ids(given[f"reviewers_{number}"]),
            fallbacks=_ids(given[f"fallbacks_{number}"]),
        )

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        if given.get("kind_2") and not given.get("days_2"):
            self.add_error("days_2", _("Say for how many days."))
        once = given.get("frequency") == Frequency.ONCE
        for end, name in ((BY_DATE, "ends_on"), (BY_NUMBER, "occurrences")):
            if not once and given.get("end") == end and not given.get(name) and name not in self.errors:
                self.add_error(name, _("Say when the series ends."))
        return given


def _minute(moment: datetime) -> datetime:
    """As precisely as the field shows it."""
    return moment.replace(second=0, microsecond=0)


def _ids(values: list[str]) -> frozenset[uuid.UUID]:
    return frozenset(uuid.UUID(one) for one in values)
