"""There are too many Global Administrators."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from pim_portal.alerts.definitions.base import DIRECTORY, AlertKind, Finding, Fix, Ground, Setting
from pim_portal.alerts.definitions.holders import people_behind
from pim_portal.models import Incident, Severity
from roles.ids import GLOBAL_ADMINISTRATOR
from roles.models import Assignment


class TooManyAdministrators(AlertKind):
    key = "too_many_global_administrators"
    name = gettext_lazy("Too many Global Administrators")
    severity = Severity.LOW
    worlds = DIRECTORY
    whole = True
    impact = gettext_lazy(
        "A Global Administrator can do everything in the directory. Each more of them is one more account by which all "
        "of it can be lost."
    )
    to_fix = gettext_lazy("Remove the role from whoever does not need it, and give them one that allows less.")
    to_prevent = gettext_lazy(
        "Look up in Find a role which role allows what somebody needs, before assigning this one."
    )
    settings = (
        Setting("count", gettext_lazy("At least"), 2, 100, 3, gettext_lazy("Global Administrators")),
        Setting(
            "percent",
            gettext_lazy("And at least"),
            0,
            100,
            10,
            gettext_lazy("% of all who hold privileged roles"),
            gettext_lazy("Both must be reached. People are counted, those in groups as well, eligible or active."),
        ),
    )
    fix = Fix.REMOVE

    def description(self, count: int) -> str:
        sentence = ngettext(
            "{count} assignment makes too many people Global Administrators.",
            "{count} assignments make too many people Global Administrators.",
            count,
        )
        return sentence.format(count=count)

    def find(self, ground: Ground) -> Iterator[Finding]:
        rows = Assignment.objects.in_effect(ground.now).filter(
            activated_from=None, role__privileged=True, resource__path__startswith=ground.root.path
        )
        found = list(rows.order_by("pk").values_list("pk", "principal", "role", "resource", "resource__path"))
        people = people_behind({principal for _pk, principal, *_rest in found}, ground.now)
        holders = {person for _pk, principal, *_rest in found for person in people[principal]}
        mine = [row for row in found if row[2] == GLOBAL_ADMINISTRATOR and row[3] == ground.root.pk]
        administrators = {person for _pk, principal, *_rest in mine for person in people[principal]}
        set_here = ground.at(ground.root.path)
        if len(administrators) < set_here["count"]:
            return
        if len(administrators) * 100 < set_here["percent"] * len(holders):
            return
        facts = {"count": len(administrators), "of": len(holders)}
        for pk, principal, role, resource, path in mine:
            yield Finding(f"assignment:{pk}", resource, path, principal, role, pk, facts)

    def sentence(self, incident: Incident) -> str:
        sentence = _("One of {count} people who may be Global Administrator, of {of} in privileged roles.")
        return sentence.format(**incident.facts)
