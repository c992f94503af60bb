"""Incompatible roles held together: what stands against a rule of separation of duties, now or later."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from pim_portal.alerts.definitions.base import AlertKind, Finding, Ground
from pim_portal.models import Incident, Severity
from roles.selectors.duties.clashes import Clash
from roles.selectors.duties.conflicts import conflicts


class Incompatible(AlertKind):
    key = "incompatible_roles"
    name = gettext_lazy("Incompatible roles held together")
    severity = Severity.HIGH
    impact = gettext_lazy(
        "Whoever has both roles can do alone what a rule of separation of duties wants two people for, and nobody "
        "would notice."
    )
    to_fix = gettext_lazy("Remove one of the two assignments, or shorten it; the list of conflicts leads to both.")
    to_prevent = gettext_lazy("Make a rule before its roles are given: from then on nobody can get both.")

    def description(self, count: int) -> str:
        sentence = ngettext(
            "{count} person has roles that a rule keeps apart.",
            "{count} people have roles that a rule keeps apart.",
            count,
        )
        return sentence.format(count=count)

    def find(self, ground: Ground) -> Iterator[Finding]:
        first: dict[str, Clash] = {}
        for clash in conflicts(ground.now, ground.root):
            first.setdefault(f"duty:{clash.rule.pk.hex}:{clash.person.pk.hex}", clash)
        for key, clash in first.items():
            sides = [{"role": one.role.name, "place": one.resource.name} for one in (clash.one, clash.other)]
            facts = {"rule": clash.rule.name, "sides": sides}
            place = clash.rule.resource
            yield Finding(key, place.pk, place.path, clash.person.pk, clash.one.role.pk, facts=facts)

    def sentence(self, incident: Incident) -> str:
        one, other = (_("{role} at {place}").format(**side) for side in incident.facts["sides"])
        sentence = _("{one} and {other}: the rule “{rule}” keeps them apart.")
        return sentence.format(one=one, other=other, rule=incident.facts["rule"])
