"""Fixing an incident: what an administrator would do elsewhere, done from here by the same services."""

from __future__ import annotations

import uuid

from audit.kinds import Kind
from audit.recording import Ids
from pim_portal.alerts import rules
from pim_portal.alerts.definitions import BY_KEY
from pim_portal.alerts.definitions.base import Fix
from pim_portal.alerts.selectors.fixes import proposal_of
from pim_portal.alerts.selectors.grounds import ground_of
from pim_portal.models import Alert, Incident, Resolution
from roles.actors import Actor, Clock
from roles.authority import Authority
from roles.catalogue import Permission
from roles.models import SecondFactor
from roles.refusals import About, require
from roles.selectors.settings import settings_of
from roles.service import record, service
from roles.services.assignments import remove
from roles.services.changes import principals_of
from roles.services.gifts import Given, lock_given
from roles.services.replacements import make_eligible
from roles.services.settings import change_settings
from roles.text import clean

_ABOUT = ("alert__root", "principal", "role", "resource", "assignment")


@service(Kind.INCIDENT_FIXED)
def fix(incident_id: uuid.UUID, *, seen: str, reason: str, actor: Actor, clock: Clock) -> Incident:
    """Do what was shown (`seen`: its digest) about an open incident. Raises `Refused`.

    Refused where anything has changed since: by the rules of fixing, or by those of the service that does it, which
    asks for the authority and the second factor as it always does.
    """
    found = Incident.objects.get(pk=incident_id)
    if found.assignment_id is not None:
        lock_given(Given.by(found.assignment_id), also=principals_of(found.assignment_id))
    alert = Alert.objects.select_for_update(no_key=True, of=("self",)).select_related("root").get(pk=found.alert_id)
    now = clock()
    incident = Incident.objects.select_related(*_ABOUT).get(pk=incident_id)
    kind = BY_KEY[alert.key]
    fixable = kind.fixable(incident)
    is_open = incident.resolved_at is None and incident.dismissed_at is None
    facts = rules.FixFacts(
        open=is_open,
        fixable=fixable,
        as_seen=fixable and seen == proposal_of(incident).seen,
        still_so=not (fixable and is_open) or kind.still_so(incident, ground_of(alert, now)),
        reason=clean(reason),
    )
    ids = Ids(incident.principal_id, incident.role_id, incident.resource_id, assignment=incident.assignment_id)
    about = About(ids, incident.resource.realm, {"resource": incident.resource.name, "reason": facts.reason})
    require(rules.FIX, facts, about=about)

    _act(incident, kind.fix, reason=facts.reason, actor=actor, clock=clock)
    incident.resolved_at, incident.resolution, incident.untold = max(now, incident.raised_at), Resolution.FIXED, False
    incident.save(update_fields=["resolved_at", "resolution", "untold"])
    held = Authority(actor.user, now).by(Permission.ASSIGN, incident.resource) if actor.user else None
    record(
        Kind.INCIDENT_FIXED,
        actor=actor,
        at=now,
        target=incident.principal,
        role=incident.role,
        resource=incident.resource,
        authority_id=held.assignment_id if held else None,
        details={"alert": alert.key, "incident": str(incident.pk), "how": str(kind.fix)},
        reason=facts.reason,
        alert=str(kind.name),
    )
    return incident


def _act(incident: Incident, how: Fix | None, *, reason: str, actor: Actor, clock: Clock) -> None:
    if how == Fix.SECOND_FACTOR:
        if incident.role is None:
            raise LookupError("An incident about settings names their role.")
        change_settings(
            incident.role,
            resource=incident.resource,
            values={"second_factor": SecondFactor.FRESH},
            seen=settings_of(incident.role, incident.resource).seen,
            actor=actor,
            clock=clock,
        )
        return
    if incident.assignment_id is None:
        raise LookupError("An incident about an assignment names it.")
    act = make_eligible if how == Fix.MAKE_ELIGIBLE else remove
    act(incident.assignment_id, reason=reason, actor=actor, clock=clock)
