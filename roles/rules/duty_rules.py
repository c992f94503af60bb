"""The rules of making, changing and retiring a rule of separation of duties."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from roles.models import DutyReach, DutyRule, Resource, ResourceKind, Role
from roles.models.principals import search_key
from roles.refusals import Violation
from roles.rules.asked import reason_missing, second_factor_missing
from roles.text import is_visible

MAX_NAME = 100
MAX_DESCRIPTION = 500
FEWEST, MOST = 2, 30  # roles that a rule names


@dataclass(frozen=True, slots=True)
class DutyTerms:
    """What a rule says."""

    name: str
    description: str
    reach: DutyReach
    roles: tuple[Role, ...]

    @property
    def key(self) -> str:
        return search_key(self.name)[:300]


@dataclass(frozen=True, slots=True)
class DutyRuleFacts:
    """What is known when somebody is about to make a rule, or to change one (`before`). `strange`: roles elsewhere."""

    place: Resource
    terms: DutyTerms
    before: DutyTerms | None
    retired: bool
    allowed: bool
    second_factor: bool
    reason: str
    place_retired: bool
    name_taken: bool
    strange: tuple[str, ...]
    agreed: bool


@dataclass(frozen=True, slots=True)
class RetireDutyRuleFacts:
    """What is known when somebody is about to retire a rule."""

    rule: DutyRule
    allowed: bool
    second_factor: bool
    reason: str


def not_allowed(facts: DutyRuleFacts | RetireDutyRuleFacts) -> Violation | None:
    if not facts.allowed:
        return Violation("not_allowed", _("You may not say here which roles are kept apart."))
    return None


def wrong_place(facts: DutyRuleFacts) -> Violation | None:
    if facts.place.kind in (ResourceKind.ADMINISTRATIVE_UNIT, ResourceKind.GROUP):
        return Violation("wrong_place", _("A rule is made for the whole directory, or at a resource."))
    return None


def gone(facts: DutyRuleFacts) -> Violation | None:
    if facts.place_retired and facts.before is None:
        return Violation("place_retired", _("This place is retired; no rule can be made here any more."))
    return None


def is_retired(facts: DutyRuleFacts | RetireDutyRuleFacts) -> Violation | None:
    retired = facts.retired if isinstance(facts, DutyRuleFacts) else facts.rule.retired_at is not None
    return Violation("retired", _("This rule is retired already.")) if retired else None


def name_missing(facts: DutyRuleFacts) -> Violation | None:
    if not is_visible(facts.terms.name):
        return Violation("name_missing", _("Give the rule a name."), "name")
    if len(facts.terms.name) > MAX_NAME:
        return Violation("name_too_long", _("The name is too long."), "name")
    return None


def name_taken(facts: DutyRuleFacts) -> Violation | None:
    if facts.name_taken:
        return Violation("name_taken", _("Another rule here has this name."), "name")
    return None


def description_too_long(facts: DutyRuleFacts) -> Violation | None:
    if len(facts.terms.description) > MAX_DESCRIPTION:
        return Violation("description_too_long", _("The description is too long."), "description")
    return None


def too_few_roles(facts: DutyRuleFacts) -> Violation | None:
    if len(facts.terms.roles) < FEWEST:
        return Violation("too_few_roles", _("Choose two roles or more."), "roles")
    if len(facts.terms.roles) > MOST:
        sentence = _("Choose at most {most} roles; make several rules of them.").format(most=MOST)
        return Violation("too_many_roles", sentence, "roles")
    return None


def strange_roles(facts: DutyRuleFacts) -> Violation | None:
    if facts.strange:
        sentence = _("These roles cannot be assigned here: {names}.").format(names=", ".join(facts.strange))
        return Violation("strange_roles", sentence, "roles")
    return None


def nothing_changed(facts: DutyRuleFacts) -> Violation | None:
    if facts.before == facts.terms:
        return Violation("no_change", _("This is what the rule says already. Change something."))
    return None


def not_agreed(facts: DutyRuleFacts) -> Violation | None:
    if not facts.agreed:
        sentence = _("Whom it concerns has changed since you looked. Look again before you confirm.")
        return Violation("changed", sentence)
    return None


DEFINE_RULE = (
    not_allowed,
    second_factor_missing,
    wrong_place,
    gone,
    is_retired,
    name_missing,
    name_taken,
    description_too_long,
    too_few_roles,
    strange_roles,
    nothing_changed,
    reason_missing,
    not_agreed,
)
# What can be said before anybody has seen whom it concerns.
LOOK = tuple(rule for rule in DEFINE_RULE if rule not in (second_factor_missing, reason_missing, not_agreed))
RETIRE_RULE = (not_allowed, second_factor_missing, is_retired, reason_missing)
