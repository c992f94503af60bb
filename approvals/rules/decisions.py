"""The rules of deciding a request, whatever it asks for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from approvals.models import Decision, RequestStage, Status, Verdict
from approvals.rules import tickets
from approvals.rules.activations import SHORTEST
from approvals.rules.prolonging import not_longer
from approvals.rules.settings_changes import drift
from approvals.selectors.approvers import Panel
from roles.models import SecondFactor, User
from roles.refusals import Violation
from roles.rules.asked import second_factor_missing
from roles.rules.duties import kept_apart
from roles.selectors.duties.clashes import Clash
from roles.selectors.settings import EffectiveSettings
from roles.text import MAX_REASON, is_visible
from roles.wording import span


@dataclass(frozen=True, slots=True)
class DecideFacts:
    """What is known when somebody decides a request."""

    approver: User
    own: bool
    status: Status
    panel: Panel
    decided_before: bool
    verdict: Verdict
    justification: str
    duration: timedelta | None
    wanted: timedelta | None
    as_seen: bool
    second_factor: bool
    stages_then: int
    settings: EffectiveSettings
    reason: str
    ticket: str
    ticket_check: str
    factor_then: SecondFactor
    now: datetime
    timed: bool = True  # whether a time is asked for, under the settings of a role
    drifted: str = ""  # of a change of settings: what changed in them since, in words
    author_may: bool = True  # and whether its author could still make it
    taken_by: str = ""  # who decided already in the seat of this person, or in one that they could have taken
    runs_until: datetime | None = None  # of the activation that is to be prolonged
    clashes: tuple[Clash, ...] = ()  # with what would be granted
    stages: tuple[RequestStage, ...] = ()  # of the request
    said: tuple[Decision, ...] = ()  # before

    @property
    def instead_of(self) -> User | None:
        """The approver in whose place a deputy decides; None for who decides in their own."""
        seat = self.panel.seat_for(self.approver)
        return seat if seat is not None and seat.pk != self.approver.pk else None

    def agreed(self, number: int) -> int:
        """How many have approved in this stage before."""
        stages = {one.pk for one in self.stages if one.number == number}
        return sum(one.verdict == Verdict.APPROVE and one.stage_id in stages for one in self.said)


_DEMANDS = (SecondFactor.NONE, SecondFactor.FRESH, SecondFactor.EVERY_TIME)


def own_request(facts: DecideFacts) -> Violation | None:
    if facts.own:
        return Violation("own_request", _("You cannot decide your own request."))
    return None


_OVER = {
    Status.GRANTED: gettext_lazy("This request was already approved."),
    Status.DENIED: gettext_lazy("This request was already denied."),
    Status.CANCELLED: gettext_lazy("This request was cancelled."),
    Status.LAPSED: gettext_lazy("This request has lapsed; it can no longer be decided."),
    Status.FAILED: gettext_lazy("This request could not be granted; it has to be made again."),
}


def over(facts: DecideFacts) -> Violation | None:
    if facts.status != Status.PENDING:
        return Violation(facts.status.value, _OVER[facts.status])
    return None


def decided_before(facts: DecideFacts) -> Violation | None:
    if facts.status == Status.PENDING and facts.decided_before:
        return Violation("decided_before", _("You have already decided this request; others must agree, too."))
    return None


def seat_taken(facts: DecideFacts) -> Violation | None:
    """One seat counts once, whether the approver or a deputy decides."""
    if facts.status == Status.PENDING and not facts.own and not facts.decided_before and facts.taken_by:
        sentence = _("{name} has already decided in this place: an approver and a deputy count once together.")
        return Violation("seat_taken", sentence.format(name=facts.taken_by))
    return None


def not_an_approver(facts: DecideFacts) -> Violation | None:
    if facts.own or facts.decided_before or facts.taken_by or facts.status != Status.PENDING:
        return None
    if facts.panel.seat_for(facts.approver) is None:
        return Violation("not_an_approver", _("You are not an approver of this request now."))
    return None


def changed_since_seen(facts: DecideFacts) -> Violation | None:
    if not facts.as_seen:
        sentence = _("This request changed since you opened the page. Look at it again before you decide.")
        return Violation("changed", sentence)
    return None


def justification_missing(facts: DecideFacts) -> Violation | None:
    if not is_visible(facts.justification):
        return Violation("justification_missing", _("Say why you decide so."), "justification")
    return None


def justification_too_long(facts: DecideFacts) -> Violation | None:
    if len(facts.justification) > MAX_REASON:
        sentence = _("The justification is too long: at most %(limit)s characters.")
        return Violation("justification_too_long", sentence % {"limit": MAX_REASON}, "justification")
    return None


def wider_than_asked(facts: DecideFacts) -> Violation | None:
    if facts.duration is not None and facts.wanted is not None and facts.duration > facts.wanted:
        sentence = _("You can shorten what was asked, not lengthen it: at most %(wanted)s.")
        return Violation("wider", sentence % {"wanted": span(facts.wanted)}, "duration")
    return None


def too_short_to_grant(facts: DecideFacts) -> Violation | None:
    if facts.duration is not None and facts.duration < SHORTEST:
        sentence = _("A role is activated for at least %(shortest)s.")
        return Violation("duration_too_short", sentence % {"shortest": span(SHORTEST)}, "duration")
    return None


def no_longer_than_it_runs(facts: DecideFacts) -> Violation | None:
    if facts.verdict != Verdict.APPROVE or facts.status != Status.PENDING:
        return None
    granted = facts.duration if facts.duration is not None else facts.wanted
    return not_longer(facts.runs_until, facts.now, granted) if granted is not None else None


def settings_became_stricter(facts: DecideFacts) -> Violation | None:
    """What was asked must satisfy today's settings as well. A shorter maximum shortens it; the rest cannot be met."""
    if facts.verdict != Verdict.APPROVE or facts.status != Status.PENDING or not facts.timed:
        return None
    earlier = [one for one in facts.settings.stages if one.number < facts.panel.number]
    demands = {
        _("more stages of approval"): len(facts.settings.stages) > facts.stages_then,
        _("that more agree in an earlier stage"): any(facts.agreed(one.number) < one.quorum for one in earlier),
        _("a second factor"): _DEMANDS.index(facts.settings.second_factor) > _DEMANDS.index(facts.factor_then),
        _("a ticket"): tickets.missing(facts.settings, facts.ticket) is not None,
        _("a ticket of another form"): tickets.misfit(facts.settings, facts.ticket) is not None,
        _("that the ticket is checked"): facts.settings.ticket_verified and not facts.ticket_check,
        _("a reason"): facts.settings.reason_required and not is_visible(facts.reason),
    }
    if stricter := [what for what, demanded in demands.items() if demanded]:
        sentence = _(
            "The settings of this role became stricter since this was asked: they now demand {what}. "
            "Deny it; it can be asked anew."
        )
        return Violation("settings_stricter", sentence.format(what=", ".join(stricter)))
    return None


