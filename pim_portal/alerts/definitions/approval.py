"""Approval that hangs on one person, or that nobody can give."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from pim_portal.alerts.definitions.base import AlertKind, Finding, Ground
from pim_portal.alerts.selectors.stages import stages_in
from pim_portal.models import Incident, Severity
from roles.selectors.impossible import impossible_settings


class OneApprover(AlertKind):
    key = "one_approver"
    name = gettext_lazy("Roles that one person alone approves")
    severity = Severity.MEDIUM
    impact = gettext_lazy(
        "While this one person is away nobody can activate the role. They themselves never can: nobody decides their "
        "own request."
    )
    to_fix = gettext_lazy("Name a second approver, or a group, in the role's settings.")
    to_prevent = gettext_lazy("Name groups rather than single people as approvers.")

    def description(self, count: int) -> str:
        sentence = ngettext(
            "{count} stage of approval has a single approver.",
            "{count} stages of approval have a single approver.",
            count,
        )
        return sentence.format(count=count)

    def find(self, ground: Ground) -> Iterator[Finding]:
        for stage in stages_in(ground.root, ground.now):
            if len(stage.people) == 1 and stage.quorum == 1:
                key = f"stage:{stage.role_id}:{stage.place.pk}:{stage.number}"
                facts = {"stage": stage.number, "people": 1, "quorum": stage.quorum}
                yield Finding(key, stage.place.pk, stage.place.path, role_id=stage.role_id, facts=facts)

    def sentence(self, incident: Incident) -> str:
        return _("Stage {stage} has one approver.").format(stage=incident.facts["stage"])


class NobodyApproves(AlertKind):
    key = "nobody_approves"
    name = gettext_lazy("Roles that nobody can approve")
    severity = Severity.HIGH
    impact = gettext_lazy(
        "Approval is required, and too few people are left to give it: nobody can activate the role, or one person "
        "cannot because only they themselves would approve it."
    )
    to_fix = gettext_lazy("Name approvers who are there in the role's settings, or have fewer of them agree.")
    to_prevent = gettext_lazy("Name groups as approvers, and look after settings when an approver leaves.")

    def description(self, count: int) -> str:
        sentence = ngettext(
            "In {count} case a request cannot be approved: too few people are left who may.",
            "In {count} cases a request cannot be approved: too few people are left who may.",
            count,
        )
        return sentence.format(count=count)

    def find(self, ground: Ground) -> Iterator[Finding]:
        for one in impossible_settings(ground.now, ground.root):
            place, gap = one.place or ground.root, one.gap
            key = f"stage:{one.role.pk}:{place.pk}:{gap.stage}"
            whose = gap.person.pk if gap.person else None
            facts = {"stage": gap.stage, "people": gap.people, "quorum": gap.quorum}
            # The ids without their hyphens, to fit into the column.
            yield Finding(f"{key}:{whose.hex}" if whose else key, place.pk, place.path, whose, one.role.pk, facts=facts)

    def sentence(self, incident: Incident) -> str:
        facts = incident.facts
        if incident.principal_id is not None:
            sentence = ngettext(
                "They may activate it, and nobody decides their own request: in stage {stage} {quorum} must agree, and "
                "{people} other could.",
                "They may activate it, and nobody decides their own request: in stage {stage} {quorum} must agree, and "
                "{people} others could.",
                facts["people"],
            )
            return sentence.format(**facts)
        sentence = ngettext(
            "Stage {stage} needs {quorum} approvals, and {people} person can give one.",
            "Stage {stage} needs {quorum} approvals, and {people} people can give one.",
            facts["people"],
        )
        return sentence.format(**facts)
