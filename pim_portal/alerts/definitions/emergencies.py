"""Break glass used and not reviewed in time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from approvals.models import EmergencyReview
from pim_portal.alerts.definitions.base import AlertKind, Finding, Ground
from pim_portal.models import Incident, Severity
from roles import wording


class UnreviewedEmergency(AlertKind):
    key = "emergency_not_reviewed"
    name = gettext_lazy("Emergency access that nobody has reviewed")
    severity = Severity.HIGH
    impact = gettext_lazy(
        "Somebody took a role past approval. Only its review afterwards says whether there was an emergency at all."
    )
    to_fix = gettext_lazy("Close the review on the page of the request: was it justified, and what was done?")
    to_prevent = gettext_lazy("Have several people who may close such reviews, and read the mails about emergencies.")

    def description(self, count: int) -> str:
        sentence = ngettext(
            "{count} use of emergency access was not reviewed in time.",
            "{count} uses of emergency access were not reviewed in time.",
            count,
        )
        return sentence.format(count=count)

    def find(self, ground: Ground) -> Iterator[Finding]:
        rows = EmergencyReview.objects.overdue(ground.now).filter(request__resource__path__startswith=ground.root.path)
        about = ("request__resource", "request__resource__path", "request__principal", "request__role")
        for pk, resource, path, person, role, due_at in (
            rows.order_by("pk").values_list("pk", *about, "due_at").iterator(2000)
        ):
            yield Finding(f"review:{pk}", resource, path, person, role, None, {"due": due_at.isoformat()})

    def sentence(self, incident: Incident) -> str:
        due = datetime.fromisoformat(incident.facts["due"])
        return _("Its review was due by {moment}.").format(moment=wording.exact(due))
