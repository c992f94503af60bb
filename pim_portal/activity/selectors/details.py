"""What one event says besides its sentence: everything recorded, in words."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from approvals.models import Action
from audit.canonical import IDS
from audit.groups import Group
from audit.kinds import Realm
from audit.models import Event
from audit.sentences import said
from pim_portal.models import TicketKind
from pim_portal.overview.selectors.checklist import Step
from roles import wording
from roles.models import Assignment, AssignmentType, EndReason, Purpose, ResourceKind, User

# The details that have a name for people; a new one shows under its own until it gets one.
LABELS: dict[str, str | Promise] = {
    "action": gettext_lazy("Action"),
    "type": gettext_lazy("Type"),
    "starts_at": gettext_lazy("Start"),
    "ends_at": gettext_lazy("End"),
    "wanted_start": gettext_lazy("Wanted start"),
    "wanted_seconds": gettext_lazy("Wanted duration"),
    "ticket_checked": gettext_lazy("Ticket checked"),
    "break_glass": gettext_lazy("In an emergency"),
    "review_due_at": gettext_lazy("To be reviewed by"),
    "justified": gettext_lazy("Justified"),
    "ended_now": gettext_lazy("Ended with the review"),
    "late": gettext_lazy("Reviewed too late"),
    "granted_seconds": gettext_lazy("Granted duration"),
    "wanted_type": gettext_lazy("Wanted type"),
    "wanted_end": gettext_lazy("Wanted end"),
    "stage": gettext_lazy("Stage of approval"),
    "why": gettext_lazy("Why it ended"),
    "refused": gettext_lazy("Refused because of"),
    "purpose": gettext_lazy("For"),
    "kind": gettext_lazy("Kind"),
    "parent": gettext_lazy("Below"),
    "step": gettext_lazy("Step"),
    "until": gettext_lazy("Until"),
    "ticket": gettext_lazy("Reset ticket"),
    "ended": gettext_lazy("Sessions ended"),
    "sessions_ended": gettext_lazy("Sessions ended"),
    "count": gettext_lazy("How many"),
    "first": gettext_lazy("The first one"),
    "time_zone": gettext_lazy("Time zone"),
    "theme": gettext_lazy("Theme"),
    "chosen": gettext_lazy("Chosen"),
    "mails": gettext_lazy("Mails"),
    "digest": gettext_lazy("Digest of what was asked"),
    "settings": gettext_lazy("Digest of the role settings"),
    "loosens": gettext_lazy("What it loosens"),
    "asked_by": gettext_lazy("Proposed by"),
    "alone": gettext_lazy("Without a second administrator"),
    "before": gettext_lazy("Digest of the settings before"),
    "after": gettext_lazy("Digest of the settings after"),
    "alert": gettext_lazy("Alert"),
    "incident": gettext_lazy("Incident"),
    "telling": gettext_lazy("What it tells of"),
    "how": gettext_lazy("How"),
    "archive": gettext_lazy("Archive"),
    "file": gettext_lazy("File"),
    "sha256": gettext_lazy("SHA-256"),
    "world": gettext_lazy("World"),
    "leaves_digest": gettext_lazy("Digest of the leaves"),
    "tombstones_digest": gettext_lazy("Digest of the tombstones"),
    "first_leaf": gettext_lazy("First leaf"),
    "last_leaf": gettext_lazy("Last leaf"),
}

# The details whose values are words of the product.
_WORDS: dict[str, dict[str, str | Promise]] = {
    "action": dict(Action.choices),
    "type": dict(AssignmentType.choices),
    "wanted_type": dict(AssignmentType.choices),
    "why": dict(EndReason.choices),
    "purpose": dict(Purpose.choices),
    "kind": dict([*ResourceKind.choices, *TicketKind.choices]),
    "step": dict(Step.choices),
    "world": dict(Realm.choices),
}


# The texts in the order in which they are read; others follow.
TEXTS: dict[str, str | Promise] = {
    "actor": gettext_lazy("Who"),
    "target": gettext_lazy("To whom"),
    "role": gettext_lazy("Role"),
    "resource": gettext_lazy("Where"),
    "alert": gettext_lazy("Alert"),
    "justification": gettext_lazy("Justification"),
    "reason": gettext_lazy("Reason"),
    "ticket": gettext_lazy("Ticket"),
    "factor": gettext_lazy("Second factor"),
    "username": gettext_lazy("User name"),
    "address": gettext_lazy("From address"),
}


@dataclass(frozen=True, slots=True)
class Detail:
    """One recorded fact, under its name for people."""

    label: str
    value: str


def texts_of(event: Event, reader: User | None) -> list[Detail]:
    """Return what was recorded in words at that moment, as far as it concerns this reader; none is an auditor.

    From where somebody else acted is not for those to whom they did it; from where a stranger tried is.
    """
    hidden = set() if reader is None or event.actor_id in (None, reader.pk) else {"address"}
    names = [*TEXTS, *sorted(event.commitments.keys() - TEXTS.keys())]
    found = [(name, said(event, name)) for name in names if name not in hidden]
    return [Detail(str(TEXTS.get(name, name)), text) for name, text in found if text]


def details_of(event: Event) -> list[Detail]:
    """Return the recorded details of an event in words."""
    if "days_after" in event.details:
        return _retention(event.details["days_before"], event.details["days_after"])
    return [Detail(str(LABELS.get(name, name)), _said(name, value)) for name, value in event.details.items()]


def _retention(before: dict[str, int | None], after: dict[str, int | None]) -> list[Detail]:
    """Say for each group for how long it is kept, and was before."""
    words = _("{after} (before: {before})")
    return [
        Detail(str(Group(name).label), words.format(after=_days(days), before=_days(before.get(name))))
        for name, days in after.items()
    ]


def _days(days: int | None) -> str:
    return _("for ever") if days is None else wording.span(timedelta(days=days))


def ids_of(event: Event) -> list[Detail]:
    """Return the ids that were recorded, under the names of their columns."""
    columns = [field for field in Event._meta.concrete_fields if field.name in IDS]
    found = [(capfirst(str(field.verbose_name)), field.value_from_object(event)) for field in columns]
    return [Detail(_("Event"), str(event.uuid)), *(Detail(name, str(value)) for name, value in found if value)]


def _said(name: str, value: Any) -> str:
    if value is None:
        return {"ends_at": _("Permanent"), "wanted_end": _("Permanent"), "wanted_start": _("At once")}.get(
            name, _("None")
        )
    if name.endswith("_seconds") and isinstance(value, int):
        return wording.span(timedelta(seconds=value))
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if name.endswith(("_at", "_start", "_end", "until")) and (moment := _moment(value)):
        return wording.exact(moment)
    if isinstance(value, str):
        return str(_WORDS.get(name, {}).get(value, value))
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return json.dumps(value, ensure_ascii=False)


def _moment(value: Any) -> datetime | None:
    try:
        return parse_datetime(str(value))
    except ValueError:
        return None


def authority_behind(event: Event) -> Assignment | None:
    """Return the assignment by whose authority something was done, if there was one and it is still known."""
    if event.authority_id is None:
        return None
    return Assignment.objects.select_related("role", "resource").filter(pk=event.authority_id).first()
