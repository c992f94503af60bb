"""Looking for incidents: what anybody may do at any time, by the worker, from cron or with a button.

An alert is claimed, looks without a lock, and writes down what it found in small transactions. Two that look at once
do no harm: one has the claim, the other goes on to the next; and the database lets no object have two open incidents
of one alert.
"""

from __future__ import annotations

import logging
import math
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Final, TypeVar

from django.db import transaction
from django.db.models import F, Q, QuerySet

from audit.kinds import Kind
from audit.recording import Entry, Ids, write_many
from pim_portal.alerts.definitions import BY_KEY
from pim_portal.alerts.definitions.base import Finding, Ground
from pim_portal.alerts.selectors.grounds import ground_of, wanted_alerts
from pim_portal.alerts.services.telling import tell_of
from pim_portal.models import Alert, Incident, Resolution
from roles.actors import Actor, Clock

logger = logging.getLogger(__name__)

EVERY: Final = timedelta(hours=1)  # how often the worker looks; hosted PIM does about once a day
CLAIM: Final = timedelta(minutes=5)  # longer than any look takes; then it counts as dead
SECONDS: Final = 10.0  # of one run
CHUNK: Final = 500  # incidents written in one transaction

T = TypeVar("T")


def scan(*, clock: Clock, seconds: float = SECONDS, root: uuid.UUID | None = None) -> bool:
    """Look at everything that is due, in one tree or in all; what somebody waits for comes first.

    Goes on for about `seconds`; returns whether nothing is left. What is left, the next run does.
    """
    deadline = time.monotonic() + seconds
    here = Q(root=root) if root else Q()
    make_the_missing()
    while (alert := _claim(clock(), here)) is not None:
        _scan(alert, clock=clock, deadline=deadline)
        if time.monotonic() >= deadline:
            return not _due(clock()).filter(here).exists()
    return True


def make_the_missing() -> None:
    """Have a row for every alert in every tree; a tree may be new, or a kind of alert."""
    there = set(Alert.objects.values_list("key", "root"))
    missing = [Alert(key=key, root=root) for key, root in wanted_alerts() if (key, root.pk) not in there]
    if missing:
        Alert.objects.bulk_create(missing, ignore_conflicts=True)


def _due(now: datetime) -> QuerySet[Alert]:
    looked = Q(last_scanned_at=None) | Q(last_scanned_at__lte=now - EVERY) | Q(wanted_at__isnull=False)
    free = Q(scanning_until=None) | Q(scanning_until__lte=now)
    return Alert.objects.filter(looked, free, root__retired_at=None)


def _claim(now: datetime, which: Q) -> Alert | None:
    """Take the alert that has waited longest; whoever claims the same at this moment gets another."""
    order = (F("wanted_at").asc(nulls_last=True), F("last_scanned_at").asc(nulls_first=True), "key", "pk")
    for alert in _due(now).filter(which).select_related("root").order_by(*order)[:20]:
        free = Q(scanning_until=None) | Q(scanning_until__lte=now)
        mine = Alert.objects.filter(free, pk=alert.pk, last_scanned_at=alert.last_scanned_at)
        if mine.update(scanning_until=now + CLAIM):
            alert.scanning_until = now + CLAIM
            return alert
    return None


def _scan(alert: Alert, *, clock: Clock, deadline: float) -> None:
    """Look, write down what is new and what is over, tell of it, and let the claim go."""
    now = clock()
    mine = Alert.objects.filter(pk=alert.pk, scanning_until=alert.scanning_until)
    try:
        if not write_down(alert, now, deadline=deadline):
            # It goes on where it was: what is written down is known by then.
            mine.update(scanning_until=None, wanted_at=now)
            return
        tell_of(alert, clock=clock)
    except Exception:
        # What cannot be looked at now must not keep the others waiting: it is tried again when its claim lapses.
        logger.exception("The alert %s could not be scanned.", alert.key)
        return
    mine.filter(wanted_at__lte=now).update(wanted_at=None)
    mine.update(last_scanned_at=now, scanning_until=None)


