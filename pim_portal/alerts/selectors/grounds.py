"""Where an alert looks, with what is set for it there."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db.models import QuerySet

from pim_portal.alerts.definitions import BY_KEY, KINDS
from pim_portal.alerts.definitions.base import AlertKind, Ground, Values
from pim_portal.models import Alert, AlertSettings
from roles.models import Resource, ResourceKind

ROOTS = (ResourceKind.DIRECTORY, ResourceKind.ROOT)


def roots() -> QuerySet[Resource]:
    """Return the trees that are looked at: the directory and every resource root."""
    rows: QuerySet[Resource] = Resource.objects.filter(kind__in=ROOTS, retired_at=None).order_by("path")
    return rows


def root_of(place: Resource) -> Resource:
    """Return the root of the tree in which a place stands."""
    if place.depth == 1:
        return place
    root: Resource = Resource.objects.get(path=place.way[0])
    return root


def ground_of(alert: Alert, now: datetime) -> Ground:
    """Return where this alert looks; two queries."""
    return Ground(BY_KEY[alert.key], alert.root, now, tuple(_rows(alert.key, alert.root)))


def _rows(key: str, root: Resource) -> QuerySet[AlertSettings]:
    rows = AlertSettings.objects.filter(key=key, resource__path__startswith=root.path)
    return rows.select_related("resource").order_by("pk")


def values_at(place: Resource, kinds: Iterable[AlertKind] = KINDS) -> dict[str, Values]:
    """Return what is set at a place for each of these kinds of alert; one query."""
    kinds = list(kinds)
    rows = AlertSettings.objects.filter(key__in=[one.key for one in kinds], resource__path__in=place.way)
    nearest = {row.key: row for row in rows.select_related("resource").order_by("resource__path")}
    return {one.key: one.values(nearest.get(one.key)) for one in kinds}


def wanted_alerts() -> Iterable[tuple[str, Resource]]:
    """Yield every kind of alert with each tree that it looks at."""
    for root in roots():
        for kind in KINDS:
            if kind.stands_at(root):
                yield kind.key, root
