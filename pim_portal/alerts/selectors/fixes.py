"""What fixing an incident would do, and a digest by which it is known that nothing has changed since it was shown."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from pim_portal.alerts.definitions import BY_KEY
from pim_portal.alerts.definitions.base import Fix
from pim_portal.models import Incident
from roles.models import Assignment, AssignmentType, Purpose
from roles.selectors.settings import settings_of

PURPOSES = {
    Fix.REMOVE: Purpose.ASSIGN,
    Fix.MAKE_ELIGIBLE: Purpose.ASSIGN,
    Fix.SECOND_FACTOR: Purpose.SETTINGS,
}


@dataclass(frozen=True, slots=True)
class Proposal:
    """What would be done about one incident: a sentence, the objects whose change needs a second factor, a digest."""

    incident: Incident
    sentence: str
    covers: frozenset[uuid.UUID]
    seen: str


def proposals(incidents: Iterable[Incident]) -> list[Proposal]:
    """Say what fixing each of these incidents would do now."""
    return [proposal_of(one) for one in incidents]


def proposal_of(incident: Incident) -> Proposal:
    """Say what fixing this incident would do now."""
    fix = BY_KEY[incident.alert.key].fix
    if fix == Fix.SECOND_FACTOR:
        return _about_settings(incident)
    if incident.assignment_id is None:
        raise LookupError("An incident about an assignment names it.")
    row = Assignment.objects.select_related("principal", "role", "resource").get(pk=incident.assignment_id)
    covers = frozenset({row.pk, row.principal_id} if fix == Fix.MAKE_ELIGIBLE else {row.pk})
    running = sorted(map(str, Assignment.objects.open().filter(activated_from=row).values_list("pk", flat=True)))
    said = _sentence(fix, row, len(running))
    return Proposal(incident, said, covers, _digest(incident, said, [*_as_it_stands(row), running]))


def _sentence(fix: Fix | None, row: Assignment, running: int) -> str:
    words = {"name": row.principal.name, "role": row.role.name, "resource": row.resource.name}
    if fix == Fix.MAKE_ELIGIBLE:
        return _("{name} becomes eligible for {role} at {resource}, and is no longer permanently active.").format(
            **words
        )
    if row.type != AssignmentType.ELIGIBLE:
        return _("{name} no longer holds {role} at {resource}.").format(**words)
    said = _("{name} is no longer eligible for {role} at {resource}.").format(**words)
    if not running:
        return said
    ends = ngettext("{count} activation ends with it.", "{count} activations end with it.", running)
    return f"{said} {ends.format(count=running)}"


def _as_it_stands(row: Assignment) -> list[object]:
    return [str(row.pk), row.type, str(row.starts_at), str(row.ends_at), str(row.ended_at)]


def _about_settings(incident: Incident) -> Proposal:
    role, place = incident.role, incident.resource
    if role is None:
        raise LookupError("An incident about settings names their role.")
    sentence = _("Activating {role} at {resource} and below needs a fresh second factor.")
    said = sentence.format(role=role.name, resource=place.name)
    return Proposal(incident, said, frozenset({role.pk}), _digest(incident, said, [settings_of(role, place).seen]))


def _digest(incident: Incident, said: str, stands: list[object]) -> str:
    """Cover the sentence as it is shown, and what it rests on: other than what was shown is not done."""
    shown = [str(incident.pk), str(incident.resolved_at), str(incident.dismissed_at), said, *stands]
    return hashlib.sha256(json.dumps(shown).encode()).hexdigest()