def write_down(alert: Alert, now: datetime, *, deadline: float = math.inf) -> bool:
    """Bring the incidents of an alert in line with what is so at `now`; False where the deadline came first."""
    ground = ground_of(alert, now)
    open_now = dict(Incident.objects.unresolved().filter(alert=alert).values_list("object_key", "pk"))
    found: set[str] = set()
    if any(values.enabled for values in ground.every()):
        for findings in _chunks(one for one in ground.kind.find(ground) if ground.at(one.path).enabled):
            found.update(one.object_key for one in findings)
            raised = _raise(alert, findings, now)
            _refresh(alert, findings)
            # Only after something was written: what is known already is passed over the next time.
            if raised and time.monotonic() >= deadline:
                return False
    over = [pk for key, pk in open_now.items() if key not in found]
    for part in _chunks(over):
        _resolve(alert, part, ground, now)
    return True


def _chunks(items: Iterable[T]) -> Iterator[list[T]]:
    iterator = iter(items)
    while part := list(islice(iterator, CHUNK)):
        yield part


def _raise(alert: Alert, findings: Sequence[Finding], now: datetime) -> int:
    """Write down what is not known yet, each with its event; return how many."""
    with transaction.atomic():
        Alert.objects.select_for_update(no_key=True).get(pk=alert.pk)
        known = set(_known(alert, findings).values_list("object_key", flat=True))
        made = [_incident(alert, one, now) for one in findings if one.object_key not in known]
        if made:
            Incident.objects.bulk_create(made)
            record_each(Kind.INCIDENT_RAISED, made, actor=Actor.portal(), at=now)
    return len(made)


def _known(alert: Alert, findings: Sequence[Finding]) -> QuerySet[Incident]:
    return Incident.objects.unresolved().filter(alert=alert, object_key__in=[one.object_key for one in findings])


def _incident(alert: Alert, one: Finding, now: datetime) -> Incident:
    return Incident(
        alert=alert,
        object_key=one.object_key,
        resource_id=one.resource_id,
        principal_id=one.principal_id,
        role_id=one.role_id,
        assignment_id=one.assignment_id,
        facts=dict(one.facts),
        raised_at=now,
    )


def _refresh(alert: Alert, findings: Sequence[Finding]) -> None:
    """Let an incident that goes on say what is so now: how often, since when."""
    facts = {one.object_key: dict(one.facts) for one in findings}
    changed = [row for row in _known(alert, findings) if row.facts != facts[row.object_key]]
    for row in changed:
        row.facts = facts[row.object_key]
    if changed:
        Incident.objects.bulk_update(changed, ["facts"])


def _resolve(alert: Alert, over: Sequence[uuid.UUID], ground: Ground, now: datetime) -> None:
    """Write down that these are no longer so, each with its event."""
    with transaction.atomic():
        Alert.objects.select_for_update(no_key=True).get(pk=alert.pk)
        rows = Incident.objects.unresolved().filter(pk__in=over).select_related("resource").order_by("pk")
        ended = list(rows)
        for row in ended:
            on = ground.at(row.resource.path).enabled
            row.resolution = Resolution.GONE if on else Resolution.TURNED_OFF
            row.resolved_at = max(now, row.raised_at)
            # Nobody is told of the end of what they were not told of, or did not want to hear of any more.
            row.untold = row.told_in is not None and on and row.dismissed_at is None
        if ended:
            Incident.objects.bulk_update(ended, ["resolution", "resolved_at", "untold"])
            record_each(Kind.INCIDENT_RESOLVED, ended, actor=Actor.portal(), at=now)


def record_each(
    kind: Kind,
    incidents: Sequence[Incident],
    *,
    actor: Actor,
    at: datetime,
    authority_id: uuid.UUID | None = None,
    reason: str = "",
) -> None:
    """Record an event for each of these incidents, with a few queries."""
    pks = [one.pk for one in incidents]
    rows = Incident.objects.filter(pk__in=pks).select_related("alert", "principal", "role", "resource").order_by("pk")
    entries = []
    for row in rows:
        names = {
            "alert": str(BY_KEY[row.alert.key].name),
            "target": row.principal.name if row.principal else "",
            "role": row.role.name if row.role else "",
            "resource": row.resource.name,
            "actor": actor.label,
            "address": actor.address,
            "reason": reason,
        }
        ids = Ids(row.principal_id, row.role_id, row.resource_id, assignment=row.assignment_id, authority=authority_id)
        details = {"alert": row.alert.key, "incident": str(row.pk)}
        if row.resolution:
            details["why"] = row.resolution
        entries.append(Entry(kind, at, row.resource.realm, actor.id, ids, details=details, text=names))
    write_many(entries, batch=uuid.uuid4())
