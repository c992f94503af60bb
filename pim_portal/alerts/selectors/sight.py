"""Who may answer which alert, and which incidents a place shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Count, Q, QuerySet

from pim_portal.alerts.definitions import kinds_at
from pim_portal.alerts.definitions.base import AlertKind
from pim_portal.alerts.selectors.grounds import root_of
from pim_portal.models import Alert, Incident
from pim_portal.models.alerts import IncidentQuerySet
from roles.authority import Authority, Held
from roles.catalogue import Permission
from roles.models import Resource
from roles.models.prepared import Prepared


def answers_by(authority: Authority, kind: AlertKind, place: Resource) -> Held | None:
    """Return by what somebody may answer an alert at a place, or None.

    Whoever may assign roles there; what concerns the portal as a whole, whoever looks after it as well.
    """
    held = authority.by(Permission.ASSIGN, place)
    return held or (authority.by(Permission.OPERATE) if kind.portal_wide else None)


def may_scan(authority: Authority, place: Resource) -> bool:
    """Return whether somebody may have a place scanned: who may answer any of its alerts."""
    return any(answers_by(authority, kind, place) for kind in kinds_at(place))


def _here(place: Resource, prefix: str = "") -> Q:
    """Narrow incidents to a place and what lies below it; at a root to all of its tree's, nodes of groups as well."""
    return Q() if place.depth == 1 else Q(**{f"{prefix}resource__path__startswith": place.path})


def incidents_at(place: Resource, kind: AlertKind) -> IncidentQuerySet:
    """Return the incidents of an alert at a place and below, dismissed and resolved ones included."""
    rows = Incident.objects.filter(_here(place), alert__key=kind.key, alert__root=root_of(place))
    about = ("alert", "principal", "role", "resource__group", "assignment__principal", "dismissed_by")
    return rows.select_related(*about).order_by("-raised_at", "pk")


def alerts_at(place: Resource) -> QuerySet[Any]:
    """Return the alerts that a place shows, with how many of their incidents there are open and dismissed."""
    keys = [kind.key for kind in kinds_at(place)]
    unresolved = Q(incidents__resolved_at=None) & _here(place, "incidents__")
    return Alert.objects.filter(key__in=keys, root=root_of(place)).annotate(
        open_count=Count("incidents", filter=unresolved & Q(incidents__dismissed_at=None)),
        dismissed_count=Count("incidents", filter=unresolved & Q(incidents__dismissed_at__isnull=False)),
    )


def open_alerts(place: Resource) -> int:
    """Count the alerts of a place that have an open incident; one query."""
    keys = [kind.key for kind in kinds_at(place)]
    root = place.path[: Resource.steplen]
    return len(_OPEN_AT_ROOT.ask(keys, root) if place.depth == 1 else _open(keys, root).filter(_here(place)))


def _open(keys: Sequence[str], root: str) -> QuerySet[Incident, Any]:
    rows = Incident.objects.open().filter(alert__root__path=root, alert__key__in=keys)
    return rows.order_by().values_list("alert").distinct()


_OPEN_AT_ROOT = Prepared(_open)
