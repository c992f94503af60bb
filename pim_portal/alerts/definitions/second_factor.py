"""Roles don't require a second factor for activation."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from pim_portal.alerts.definitions.base import AlertKind, Finding, Fix, Ground
from pim_portal.models import Incident, Severity
from roles.models import RoleSettings, SecondFactor
from roles.selectors.resources import under_retirement


class NoSecondFactor(AlertKind):
    key = "no_second_factor"
    name = gettext_lazy("Roles that need no second factor to activate")
    severity = Severity.LOW
    impact = gettext_lazy(
        "Whoever sits down at a session that was left open can activate the role without proving who they are."
    )
    to_fix = gettext_lazy("Have the role's settings require a second factor.")
    to_prevent = gettext_lazy("Leave the second factor as it is by default: a fresh one with each activation.")
    fix = Fix.SECOND_FACTOR

    def description(self, count: int) -> str:
        sentence = ngettext(
            "The settings of {count} role let it be activated without a second factor.",
            "The settings of {count} roles let them be activated without a second factor.",
            count,
        )
        return sentence.format(count=count)

    def find(self, ground: Ground) -> Iterator[Finding]:
        rows = RoleSettings.objects.filter(_rules_in(ground), role__retired_at=None).select_related("resource")
        at_root = {row.role_id for row in rows if row.resource_id == ground.root.pk}
        for row in rows:
            place = row.resource or ground.root
            # A role's default rules nothing where the root has settings of its own.
            if row.second_factor == SecondFactor.NONE and (row.resource_id or row.role_id not in at_root):
                key = f"settings:{row.role_id}:{place.pk}"
                yield Finding(key, place.pk, place.path, role_id=row.role_id, facts={"default": row.resource is None})

    def sentence(self, incident: Incident) -> str:
        if incident.facts.get("default"):
            return _("Its default settings ask for no second factor.")
        return _("Its settings here ask for no second factor.")


def _rules_in(ground: Ground) -> Q:
    default = Q(resource=None, role__kind=ground.root.realm.value)
    return Q(~under_retirement("resource__path"), resource__path__startswith=ground.root.path) | default
