"""What must be so before the settings of a role are changed, or taken from above again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from roles.ids import PRIVILEGED_ROLE_ADMINISTRATOR
from roles.models import Audience, NotifiedAct, Role, RoleKind
from roles.patterns import MAX_PATTERN, problem_in
from roles.refusals import Violation
from roles.rules.asked import second_factor_missing
from roles.rules.groups import beyond
from roles.rules.looser import second_administrator
from roles.selectors.seats import Need, People, shortages
from roles.selectors.settings import Cell
from roles.wording import span

LONGEST_ACTIVATION = timedelta(hours=24)
LONGEST_WINDOW = timedelta(hours=72)
LONGEST_EMERGENCY = timedelta(hours=4)
SHORTEST_REVIEW = timedelta(hours=1)
LONGEST_REVIEW = timedelta(days=7)
SHORTEST = timedelta(minutes=5)
SHORTEST_ASSIGNMENT = timedelta(days=1)
LONGEST_ASSIGNMENT = timedelta(days=365)
MAX_STAGES = 5
MAX_QUORUM = 100
MAX_ADDRESSES = 50  # in one cell


@dataclass(frozen=True, slots=True)
class StageFacts:
    """One stage as it would be: `who` are the enabled people who could decide in it now."""

    number: int
    quorum: int
    named: bool
    who: People

    @property
    def people(self) -> int:
        return len(self.who)


@dataclass(frozen=True, slots=True)
class SettingsFacts:
    """What is known of the settings as they would be; a reset is asked the same, of what would rule then."""

    role: Role
    place_name: str
    allowed: bool
    second_factor: bool
    misplaced: bool
    changed_meanwhile: bool
    beyond: tuple[str, ...]
    max_activation: timedelta
    approval_window: timedelta
    expire_eligible_after: timedelta
    expire_active_after: timedelta
    approval_required: bool
    stages: tuple[StageFacts, ...]
    ticket_required: bool = False
    ticket_pattern: str = ""
    ticket_verified: bool = False
    break_glass_max: timedelta = timedelta(hours=1)
    break_glass_review_within: timedelta = timedelta(hours=24)
    unknown_approvers: bool = False
    cells: tuple[Cell, ...] = ()
    own: bool = True
    loosens: tuple[str, ...] = ()  # what would be looser, where that waits for a second administrator


def not_allowed(facts: SettingsFacts) -> Violation | None:
    if not facts.allowed:
        return Violation("not_allowed", _("You may not change the settings of this role."))
    return None


def group_holds_more(facts: SettingsFacts) -> Violation | None:
    return beyond(facts.beyond) if facts.beyond else None


def wrong_place(facts: SettingsFacts) -> Violation | None:
    if facts.misplaced:
        sentence = _("This role cannot be assigned at %(resource)s, so it has no settings there.")
        return Violation("wrong_place", sentence % {"resource": facts.place_name})
    return None


def changed_meanwhile(facts: SettingsFacts) -> Violation | None:
    if facts.changed_meanwhile:
        sentence = _("Somebody changed these settings meanwhile. Open the page again to see what they are now.")
        return Violation("changed_meanwhile", sentence)
    return None


def waits_for_a_second(facts: SettingsFacts) -> Violation | None:
    return second_administrator(facts.loosens) if facts.loosens else None


def nothing_of_its_own(facts: SettingsFacts) -> Violation | None:
    if not facts.own:
        return Violation("nothing_to_reset", _("This role has no settings of its own here."))
    return None


def activation_in_range(facts: SettingsFacts) -> Violation | None:
    return _within("max_activation", facts.max_activation, SHORTEST, LONGEST_ACTIVATION)


def window_in_range(facts: SettingsFacts) -> Violation | None:
    return _within("approval_window", facts.approval_window, SHORTEST, LONGEST_WINDOW)


def emergency_in_range(facts: SettingsFacts) -> Violation | None:
    return _within("break_glass_max", facts.break_glass_max, SHORTEST, LONGEST_EMERGENCY)


def emergency_review_in_range(facts: SettingsFacts) -> Violation | None:
    return _within("break_glass_review_within", facts.break_glass_review_within, SHORTEST_REVIEW, LONGEST_REVIEW)


def eligible_in_range(facts: SettingsFacts) -> Violation | None:
    return _within("expire_eligible_after", facts.expire_eligible_after, SHORTEST_ASSIGNMENT, LONGEST_ASSIGNMENT)


def active_in_range(facts: SettingsFacts) -> Violation | None:
    return _within("expire_active_after", facts.expire_active_after, SHORTEST_ASSIGNMENT, LONGEST_ASSIGNMENT)


def _within(field: str, value: timedelta, least: timedelta, most: timedelta) -> Violation | None:
    if least <= value <= most:
        return None
    sentence = _("Choose a time from %(least)s to %(most)s.") % {"least": span(least), "most": span(most)}
    return Violation(f"{field}_range", sentence, field)


def pattern_can_be_matched(facts: SettingsFacts) -> Violation | None:
    """A pattern that takes more than time in proportion to the ticket is none (`roles.patterns`)."""
    if len(facts.ticket_pattern) > MAX_PATTERN:
        sentence = _("The pattern is too long: at most %(limit)s characters.")
        return Violation("ticket_pattern", sentence % {"limit": MAX_PATTERN}, "ticket_pattern")
    if problem := problem_in(facts.ticket_pattern):
        sentence = _("This is no pattern that can be matched (RE2): %(problem)s.")
        return Violation("ticket_pattern", sentence % {"problem": problem}, "ticket_pattern")
    return None


def checked_where_required(facts: SettingsFacts) -> Violation | None:
    if facts.ticket_verified and not facts.ticket_required:
        sentence = _("Only a ticket that is required can be checked. Require a ticket, too.")
        return Violation("checked_not_required", sentence, "ticket_verified")
    return None


def stages_in_order(facts: SettingsFacts) -> Violation | None:
    numbers = [one.number for one in facts.stages]
    if numbers != list(range(1, len(numbers) + 1)):
        return Violation("stages", _("The stages are numbered from 1 on."), "stages")
    if len(numbers) > MAX_STAGES:
        return Violation("stages", _("There are at most %(most)s stages.") % {"most": MAX_STAGES}, "stages")
    return None


def approvers_known(facts: SettingsFacts) -> Violation | None:
    if facts.unknown_approvers:
        return Violation("approvers_unknown", _("Only users and groups of the portal can approve."), "approvers")
    return None


def somebody_agrees(facts: SettingsFacts) -> Violation | None:
    for stage in facts.stages:
        if stage.quorum < 1:
            sentence = _("At least one approver must agree in each stage.")
            return Violation("quorum", sentence, f"quorum_{stage.number}")
        if stage.quorum > MAX_QUORUM:
            sentence = _("At most %(most)s can be asked to agree in one stage.") % {"most": MAX_QUORUM}
            return Violation("quorum", sentence, f"quorum_{stage.number}")
    return None


def approvers_named(facts: SettingsFacts) -> Violation | None:
    """Privileged Role Administrators never decide over a world that they may not even see."""
    if not facts.approval_required or facts.role.kind == RoleKind.DIRECTORY:
        return None
    unnamed = next(_unnamed(facts), None)
    if unnamed is None and facts.stages:
        return None
    sentence = _("Name at least one approver in every stage of this role.")
    return Violation("approvers_missing", sentence, f"approvers_{unnamed.number if unnamed else 1}")


def not_by_itself(facts: SettingsFacts) -> Violation | None:
    by_itself = facts.role.pk == PRIVILEGED_ROLE_ADMINISTRATOR and (next(_unnamed(facts), None) or not facts.stages)
    if facts.approval_required and by_itself:
        sentence = _(
            "With nobody named, Privileged Role Administrators would decide who becomes one: "
            "when none is left, nobody could be approved. Name at least one approver in every stage."
        )
        return Violation("approves_itself", sentence, "approvers_1")
    return None


def somebody_could_approve(facts: SettingsFacts) -> Violation | None:
    """Settings that lock people out: fewer people could decide than must agree."""
    if not facts.approval_required:
        return None
    for stage in facts.stages:
        if not stage.named and facts.role.kind != RoleKind.DIRECTORY:
            continue
        if not stage.people:
            sentence = _("Nobody could approve in stage %(stage)s: no enabled person is named, nor in a group named.")
            if not stage.named:
                sentence = _("Nobody could approve in stage %(stage)s: there is no Privileged Role Administrator.")
            return Violation("nobody_could_approve", sentence % {"stage": stage.number}, f"approvers_{stage.number}")
        if stage.people < stage.quorum:
            sentence = _("%(quorum)s must agree in stage %(stage)s, but only %(people)s could.")
            numbers = {"quorum": stage.quorum, "stage": stage.number, "people": stage.people}
            return Violation("quorum_too_large", sentence % numbers, f"quorum_{stage.number}")
    return None


def enough_for_all_stages(facts: SettingsFacts) -> Violation | None:
    """Nobody decides in two stages: where the same few are named in several, the later ones could never be complete."""
    if not facts.approval_required or approvers_named(facts) or somebody_could_approve(facts):
        return None
    needs = [Need(one.number, one.quorum, one.who) for one in facts.stages if one.quorum > 0]
    for need, _person in shortages(needs):
        sentence = _(
            "Nobody decides in two stages: once those before it are complete, too few people would be left who could "
            "approve in stage %(stage)s. Name others."
        )
        return Violation("too_few_for_all_stages", sentence % {"stage": need.stage}, f"approvers_{need.stage}")
    return None


def _unnamed(facts: SettingsFacts) -> Iterator[StageFacts]:
    return (one for one in facts.stages if not one.named)


def addresses_valid(facts: SettingsFacts) -> Violation | None:
    for cell in facts.cells:
        field = f"additional_{cell.act}_{cell.audience}"
        if cell.additional and takes_nobody_else(cell.act, cell.audience):
            sentence = _("Requests to approve an activation go to its approvers only.")
            return Violation("additional_not_here", sentence, field)
        if len(cell.additional) > MAX_ADDRESSES:
            sentence = _("At most %(most)s addresses.") % {"most": MAX_ADDRESSES}
            return Violation("too_many_addresses", sentence, field)
        for address in cell.additional:
            try:
                validate_email(address)
            except ValidationError:
                sentence = _("“%(address)s” is no e-mail address. Separate several with semicolons.")
                return Violation("address", sentence % {"address": address}, field)
    return None


def takes_nobody_else(act: NotifiedAct | str, audience: Audience | str) -> bool:
    """Return whether a cell has no additional recipients: whoever is asked to decide is an approver."""
    return (act, audience) == (NotifiedAct.ACTIVATED, Audience.APPROVERS)


_MAY = (not_allowed, second_factor_missing, group_holds_more, wrong_place, changed_meanwhile)
_LOCKS_NOBODY_OUT = (approvers_named, not_by_itself, somebody_could_approve, enough_for_all_stages)

CHANGE = (
    *_MAY,
    activation_in_range,
    window_in_range,
    emergency_in_range,
    emergency_review_in_range,
    eligible_in_range,
    active_in_range,
    pattern_can_be_matched,
    checked_where_required,
    stages_in_order,
    somebody_agrees,
    approvers_known,
    *_LOCKS_NOBODY_OUT,
    addresses_valid,
    waits_for_a_second,
)
RESET = (*_MAY, nothing_of_its_own, *_LOCKS_NOBODY_OUT, waits_for_a_second)
