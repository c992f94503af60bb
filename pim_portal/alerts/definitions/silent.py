"""Approvers who never answer: requests lapsed while they were asked."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from django.db.models import F, OuterRef, Q, Subquery
from django.utils.translation import gettext_lazy, ngettext

from approvals.models import Decision, RequestApprover, Status
from pim_portal.alerts.definitions.base import AlertKind, Finding, Ground, Setting
from pim_portal.models import Incident, Severity


class SilentApprovers(AlertKind):
    key = "silent_approvers"
    name = gettext_lazy("Approvers who do not answer")
    severity = Severity.LOW
    impact = gettext_lazy(
        "People wait in vain for a role that they need, and look for ways around: standing access, or somebody else's "
        "account."
    )
    to_fix = gettext_lazy("Ask the approver, who may name a deputy; or name others in the role's settings.")
    to_prevent = gettext_lazy("Name several approvers, and let them name deputies before they are away.")
    settings = (
        Setting("count", gettext_lazy("At least"), 1, 100, 3, gettext_lazy("requests lapsed without an answer")),
        Setting("days", gettext_lazy("Within"), 1, 365, 30, gettext_lazy("days")),
    )

    def description(self, count: int) -> str:
        sentence = ngettext(
            "{count} approver let requests lapse and answered none.",
            "{count} approvers let requests lapse and answered none.",
            count,
        )
        return sentence.format(count=count)

    def find(self, ground: Ground) -> Iterator[Finding]:
        lapsed = _lapsed(ground, ground.now - timedelta(days=ground.most("days")))
        for (person, resource, path, last), group in groupby(lapsed, key=lambda row: row[:4]):
            values = ground.at(path)
            window = ground.now - values.days()
            count = sum(row[4] > window for row in group)
            if count >= values["count"] and (last is None or last <= window):
                facts = {"count": count, "days": values["days"]}
                yield Finding(f"{person}:{resource}", resource, path, person, facts=facts)

    def sentence(self, incident: Incident) -> str:
        sentence = ngettext(
            "{count} request lapsed within {days} days, and none was answered.",
            "{count} requests lapsed within {days} days, and none was answered.",
            incident.facts["count"],
        )
        return sentence.format(**incident.facts)


def _lapsed(ground: Ground, since: datetime) -> Iterator[tuple[Any, ...]]:
    """Yield for each approver and each request that ran out of its window while it waited for them.

    Not what lapsed because an eligibility ended: nobody could have decided it. With the approver's last answer at that
    place; what a deputy decided in their place is one.
    """
    asked = RequestApprover.objects.filter(
        principal__enabled=True,
        stage__request__status=Status.LAPSED,
        stage__request__resource__path__startswith=ground.root.path,
        stage__request__lapses_at__gt=since,
        stage__request__lapses_at__lte=ground.now,
        stage__request__decided_at__gte=F("stage__request__lapses_at"),
        stage__request__stage_number=F("stage__number"),
    )
    answers = Decision.objects.filter(
        Q(approver=OuterRef("principal")) | Q(for_approver=OuterRef("principal")),
        request__resource=OuterRef("stage__request__resource"),
        decided_at__lte=ground.now,
    )
    last = Subquery(answers.order_by("-decided_at").values("decided_at")[:1])
    columns = ("principal", "stage__request__resource", "stage__request__resource__path")
    rows = asked.order_by("principal", "stage__request__resource", "stage__request__lapses_at", "pk")
    yield from rows.values_list(*columns, last, "stage__request__lapses_at").iterator(2000)
