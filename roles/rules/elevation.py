"""What must be so before somebody elevates their access, or makes a resource root."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.utils.translation import gettext as _

from roles.models import Principal, PrincipalKind
from roles.refusals import Violation
from roles.rules.asked import reason_too_long, second_factor_missing
from roles.rules.resources import ADD, AddFacts
from roles.text import is_visible

ELEVATED_FOR = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ElevateFacts:
    """What is known when somebody is about to elevate their access.

    `administers`: they hold Global Administrator now; being eligible for it is not enough. `roots`: how many resource
    roots there are where they do not hold the role already.
    """

    administers: bool
    second_factor: bool
    reason: str
    elevated: bool
    roots: int


def not_global_administrator(facts: ElevateFacts) -> Violation | None:
    if not facts.administers:
        sentence = _("Only somebody who holds Global Administrator now can elevate their access.")
        return Violation("not_allowed", sentence)
    return None


def reason_missing(facts: ElevateFacts) -> Violation | None:
    if not is_visible(facts.reason):
        return Violation("reason_missing", _("Say why you need access to every resource."), "reason")
    return reason_too_long(facts)


def already_elevated(facts: ElevateFacts) -> Violation | None:
    if facts.elevated:
        sentence = _("Your access is elevated already. It ends by itself; end it now before you take it anew.")
        return Violation("already_elevated", sentence)
    return None


def nothing_to_reach(facts: ElevateFacts) -> Violation | None:
    if not facts.elevated and facts.roots == 0:
        sentence = _("There is no resource root where you do not hold the role already.")
        return Violation("nothing_to_reach", sentence)
    return None


ELEVATE = (not_global_administrator, second_factor_missing, reason_missing, already_elevated, nothing_to_reach)


@dataclass(frozen=True, slots=True, kw_only=True)
class RootFacts(AddFacts):
    """What is known when somebody is about to make a resource root and to name its first Owner."""

    owner: Principal | None


def owner_missing(facts: RootFacts) -> Violation | None:
    if facts.owner is None or facts.owner.kind != PrincipalKind.USER:
        return Violation("owner_missing", _("Name the person who is its first Owner."), "owner")
    if not facts.owner.enabled:
        sentence = _("%(name)s is disabled. Name somebody else.")
        return Violation("disabled", sentence % {"name": facts.owner.name}, "owner")
    return None


ADD_ROOT = (*ADD, owner_missing)
