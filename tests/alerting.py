"""What tests of alerts need: a scan at a moment, and what it found."""

from __future__ import annotations

import uuid
from datetime import datetime

from pim_portal.alerts.definitions import BY_KEY
from pim_portal.alerts.selectors.grounds import ground_of
from pim_portal.alerts.services.answering import change_alert
from pim_portal.alerts.services.scanning import scan, write_down
from pim_portal.alerts.services.telling import tell_of
from pim_portal.models import Alert, Incident
from roles.models import Resource
from tests.people import NOW, OPERATOR, at, directory


def alert_of(key: str, root: Resource | None = None) -> Alert:
    """The alert of this kind in the directory, or in the tree of this root."""
    alert, _made = Alert.objects.get_or_create(key=key, root=root or directory())
    return alert


def found(key: str, root: Resource | None = None, now: datetime = NOW) -> list[str]:
    """What the alert finds at `now`, by the keys of the objects; nothing is written down."""
    ground = ground_of(alert_of(key, root), now)
    return sorted(one.object_key for one in BY_KEY[key].find(ground) if ground.at(one.path).enabled)


def people_found(key: str, root: Resource | None = None, now: datetime = NOW) -> set[uuid.UUID | None]:
    ground = ground_of(alert_of(key, root), now)
    return {one.principal_id for one in BY_KEY[key].find(ground)}


def scanned(key: str, root: Resource | None = None, now: datetime = NOW) -> list[Incident]:
    """The unresolved incidents of an alert after a scan of it at `now`."""
    alert = alert_of(key, root)
    write_down(alert, now)
    tell_of(alert, clock=at(now))
    rows = Incident.objects.unresolved().filter(alert=alert).select_related("alert__root", "principal", "role")
    return list(rows.select_related("resource", "assignment").order_by("raised_at", "object_key"))


def scan_everything(now: datetime = NOW) -> None:
    assert scan(clock=at(now), seconds=600)


def set_alert(key: str, place: Resource | None = None, *, enabled: bool = True, mails: bool = True, **numbers: int):
    """Set an alert as the operator."""
    return change_alert(
        key,
        place=place or directory(),
        enabled=enabled,
        mails=mails,
        numbers=numbers,
        actor=OPERATOR,
        clock=at(NOW),
    )
