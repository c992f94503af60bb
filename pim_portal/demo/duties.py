"""The rules of separation of duties of the sample organisation; one has a conflict that somebody is to settle."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from pim_portal.demo.sample import SampleDutyRule
from roles.models import DutyReach, Purpose
from roles.rules.duty_rules import DutyTerms
from roles.services.duties import add_duty_rule, gather, seen_digest

if TYPE_CHECKING:
    from pim_portal.demo.loader import Loader


def make_rule(loader: Loader, row: SampleDutyRule, now: datetime) -> None:
    """Make a rule as the person of the sample who made it, after a look at whom it concerns."""
    place = loader.places[row.at]
    roles = tuple(loader.roles[place.realm.value, name] for name in row.roles)
    terms = DutyTerms(row.name, row.description, DutyReach(row.reach), roles)
    actor = loader.acting(row.by, Purpose.SETTINGS, place.pk, now)
    facts, _held, found = gather(place, terms, None, seen=None, actor=actor, now=now)
    seen = seen_digest(facts.terms, found)
    add_duty_rule(place, terms, seen=seen, reason=row.reason, actor=actor, clock=lambda: now)
