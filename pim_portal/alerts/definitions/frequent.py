"""Roles are being activated too frequently."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import groupby
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from pim_portal.alerts.definitions.base import AlertKind, Finding, Ground, Setting
from pim_portal.models import Incident, Severity
from roles import wording
from roles.models import Assignment

# What one form activates begins within this time; nobody fills in two forms for it in the same minute.
AT_ONCE: Final = timedelta(minutes=1)


class TooFrequent(AlertKind):
    key = "activated_too_often"
    name = gettext_lazy("Roles activated too often")
    severity = Severity.LOW
    impact = gettext_lazy(
        "Activating a role again and again in a short time may be a program that keeps it active, or somebody who "
        "tries things out with an account that is not theirs."
    )
    to_fix = gettext_lazy("Ask who it was what they did. Their activations, with reasons, stand in the audit history.")
    to_prevent = gettext_lazy("Let an activation last as long as the work takes, so that nobody has to repeat it.")
    settings = (
        Setting(
            "count",
            gettext_lazy("At least"),
            2,
            100,
            5,
            gettext_lazy("activations of a role by one person"),
            gettext_lazy("Several activated with one form count once."),
        ),
        Setting("hours", gettext_lazy("Within"), 1, 720, 24, gettext_lazy("hours")),
    )

    def description(self, count: int) -> str:
        sentence = ngettext(
            "{count} person activated a role unusually often.",
            "{count} people activated a role unusually often.",
            count,
        )
        return sentence.format(count=count)

    def find(self, ground: Ground) -> Iterator[Finding]:
        since = ground.now - timedelta(hours=ground.most("hours"))
        rows = Assignment.objects.begun(ground.now).filter(
            activated_from__isnull=False,
            starts_at__gt=since,
            activated_from__resource__path__startswith=ground.root.path,
        )
        columns = ("principal", "role", "activated_from__resource", "activated_from__resource__path", "starts_at")
        ordered = rows.order_by("principal", "role", "activated_from__resource", "starts_at", "pk")
        found = ordered.values_list(*columns).iterator(2000)
        for (person, role, resource, path), group in groupby(found, key=lambda row: row[:4]):
            values = ground.at(path)
            window = ground.now - timedelta(hours=values["hours"])
            times = list(occasions(row[4] for row in group if row[4] > window))
            if len(times) >= values["count"]:
                facts = {"count": len(times), "first": times[0].isoformat(), "last": times[-1].isoformat()}
                yield Finding(f"{person}:{role}:{resource}", resource, path, person, role, None, facts)

    def sentence(self, incident: Incident) -> str:
        first, last = (datetime.fromisoformat(incident.facts[name]) for name in ("first", "last"))
        sentence = _("Activated {count} times, from {first} to {last}.")
        return sentence.format(count=incident.facts["count"], first=wording.exact(first), last=wording.exact(last))


def occasions(times: Iterable[datetime]) -> Iterator[datetime]:
    """Yield when somebody activated, in order; what begins within a minute of another was one form."""
    began: datetime | None = None
    for one in times:
        if began is None or one - began >= AT_ONCE:
            began = one
            yield one
