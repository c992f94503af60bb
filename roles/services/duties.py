"""Rules of separation of duties: made, changed and retired at the directory or a resource.

Each locks its tree against all who give anything there, so that nothing is given that a rule just made keeps apart.
Nobody loses anything by a rule: who has both already is listed as a conflict, and gets neither anew.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime

from audit.kinds import Kind
from audit.recording import Ids
from roles.actors import Actor, Clock
from roles.authority import Authority, Held
from roles.catalogue import Permission
from roles.models import DutyReach, DutyRule, Purpose, Resource, Role
from roles.refusals import About, require
from roles.rules.duty_rules import DEFINE_RULE, RETIRE_RULE, DutyRuleFacts, DutyTerms, RetireDutyRuleFacts
from roles.selectors.duties.clashes import Clash
from roles.selectors.duties.conflicts import conflicts_if, digest_of
from roles.selectors.prospects import roles_assignable_at
from roles.selectors.resources import is_retired_place
from roles.service import record, service
from roles.services import step_ups
from roles.services.locks import lock_trees, root_of
from roles.text import clean


def terms_of(rule: DutyRule) -> DutyTerms:
    """Return what a rule says now."""
    roles = tuple(rule.roles.order_by("name_key", "pk"))
    return DutyTerms(rule.name, rule.description, DutyReach(rule.reach), roles)


@service(Kind.DUTY_RULE_ADDED)
def add_duty_rule(
    place: Resource, terms: DutyTerms, *, seen: str | None, reason: str = "", actor: Actor, clock: Clock
) -> DutyRule:
    """Make a rule at a place. `seen` is the digest of whom it concerns, as it was shown (None: an operator's).

    Raises `Refused`.
    """
    place = _lock(place.pk)
    now = clock()
    facts, held, found = gather(place, terms, None, seen=seen, reason=reason, actor=actor, now=now)
    text = {"rule": facts.terms.name[:200], "resource": place.name, "reason": facts.reason[:200]}
    require(DEFINE_RULE, facts, about=About(Ids(resource=place.pk), place.realm, text))

    _spend(actor, place.pk, now)
    rule = DutyRule(resource=place, made_at=now, made_by=actor.user)
    _write(rule, facts.terms)
    details = {"new": _said(facts.terms), "conflicts": len(found)}
    _record(Kind.DUTY_RULE_ADDED, rule, actor=actor, held=held, now=now, details=details, reason=facts.reason)
    return rule


@service(Kind.DUTY_RULE_CHANGED)
def change_duty_rule(
    rule_id: uuid.UUID, terms: DutyTerms, *, seen: str | None, reason: str = "", actor: Actor, clock: Clock
) -> DutyRule:
    """Change what a rule says. Raises `Refused`, and `DutyRule.DoesNotExist`."""
    place = _lock(DutyRule.objects.get(pk=rule_id).resource_id)
    now = clock()
    rule = DutyRule.objects.select_related("resource").get(pk=rule_id)
    facts, held, found = gather(place, terms, rule, seen=seen, reason=reason, actor=actor, now=now)
    require(DEFINE_RULE, facts, about=about_rule(rule))

    _spend(actor, rule.pk, now)
    old = _said(terms_of(rule))
    _write(rule, facts.terms)
    details = {"old": old, "new": _said(facts.terms), "conflicts": len(found)}
    _record(Kind.DUTY_RULE_CHANGED, rule, actor=actor, held=held, now=now, details=details, reason=facts.reason)
    return rule


@service(Kind.DUTY_RULE_RETIRED)
def retire_duty_rule(rule_id: uuid.UUID, *, reason: str = "", actor: Actor, clock: Clock) -> DutyRule:
    """Retire a rule: from now on it keeps nothing apart. Raises `Refused`, and `DutyRule.DoesNotExist`."""
    place = _lock(DutyRule.objects.get(pk=rule_id).resource_id)
    now = clock()
    rule = DutyRule.objects.select_related("resource").get(pk=rule_id)
    held = _authority(actor, place, now)
    facts = RetireDutyRuleFacts(
        rule=rule,
        allowed=actor.user is None or held is not None,
        second_factor=_serves(actor, rule.pk, now),
        reason=clean(reason),
    )
    require(RETIRE_RULE, facts, about=about_rule(rule))

    _spend(actor, rule.pk, now)
    rule.retired_at = now
    rule.save(update_fields=["retired_at"])
    details = {"old": {"retired_at": None}, "new": {"retired_at": now.isoformat()}}
    _record(Kind.DUTY_RULE_RETIRED, rule, actor=actor, held=held, now=now, details=details, reason=facts.reason)
    return rule


def gather(
    place: Resource,
    terms: DutyTerms,
    rule: DutyRule | None,
    *,
    seen: str | None,
    reason: str = "",
    actor: Actor,
    now: datetime,
) -> tuple[DutyRuleFacts, Held | None, list[Clash]]:
    """Gather what is known about a rule that somebody is about to make or change; the page before it asks the same."""
    terms = DutyTerms(clean(terms.name), clean(terms.description), terms.reach, _in_order(terms.roles))
    before = terms_of(rule) if rule else None
    held = _authority(actor, place, now)
    allowed = actor.user is None or held is not None
    possible = {one.pk for one in roles_assignable_at(place)} | {one.pk for one in (before.roles if before else ())}
    found = conflicts_if(place, terms.roles, terms.reach, now, viewer=actor.user) if allowed else []
    others = DutyRule.objects.in_force().filter(resource=place, name_key=terms.key)
    others = others.exclude(pk=rule.pk) if rule else others
    facts = DutyRuleFacts(
        place=place,
        terms=terms,
        before=before,
        retired=rule is not None and rule.retired_at is not None,
        allowed=allowed,
        second_factor=_serves(actor, rule.pk if rule else place.pk, now),
        reason=clean(reason),
        place_retired=is_retired_place(place),
        name_taken=others.exists(),
        strange=tuple(one.name for one in terms.roles if one.pk not in possible),
        agreed=seen == seen_digest(terms, found) or (seen is None and actor.user is None),
    )
    return facts, held, found


def seen_digest(terms: DutyTerms, found: Iterable[Clash]) -> str:
    """Return the digest of what was shown before it was confirmed: what the rule says, and whom it concerns."""
    said = [str(terms.reach), *(str(one.pk) for one in terms.roles), digest_of(found)]
    return hashlib.sha256("\n".join(said).encode()).hexdigest()


def about_rule(rule: DutyRule) -> About:
    """Say what an attempt on a rule was about."""
    place = rule.resource
    return About(Ids(resource=place.pk), place.realm, {"rule": rule.name, "resource": place.name})


def _in_order(roles: tuple[Role, ...]) -> tuple[Role, ...]:
    return tuple(sorted({one.pk: one for one in roles}.values(), key=lambda one: (one.name_key, str(one.pk))))


def _lock(place_id: uuid.UUID) -> Resource:
    """Wait for all who give something in this tree, keep others from it, and return the place as it is now."""
    lock_trees(lambda: (set(), {root_of(Resource.objects.get(pk=place_id))}))
    place: Resource = Resource.objects.get(pk=place_id)
    return place


def _authority(actor: Actor, place: Resource, now: datetime) -> Held | None:
    return Authority(actor.user, now).by(Permission.SEPARATE, place) if actor.user else None


def _serves(actor: Actor, covered: uuid.UUID, now: datetime) -> bool:
    return actor.user is None or step_ups.serves(actor, Purpose.SETTINGS, covered, now=now)


def _spend(actor: Actor, covered: uuid.UUID, now: datetime) -> None:
    if actor.user is not None:
        step_ups.spend(actor, Purpose.SETTINGS, covered, now=now)


def _write(rule: DutyRule, terms: DutyTerms) -> None:
    rule.name, rule.description, rule.reach = terms.name, terms.description, terms.reach
    rule.save()
    rule.roles.set(terms.roles)


def _said(terms: DutyTerms) -> dict[str, object]:
    """Return what a rule says, for the history."""
    return {
        "name": terms.name,
        "description": terms.description,
        "reach": str(terms.reach),
        "roles": [str(one.pk) for one in terms.roles],
        "role_names": [one.name for one in terms.roles],
    }


def _record(
    kind: Kind,
    rule: DutyRule,
    *,
    actor: Actor,
    held: Held | None,
    now: datetime,
    details: Mapping[str, object],
    reason: str,
) -> None:
    record(
        kind,
        actor=actor,
        at=now,
        resource=rule.resource,
        authority_id=held.assignment_id if held else None,
        details={"rule": str(rule.pk), **details},
        rule=rule.name,
        reason=reason,
    )
