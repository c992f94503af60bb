"""Administrators aren't using their privileged roles."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q, Subquery
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from pim_portal.alerts.definitions.base import AlertKind, Finding, Fix, Ground, Setting
from pim_portal.models import Incident, Severity
from roles import wording
from roles.models import Assignment


class Unused(AlertKind):
    key = "unused_roles"
    name = gettext_lazy("Eligible roles that are not used")
    severity = Severity.LOW
    impact = gettext_lazy(
        "Whoever takes over the account of somebody who may activate a role can activate it as well. "
        "A role that nobody uses is a risk without a benefit."
    )
    to_fix = gettext_lazy("Ask its holder whether the role is still needed. Remove the eligibility if it is not.")
    to_prevent = gettext_lazy("Give eligibilities an end, and review them regularly.")
    settings = (
        Setting(
            "days",
            gettext_lazy("Not activated for"),
            0,
            100,
            30,
            gettext_lazy("days"),
            gettext_lazy("An eligibility counts from its own start."),
        ),
    )
    fix = Fix.REMOVE
    rechecks = True

    def description(self, count: int) -> str:
        sentence = ngettext(
            "{count} eligible assignment has not been activated for the days set.",
            "{count} eligible assignments have not been activated for the days set.",
            count,
        )
        return sentence.format(count=count)

    def find(self, ground: Ground) -> Iterator[Finding]:
        since = ground.now - timedelta(days=ground.least("days"))
        activations = Assignment.objects.begun(ground.now).filter(activated_from=OuterRef("pk"))
        used = activations.filter(Q(starts_at__gt=since) | Q(ended_at=None, ends_at__gt=ground.now))
        eligible = Assignment.objects.in_effect(ground.now).eligible().filter(~Exists(used), starts_at__lte=since)
        rows = ground.narrow(eligible.filter(resource__path__startswith=ground.root.path))
        last = Subquery(activations.order_by("-starts_at").values("starts_at")[:1])
        columns = ("pk", "principal", "role", "resource", "resource__path", "starts_at")
        found = rows.order_by("pk").values_list(*columns, last)
        for pk, principal, role, resource, path, starts_at, used_at in found.iterator(chunk_size=2000):
            if max(starts_at, used_at or starts_at) <= ground.now - ground.at(path).days():
                facts = {"since": starts_at.isoformat(), "last": used_at.isoformat() if used_at else None}
                yield Finding(f"assignment:{pk}", resource, path, principal, role, pk, facts)

    def sentence(self, incident: Incident) -> str:
        last = incident.facts.get("last")
        if last:
            sentence = _("Last activated on {day}.")
            return sentence.format(day=wording.day(datetime.fromisoformat(last)))
        sentence = _("Eligible since {day} and never activated.")
        return sentence.format(day=wording.day(datetime.fromisoformat(incident.facts["since"])))
