"""The rules of giving and taking assignments."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from roles.models import Assignment, AssignmentType, Principal, PrincipalKind, Resource, ResourceKind, Role, RoleKind
from roles.refusals import Violation
from roles.rules.asked import reason_too_long, second_factor_missing
from roles.rules.duties import kept_apart
from roles.rules.groups import beyond
from roles.selectors.duties.clashes import Clash
from roles.selectors.duties.holdings import end_after
from roles.selectors.settings import EffectiveSettings
from roles.text import is_visible

HORIZON = timedelta(days=365 * 10)  # how far ahead anything may be planned
SLACK = timedelta(minutes=5)  # how long filling in a form may take


@dataclass(frozen=True, slots=True)
class AssignFacts:
    """What is known when an administrator is about to assign a role."""

    principal: Principal
    role: Role
    resource: Resource
    type: AssignmentType
    starts_at: datetime
    ends_at: datetime | None
    now: datetime
    reason: str
    settings: EffectiveSettings
    allowed: bool
    second_factor: bool
    already_there: bool
    retired: bool
    roles_beyond: tuple[str, ...] = ()
    clashes: tuple[Clash, ...] = ()


def not_allowed(facts: AssignFacts) -> Violation | None:
    if not facts.allowed:
        sentence = _("You may not assign %(role)s at %(resource)s.")
        return Violation("not_allowed", sentence % {"role": facts.role.name, "resource": facts.resource.name})
    return None


def wrong_place(facts: AssignFacts) -> Violation | None:
    if not RoleKind(facts.role.kind).may_stand_at(ResourceKind(facts.resource.kind)):
        sentence = _("%(role)s cannot be assigned at %(resource)s: it is for another kind of resource.")
        return Violation("wrong_place", sentence % {"role": facts.role.name, "resource": facts.resource.name}, "role")
    return None


def wrong_home(facts: AssignFacts) -> Violation | None:
    home = facts.role.home
    if home is not None and not home.contains(facts.resource):
        # Not named: who assigns here need not know what roles there are on another branch.
        sentence = _("This role cannot be assigned at %(resource)s: it was made for another place.")
        return Violation("wrong_home", sentence % {"resource": facts.resource.name}, "role")
    return None


def nested_group(facts: AssignFacts) -> Violation | None:
    if facts.role.kind == RoleKind.GROUP and facts.principal.kind != PrincipalKind.USER:
        return Violation("nested_group", _("A group cannot be a member or owner of another group."), "principal")
    return None


def gone(facts: AssignFacts) -> Violation | None:
    if facts.retired:
        return Violation("retired", _("This role or resource is retired; nothing can be assigned there any more."))
    return None


def disabled(facts: AssignFacts) -> Violation | None:
    if not facts.principal.enabled:
        sentence = _("%(name)s is disabled. Enable them first.")
        return Violation("disabled", sentence % {"name": facts.principal.name}, "principal")
    return None


def starts_in_the_past(facts: AssignFacts) -> Violation | None:
    if facts.starts_at < facts.now - SLACK:
        return Violation("start_in_past", _("The start lies in the past. Choose now, or a later time."), "starts_at")
    return None


def starts_too_far_ahead(facts: AssignFacts) -> Violation | None:
    if facts.starts_at > facts.now + HORIZON:
        return Violation("start_too_far", _("The start lies more than ten years ahead."), "starts_at")
    return None


def ends_too_early(facts: AssignFacts) -> Violation | None:
    if facts.ends_at is not None and facts.ends_at <= max(facts.starts_at, facts.now):
        return Violation("end_too_early", _("The end must lie after the start, and after now."), "ends_at")
    return None


def ends_too_far_ahead(facts: AssignFacts) -> Violation | None:
    if facts.ends_at is not None and facts.ends_at > facts.now + 2 * HORIZON:
        sentence = _("The end lies more than twenty years ahead. Choose an earlier one, or none at all.")
        return Violation("end_too_far", sentence, "ends_at")
    return None


def permanent_not_allowed(facts: AssignFacts) -> Violation | None:
    eligible = facts.type == AssignmentType.ELIGIBLE
    settings = facts.settings
    allowed = settings.permanent_eligible_allowed if eligible else settings.permanent_active_allowed
    if facts.ends_at is None and not allowed:
        longest = settings.expire_eligible_after if eligible else settings.expire_active_after
        sentence = ngettext(
            "The settings of this role ask for an end, at most %(days)s day after the start.",
            "The settings of this role ask for an end, at most %(days)s days after the start.",
            longest.days,
        )
        return Violation("permanent_not_allowed", sentence % {"days": longest.days}, "ends_at")
    return None


def lasts_too_long(facts: AssignFacts) -> Violation | None:
    eligible = facts.type == AssignmentType.ELIGIBLE
    settings = facts.settings
    permanent = settings.permanent_eligible_allowed if eligible else settings.permanent_active_allowed
    longest = settings.expire_eligible_after if eligible else settings.expire_active_after
    latest = end_after(facts.starts_at, longest)
    if facts.ends_at is not None and not permanent and latest is not None and facts.ends_at > latest:
        sentence = ngettext(
            "The settings of this role allow at most %(days)s day.",
            "The settings of this role allow at most %(days)s days.",
            longest.days,
        )
        return Violation("too_long", sentence % {"days": longest.days}, "ends_at")
    return None


def reason_missing(facts: AssignFacts) -> Violation | None:
    wanted = facts.type == AssignmentType.ACTIVE and facts.settings.reason_on_assign
    if wanted and not is_visible(facts.reason):
        return Violation("reason_missing", _("Say why: the settings of this role ask for a justification."), "reason")
    return None


def already_assigned(facts: AssignFacts) -> Violation | None:
    if facts.already_there:
        sentence = _("%(name)s already has %(role)s at %(resource)s. Change that assignment instead.")
        words = {"name": facts.principal.name, "role": facts.role.name, "resource": facts.resource.name}
        return Violation("already_assigned", sentence % words, "principal")
    return None


def group_holds_more(facts: AssignFacts | EndFacts) -> Violation | None:
    """Joining a group that holds roles is itself a grant of each of them, leaving it a removal (DESIGN.md §6)."""
    return beyond(facts.roles_beyond)


ASSIGN = (
    not_allowed,
    second_factor_missing,
    wrong_place,
    wrong_home,
    nested_group,
    gone,
    disabled,
    starts_in_the_past,
    starts_too_far_ahead,
    ends_too_early,
    ends_too_far_ahead,
    permanent_not_allowed,
    lasts_too_long,
    reason_missing,
    reason_too_long,
    already_assigned,
    group_holds_more,
    kept_apart,
)


@dataclass(frozen=True, slots=True)
class EndFacts:
    """What is known when somebody is about to end an assignment."""

    assignment: Assignment
    now: datetime
    allowed: bool
    second_factor: bool
    roles_beyond: tuple[str, ...] = ()


def may_not_end(facts: EndFacts) -> Violation | None:
    if not facts.allowed:
        return Violation("not_allowed", _("You may not end this assignment."))
    return None


def over(facts: EndFacts) -> Violation | None:
    end = facts.assignment.over_at
    if end is not None and end <= facts.now:
        return Violation("over", _("This assignment has already ended."))
    return None


REMOVE = (may_not_end, second_factor_missing, over, group_holds_more)
DEACTIVATE = (may_not_end, over)
