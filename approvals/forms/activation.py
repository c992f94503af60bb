"""Asking for one role, or for several in one go."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from approvals.rules.activations import BEFOREHAND, SHORTEST, ActivateFacts
from approvals.selectors.my_roles import MOST_SCOPES, scopes_below
from approvals.services.activations import Wanted, gather
from approvals.wording import form_of_tickets
from roles import wording
from roles.actors import Actor
from roles.forms.fields import DurationField, LocalDateTimeField
from roles.forms.step_up import StepUpForm
from roles.middleware import PortalRequest
from roles.models import Assignment, Purpose, SecondFactor, User
from roles.refusals import Refused, Violation, broken
from roles.selectors.resources import places_of

NOW, LATER = "now", "later"
_MINUTE = timedelta(minutes=1)
# What is not complained of while the rest is wrong: both are asked for last.
_LATER = {"second_factor", "ticket_unchecked"}


@dataclass(frozen=True, slots=True)
class Prospect:
    """A role that somebody is about to ask for: what the settings will want, and what already stands in the way."""

    eligibility: Assignment
    facts: ActivateFacts
    place: str

    @property
    def pk(self) -> uuid.UUID:
        return self.eligibility.pk

    @property
    def hindrances(self) -> list[Violation]:
        return broken(BEFOREHAND, self.facts)

    @property
    def is_possible(self) -> bool:
        return not self.hindrances

    @property
    def longest(self) -> timedelta:
        """How long it can be active if it begins now, in whole minutes."""
        end = self.facts.ends_at
        rest = (end - self.facts.now) // _MINUTE * _MINUTE if end else timedelta.max
        return max(min(self.facts.settings.max_activation, rest), SHORTEST)

    def capped(self, duration: timedelta, start: datetime | None) -> timedelta:
        """Shorten a duration that several roles share to what this one allows."""
        end = self.facts.ends_at
        rest = end - max(start or self.facts.now, self.facts.now) if end else timedelta.max
        longest = min(self.facts.settings.max_activation, max(rest, SHORTEST))
        return min(duration, longest)


def prospect_of(
    user: User, eligibility: Assignment, *, place: str, actor: Actor, now: datetime, emergency: bool = False
) -> Prospect:
    """Ask beforehand what the service will ask; of an `emergency`, which waits for nobody."""
    wanted = Wanted(duration=SHORTEST)
    facts, _resource = gather(user, eligibility.pk, wanted=wanted, actor=actor, now=now, emergency=emergency)
    return Prospect(eligibility, facts, place)


def initial_of(
    prospects: Sequence[Prospect], *, duration: timedelta | None, reason: str, resource_id: uuid.UUID | None = None
) -> dict[str, Any]:
    """Return what a form begins with when it says the same as the last time, as far as that is possible now."""
    initial: dict[str, Any] = {"reason": reason}
    if duration is not None:
        initial["duration"] = min(duration, max((one.longest for one in prospects), default=duration))
    if resource_id is not None and len(prospects) == 1:
        initial["resource"] = resource_id
    return initial


def id_of(value: Any) -> uuid.UUID | None:
    """Return the id that was chosen; None where it is none."""
    try:
        return uuid.UUID(str(value))
    except ValueError:
        return None


class StartWidget(forms.RadioSelect):
    """Now or later; later shows the field for when (static/portal.css)."""

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option: dict[str, Any] = super().create_option(name, value, *args, **kwargs)
        if value == LATER:
            option["attrs"]["data-reveals"] = ""
        return option


class ActivateForm(StepUpForm):
    """What somebody says to get roles. The settings of the roles decide what is asked; the rules judge what is said."""

    when = forms.ChoiceField(label=gettext_lazy("Start"), widget=StartWidget, initial=NOW)
    start = LocalDateTimeField(label=gettext_lazy("Not before"), required=False)
    resource = forms.UUIDField(
        label=gettext_lazy("Scope"), error_messages={"required": gettext_lazy("Choose where you need it.")}
    )
    scope = forms.CharField(label=gettext_lazy("Find a smaller scope"), required=False, max_length=100)
    ticket = forms.CharField(label=gettext_lazy("Ticket"), required=False)
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        required=False,
        widget=forms.Textarea({"rows": 3}),
        help_text=gettext_lazy("Approvers and auditors see this."),
    )
    name = forms.CharField(label=gettext_lazy("Name of the profile"), required=False)

    purpose_of_act = Purpose.ACTIVATE
    field_order = ("duration", "when", "start", "scope", "resource", "ticket", "reason", "device", "code")

    def __init__(self, *args: Any, request: PortalRequest, prospects: Sequence[Prospect], **kwargs: Any) -> None:
        self.prospects = prospects
        settings = [one.facts.settings for one in prospects]
        factors = {one.second_factor for one in settings}
        super().__init__(
            *args,
            request=request,
            purpose=self.purpose_of_act,
            own_code=SecondFactor.EVERY_TIME in factors,
            needs_factor=factors != {SecondFactor.NONE},
            **kwargs,
        )
        self.alone = prospects[0] if len(prospects) == 1 else None
        self.longest = max((one.facts.settings.max_activation for one in prospects), default=SHORTEST)
        self._add_duration()
        self._add_scopes()
        self._word_the_start()
        if any(one.reason_required for one in settings):
            self._require("reason", _("Say why you need this role."))
        if any(one.ticket_required for one in settings):
            self._require("ticket", _("Enter the ticket that this is for."))
        self.fields["ticket"].help_text = form_of_tickets(settings)
        self.order_fields(self.field_order)

    def _require(self, name: str, sentence: str) -> None:
        self.fields[name].required = True
        self.fields[name].error_messages["required"] = sentence

    def _add_duration(self) -> None:
        field = DurationField(label=_("Duration"), longest=self.longest)
        field.initial = max((one.longest for one in self.prospects), default=SHORTEST)
        field.help_text = _("At most {longest}.").format(longest=wording.span(self.longest))
        if self.alone is None:
            field.help_text = _("At most {longest}. A role that allows less gets the most that it allows.").format(
                longest=wording.span(self.longest)
            )
        elif self.alone.facts.panels:
            field.help_text = _("At most {longest}. The time begins when it is approved.").format(
                longest=wording.span(self.longest)
            )
        self.fields["duration"] = field

    def _word_the_start(self) -> None:
        waiting = {bool(one.facts.panels) for one in self.prospects}
        first = _("When approved") if waiting == {True} else _("Now")
        if waiting == {True, False}:
            first = _("Now, or when approved")
        self.fields["when"].choices = [(NOW, first), (LATER, _("Not before …"))]  # type: ignore[attr-defined]

    def _add_scopes(self) -> None:
        if self.alone is None:
            del self.fields["resource"], self.fields["scope"]
            return
        given = self.data if self.is_bound else self.initial
        own = self.alone.eligibility.resource
        chosen = id_of(given.get("resource"))
        scopes = scopes_below(
            self.alone.eligibility, text=str(given.get("scope", "")), chosen=chosen if chosen != own.pk else None
        )
        if not scopes.nodes and not scopes.many and chosen in (None, own.pk):
            # One that was chosen and is gone meanwhile is for the rules to refuse: never more than was asked for.
            del self.fields["resource"], self.fields["scope"]
            return
        places = places_of(scopes.nodes)
        below = [(str(one.pk), f"{one.name} ({places[one.pk]})") for one in scopes.nodes]
        everything = _("{name} (all of it)").format(name=own.name)
        field = self.fields["resource"]
        field.widget = forms.Select(choices=[(str(own.pk), everything), *below])
        field.initial = str(own.pk)
        field.help_text = _("Choose less where that is enough.")
        if not scopes.many:
            del self.fields["scope"]
        elif scopes.more:
            field.help_text = _("The first {count} are listed. Write more of the name.").format(count=MOST_SCOPES)
        elif given.get("scope") and not below:
            field.help_text = _("Nothing below has this in its name.")
        elif given.get("scope"):
            found = ngettext("{count} found: choose it above.", "{count} found: choose one above.", len(below))
            field.help_text = found.format(count=len(below))
        else:
            field.help_text = _("Choose less where that is enough: find it by its name first.")

    def clean_duration(self) -> timedelta:
        duration: timedelta = self.cleaned_data["duration"]
        if self.alone is None and duration > self.longest:
            sentence = _("None of these roles can be active for more than {longest}.")
            raise ValidationError(sentence.format(longest=wording.span(self.longest)))
        return duration

    def clean(self) -> None:
        super().clean()
        if self.cleaned_data.get("when") != LATER:
            # A time that was typed and then not chosen is no mistake.
            self.cleaned_data["start"] = None
            self.errors.pop("start", None)
        elif "start" in self.cleaned_data and self.cleaned_data["start"] is None:
            self.add_error("start", _("Choose a date and a time."))

    def wanted(self, prospect: Prospect) -> Wanted:
        """Return what is asked for this role; what could not be read is taken as what breaks no rule."""
        said = self.cleaned_data
        start = said.get("start")
        duration = said.get("duration")
        if duration is None:
            duration = prospect.longest
        return Wanted(
            duration=duration if self.alone else prospect.capped(duration, start),
            reason=said.get("reason", ""),
            ticket=said.get("ticket", ""),
            start=start,
            resource_id=said.get("resource"),
        )

    def keep_errors_of(self, *names: str) -> None:
        """Complain of these fields only: of the rest nothing was wanted yet."""
        for name in set(self.errors) - set(names):
            del self.errors[name]

    def tell(self, violations: Iterable[Violation]) -> None:
        """Show what the rules say as well, where the field has not been complained of already."""
        new = [one for one in violations if one.code not in _LATER and one.field not in self.errors]
        # Also without anything new: a code that was accepted is not asked for again.
        self.add_refusal(Refused(new))
