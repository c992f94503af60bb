"""Approval that hangs on one person, or that nobody can give."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from pim_portal.alerts.definitions.base import AlertKind, Finding, Ground
from pim_portal.alerts.selectors.stages import StageThere, stages_in
from pim_portal.models import Incident, Severity


class _Approval(AlertKind):
    def find(self, ground: Ground) -> Iterator[Finding]:
        for stage in stages_in(ground.root, ground.now):
            if self.concerns(stage):
                key = f"stage:{stage.role_id}:{stage.place.pk}:{stage.number}"
                facts = {"stage": stage.number, "people": len(stage.people), "quorum": stage.quorum}
                yield Finding(key, stage.place.pk, stage.place.path, role_id=stage.role_id, facts=facts)

    def concerns(self, stage: StageThere) -> bool:
        raise NotImplementedError


class OneApprover(_Approval):
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

    def concerns(self, stage: StageThere) -> bool:
        return len(stage.people) == 1 and stage.quorum == 1

    def sentence(self, incident: Incident) -> str:
        return _("Stage {stage} has one approver.").format(stage=incident.facts["stage"])


class NobodyApproves(_Approval):
    key = "nobody_approves"
    name = gettext_lazy("Roles that nobody can approve")
    severity = Severity.HIGH
    impact = gettext_lazy(
        "The role can be activated by nobody, least of all in an emergency: approval is required, and too few people "
        "are left to give it."
    )
    to_fix = gettext_lazy("Name approvers who are there in the role's settings, or have fewer of them agree.")
    to_prevent = gettext_lazy("Name groups as approvers, and look after settings when an approver leaves.")

    def description(self, count: int) -> str:
        sentence = ngettext(
            "{count} stage of approval cannot be passed: too few people are left.",
            "{count} stages of approval cannot be passed: too few people are left.",
            count,
        )
        return sentence.format(count=count)

    def concerns(self, stage: StageThere) -> bool:
        return len(stage.people) < stage.quorum

    def sentence(self, incident: Incident) -> str:
        facts = incident.facts
        sentence = ngettext(
            "Stage {stage} needs {quorum} approvals, and {people} person can give one.",
            "Stage {stage} needs {quorum} approvals, and {people} people can give one.",
            facts["people"],
        )
        return sentence.format(**facts)
