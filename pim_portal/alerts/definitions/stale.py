"""Potential stale accounts in a privileged role."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from django.db.models import Exists, F, OuterRef, Q, Subquery
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from audit.kinds import Kind, Outcome
from audit.models import Event
from pim_portal.alerts.definitions.base import AlertKind, Finding, Fix, Ground, Setting
from pim_portal.models import Incident, Severity
from roles import wording
from roles.models import Assignment, PrincipalKind, User

# Whoever gives a second factor is there, in a session that began before.
PRESENCE: Final = (Kind.SIGNED_IN, Kind.SECOND_FACTOR_GIVEN)


class _Absent(NamedTuple):
    since: datetime
    seen_at: datetime | None


class Stale(AlertKind):
    key = "stale_accounts"
    name = gettext_lazy("Accounts in a role that do not sign in")
    severity = Severity.MEDIUM
    impact = gettext_lazy(
        "An account that nobody uses is an account whose misuse nobody notices. With a role it is what attackers look "
        "for first."
    )
    to_fix = gettext_lazy("Find out whether the person still works here. Remove the role, or disable the person.")
    to_prevent = gettext_lazy("Disable people on their last day, and review who holds roles regularly.")
    settings = (Setting("days", gettext_lazy("Not signed in for"), 1, 365, 30, gettext_lazy("days")),)
    fix = Fix.REMOVE
    rechecks = True

    def description(self, count: int) -> str:
        sentence = ngettext(
            "{count} assignment is held by an account that has not signed in for the days set.",
            "{count} assignments are held by accounts that have not signed in for the days set.",
            count,
        )
        return sentence.format(count=count)

    def find(self, ground: Ground) -> Iterator[Finding]:
        absent = _absent(ground.now - timedelta(days=ground.least("days")), ground.now)
        if not absent:
            return
        given = Assignment.objects.in_effect(ground.now).filter(
            activated_from=None, elevated_from=None, resource__path__startswith=ground.root.path
        )
        rows = ground.narrow(given)
        columns = ("pk", "principal", "principal__kind", "role", "resource", "resource__path")
        members = _members_among(absent, ground.now)
        for pk, principal, kind, role, resource, path in rows.order_by("pk").values_list(*columns).iterator(2000):
            people = members.get(principal, ()) if kind == PrincipalKind.GROUP else (principal,)
            limit = ground.now - ground.at(path).days()
            for person in people:
                found = absent.get(person)
                if found is not None and found.since <= limit:
                    seen = found.seen_at.isoformat() if found.seen_at else None
                    facts = {"seen": seen, "through": kind == PrincipalKind.GROUP}
                    yield Finding(f"{pk}:{person}", resource, path, person, role, pk, facts)

    def sentence(self, incident: Incident) -> str:
        seen = incident.facts.get("seen")
        said = _("Never signed in.")
        if seen:
            said = _("Last signed in on {day}.").format(day=wording.day(datetime.fromisoformat(seen)))
        if incident.facts.get("through") and incident.assignment is not None:
            through = _("Holds it through the group {group}.").format(group=incident.assignment.principal.name)
            return f"{said} {through}"
        return said

    def fixable(self, incident: Incident) -> bool:
        """A group's assignment is not taken from all its members because one of them is away."""
        return not incident.facts.get("through")


def _absent(since: datetime, now: datetime) -> dict[uuid.UUID, _Absent]:
    """Return the enabled people who were not seen since then, and have been there for longer."""
    seen = Event.objects.filter(
        actor_id=OuterRef("pk"), kind__in=PRESENCE, outcome=Outcome.DONE, occurred_at__lte=now
    ).order_by("-occurred_at")
    away = User.objects.filter(~Exists(seen.filter(occurred_at__gt=since)), enabled=True, created_at__lte=since)
    last = Subquery(seen.values("occurred_at")[:1])
    rows = away.order_by().values_list("pk", "created_at", last)
    return {pk: _Absent(seen_at or created_at, seen_at) for pk, created_at, seen_at in rows}


def _members_among(people: Iterable[uuid.UUID], now: datetime) -> dict[uuid.UUID, list[uuid.UUID]]:
    """Return who of these people is a member of which group."""
    wanted, found = set(people), dict[uuid.UUID, list[uuid.UUID]]()
    rows = Assignment.objects.memberships(now).filter(Q(resource__group__isnull=False)).order_by()
    for group, person in rows.values_list(F("resource__group"), "principal").iterator(2000):
        if person in wanted:
            found.setdefault(group, []).append(person)
    return found
