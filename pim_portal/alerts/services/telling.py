"""Telling of incidents: one event, and one mail to each administrator, for all that one look found."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from django.db import transaction

from audit.kinds import Kind
from pim_portal.alerts.selectors.grounds import ground_of
from pim_portal.models import Alert, Incident
from roles.actors import Actor, Clock
from roles.models import Resource
from roles.service import record


def tell_of(alert: Alert, *, clock: Clock) -> None:
    """Tell of what was raised and of what was resolved and nobody was told of yet, each once."""
    with transaction.atomic():
        Alert.objects.select_for_update(no_key=True).get(pk=alert.pk)
        now = clock()
        ground = ground_of(alert, now)
        rows = Incident.objects.filter(alert=alert, untold=True).select_related("resource").order_by("pk")
        raised: list[Incident] = []
        resolved: list[Incident] = []
        silent: list[Incident] = []
        for row in rows:
            quiet = row.dismissed_at is not None or not ground.at(row.resource.path).mails
            (silent if quiet else resolved if row.resolved_at else raised).append(row)
        Incident.objects.filter(pk__in=[row.pk for row in silent]).update(untold=False)
        for kind, told in ((Kind.ALERT_RAISED, raised), (Kind.ALERT_RESOLVED, resolved)):
            if not told:
                continue
            # Written first: who hears of the event is asked while it is recorded.
            telling = uuid.uuid4()
            Incident.objects.filter(pk__in=[row.pk for row in told]).update(untold=False, told_in=telling)
            record(
                kind,
                actor=Actor.portal(),
                at=now,
                resource=_place_of(alert, told),
                details={"alert": alert.key, "count": len(told), "telling": str(telling)},
                alert=str(ground.kind.name),
            )


def _place_of(alert: Alert, incidents: Iterable[Incident]) -> Resource:
    """Return where all of these stand, or the root of their tree."""
    places = {row.resource_id: row.resource for row in incidents}
    only = next(iter(places.values())) if len(places) == 1 else alert.root
    return only if only.path.startswith(alert.root.path) else alert.root