def settings_drifted(facts: DecideFacts) -> Violation | None:
    """What is agreed to is done to the settings that the proposal showed, or not at all."""
    if facts.verdict == Verdict.APPROVE and facts.status == Status.PENDING and facts.drifted:
        return drift(facts.drifted)
    return None


def author_may_no_more(facts: DecideFacts) -> Violation | None:
    if facts.verdict == Verdict.APPROVE and facts.status == Status.PENDING and not facts.author_may:
        sentence = _("Who proposed this change may not make it any more. Deny it.")
        return Violation("author_may_not", sentence)
    return None


def roles_kept_apart(facts: DecideFacts) -> Violation | None:
    """What the person has come to meanwhile, or a rule made since, stands in the way; a denial is always possible."""
    if facts.verdict != Verdict.APPROVE or facts.status != Status.PENDING:
        return None
    return kept_apart(facts)


DECIDE = (
    own_request,
    over,
    decided_before,
    seat_taken,
    not_an_approver,
    changed_since_seen,
    justification_missing,
    justification_too_long,
    wider_than_asked,
    too_short_to_grant,
    no_longer_than_it_runs,
    settings_became_stricter,
    settings_drifted,
    author_may_no_more,
    roles_kept_apart,
    second_factor_missing,
)

# What can be said before a verdict is chosen.
MAY_DECIDE = (own_request, over, decided_before, seat_taken, not_an_approver)
