"""Roles are being assigned outside of PIM: rows of assignments that the history knows nothing of."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from django.db.models import Exists, OuterRef, Q, Subquery
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from audit.kinds import Kind, Outcome
from audit.models import Event
from pim_portal.alerts.definitions.base import AlertKind, Finding, Fix, Ground
from pim_portal.models import Incident, Severity
from roles.models import Assignment, ResourceKind

# What makes an assignment, and what moves its times; each tells the type and the times that it has since.
TELLING: Final = (
    Kind.ASSIGNMENT_ADDED,
    Kind.ASSIGNMENT_RENEWED,
    Kind.ASSIGNMENT_EXTENDED,
    Kind.ASSIGNMENT_CHANGED,
    Kind.ACTIVATION_STARTED,
    Kind.ACTIVATION_PROLONGED,
    Kind.ACCESS_ELEVATED,
)


class Outside(AlertKind):
    key = "assigned_outside"
    name = gettext_lazy("Roles assigned outside PIM")
    severity = Severity.HIGH
    impact = gettext_lazy(
        "Somebody wrote an assignment into the database past the portal: without its rules, without a reason, without "
        "anybody being told. That is how an intruder with access to the database would give themselves a role."
    )
    to_fix = gettext_lazy(
        "Find out who has access to the database and used it. Remove the assignment, and give it again here if it is "
        "needed."
    )
    to_prevent = gettext_lazy(
        "Let only the portal write to its database. On PostgreSQL give it a role of its own that owns no tables."
    )
    fix = Fix.REMOVE
    rechecks = True

    def description(self, count: int) -> str:
        sentence = ngettext(
            "{count} assignment is not as the audit history tells.",
            "{count} assignments are not as the audit history tells.",
            count,
        )
        return sentence.format(count=count)

    def find(self, ground: Ground) -> Iterator[Finding]:
        told = Event.objects.filter(
            assignment_id=OuterRef("pk"),
            target_id=OuterRef("principal_id"),
            role_id=OuterRef("role_id"),
            resource_id=OuterRef("resource_id"),
            outcome=Outcome.DONE,
            kind__in=TELLING,
        )
        last = Subquery(told.order_by("-id").values("details")[:1])
        here = Q(resource__path__startswith=ground.root.path)
        if ground.root.kind == ResourceKind.DIRECTORY:
            # A member of a group is an assignment as well, and as good as the roles that the group holds.
            here |= Q(resource__kind=ResourceKind.GROUP)
        rows = ground.narrow(Assignment.objects.lasting(ground.now).filter(here))
        columns = ("pk", "principal", "role", "resource", "resource__path", "type", "starts_at", "ends_at")
        found = rows.order_by("pk").values_list(*columns, Exists(told), last)
        for pk, principal, role, resource, path, type, starts_at, ends_at, known, details in found.iterator(2000):
            why = "unknown" if not known else _differs(details or {}, type, starts_at, ends_at)
            if why:
                yield Finding(f"assignment:{pk}", resource, path, principal, role, pk, {"why": why})

    def sentence(self, incident: Incident) -> str:
        return {
            "unknown": _("The audit history knows of nobody who gave it."),
            "type": _("It is of another type than the audit history tells."),
            "times": _("It runs at other times than the audit history tells."),
        }[incident.facts["why"]]


def _differs(told: dict[str, Any], type: str, starts_at: datetime, ends_at: datetime | None) -> str:
    if told.get("type", type) != type:
        return "type"
    times = {"starts_at": starts_at, "ends_at": ends_at}
    same = all(_moment(told[name]) == times[name] for name in times if name in told)
    return "" if same else "times"


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
