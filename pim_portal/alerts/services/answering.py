"""Answering alerts: having a tree scanned, dismissing incidents, changing what is set."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Final

from django_q.tasks import async_task

from audit.kinds import Kind
from audit.recording import Ids
from pim_portal.alerts import rules
from pim_portal.alerts.definitions import BY_KEY
from pim_portal.alerts.definitions.base import AlertKind, Values
from pim_portal.alerts.selectors.grounds import root_of, values_at
from pim_portal.alerts.selectors.sight import answers_by, incidents_at, may_scan
from pim_portal.alerts.services.scanning import CHUNK, make_the_missing, record_each, scan
from pim_portal.models import Alert, AlertSettings
from roles.actors import Actor, Clock
from roles.authority import Authority, Held
from roles.models import Purpose, Resource
from roles.refusals import About, Refused, require
from roles.service import record, service
from roles.services import step_ups
from roles.text import clean

SCAN: Final = "pim_portal.tasks.scan_alerts"


def scan_now(place: Resource, *, actor: Actor, clock: Clock, seconds: float = 5.0) -> bool:
    """Have everything looked at in the tree of a place; return whether it is done, or goes on in the background.

    Raises `Refused` for whoever may answer no alert there.
    """
    make_the_missing()
    root = _ask_for_a_scan(place, actor=actor, clock=clock)
    done = scan(clock=clock, seconds=seconds, root=root.pk)
    if not done:
        async_task(SCAN, save=False)
    return done


@service(Kind.ALERTS_SCANNED)
def _ask_for_a_scan(place: Resource, *, actor: Actor, clock: Clock) -> Resource:
    root, now = root_of(place), clock()
    if actor.user is not None and not may_scan(Authority(actor.user, now), place):
        raise Refused([rules.not_allowed_to_scan()], about=_about(place))
    Alert.objects.filter(root=root, wanted_at=None).update(wanted_at=now)
    record(Kind.ALERTS_SCANNED, actor=actor, at=now, resource=place)
    return root


def lock_alert(key: str, place: Resource) -> Alert:
    """Lock the alert of this kind in the tree of a place until the transaction ends."""
    root = root_of(place)
    Alert.objects.get_or_create(key=key, root=root)
    return Alert.objects.select_for_update(no_key=True, of=("self",)).select_related("root").get(key=key, root=root)


def _about(place: Resource) -> About:
    return About(Ids(resource=place.pk), place.realm, {"resource": place.name})


def _held(actor: Actor, kind: AlertKind, place: Resource, now: datetime) -> Held | None:
    return answers_by(Authority(actor.user, now), kind, place) if actor.user else None


def _serves(actor: Actor, place: Resource, now: datetime) -> bool:
    return actor.user is None or step_ups.serves(actor, Purpose.SETTINGS, place.pk, now=now)


def _spend(actor: Actor, place: Resource, now: datetime) -> None:
    if actor.user is not None:
        step_ups.spend(actor, Purpose.SETTINGS, place.pk, now=now)


@service(Kind.INCIDENT_DISMISSED)
def dismiss(
    key: str,
    *,
    place: Resource,
    incidents: Collection[uuid.UUID] | None,
    shown_at: datetime | None = None,
    reason: str,
    actor: Actor,
    clock: Clock,
) -> int:
    """Dismiss open incidents of an alert at a place, or (None) all of them there; return how many.

    `shown_at` is when they were looked at: what was found later, nobody has seen, and it stays open. They stay
    dismissed while they last; what is found besides them, or comes back later, is open. Raises `Refused`.
    """
    lock_alert(key, place)
    kind, now = BY_KEY[key], clock()
    held = _held(actor, kind, place, now)
    rows = incidents_at(place, kind).open()
    if incidents is not None:
        rows = rows.filter(pk__in=incidents)
    if shown_at is not None:
        rows = rows.filter(raised_at__lte=shown_at)
    found = list(rows[: rules.MOST_AT_ONCE + 1])
    facts = rules.DismissFacts(
        allowed=actor.user is None or held is not None,
        second_factor=_serves(actor, place, now),
        count=len(found),
        reason=clean(reason),
    )
    require(rules.DISMISS, facts, about=_about(place))

    _spend(actor, place, now)
    for first in range(0, len(found), CHUNK):
        part = found[first : first + CHUNK]
        incidents_at(place, kind).open().filter(pk__in=[one.pk for one in part]).update(
            dismissed_at=now, dismissed_by=actor.user, dismissed_because=facts.reason, untold=False
        )
        record_each(
            Kind.INCIDENT_DISMISSED,
            part,
            actor=actor,
            at=now,
            authority_id=held.assignment_id if held else None,
            reason=facts.reason,
        )
    return len(found)


def seen_of(values: Values) -> str:
    """Return a digest of what is set, as a page shows it (hex SHA-256)."""
    shown = [values.enabled, values.mails, dict(values.numbers), str(values.source.pk) if values.source else ""]
    return hashlib.sha256(json.dumps(shown, sort_keys=True).encode()).hexdigest()


@service(Kind.ALERT_SETTINGS_CHANGED)
def change_alert(
    key: str,
    *,
    place: Resource,
    enabled: bool,
    mails: bool,
    numbers: Mapping[str, int],
    seen: str = "",
    actor: Actor,
    clock: Clock,
) -> AlertSettings:
    """Set an alert at a place and below: whether it looks, whether it mails, its thresholds. Raises `Refused`.

    `seen` is the digest of what was looked at: other settings are not changed. It looks anew at once.
    """
    alert, kind = lock_alert(key, place), BY_KEY[key]
    now = clock()
    held = _held(actor, kind, place, now)
    before = values_at(place, [kind])[key]
    facts = rules.SettingsFacts(
        allowed=(actor.user is None or held is not None) and kind.stands_at(place),
        second_factor=_serves(actor, place, now),
        kind=kind,
        as_seen=not seen or seen == seen_of(before),
        numbers={one.name: numbers.get(one.name, before[one.name]) for one in kind.settings},
    )
    require(rules.CHANGE, facts, about=_about(place))

    _spend(actor, place, now)
    row, _made = AlertSettings.objects.update_or_create(
        key=key, resource=place, defaults={"enabled": enabled, "mails": mails, "values": dict(facts.numbers)}
    )
    Alert.objects.filter(pk=alert.pk).update(wanted_at=now)
    record(
        Kind.ALERT_SETTINGS_CHANGED,
        actor=actor,
        at=now,
        resource=place,
        authority_id=held.assignment_id if held else None,
        details={"alert": key} | _difference(before, kind.values(row)),
        alert=str(kind.name),
    )
    async_task(SCAN, save=False)
    return row


def _difference(before: Values, after: Values) -> dict[str, object]:
    """Return old and new of what is different."""
    old, new = ({"enabled": one.enabled, "mails": one.mails, **one.numbers} for one in (before, after))
    changed = sorted(name for name in new if old[name] != new[name])
    return {"old": {name: old[name] for name in changed}, "new": {name: new[name] for name in changed}}
