"""Settings weakened: a change that let a role be had more easily, and still does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from django.utils.dateparse import parse_duration
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from audit.kinds import Kind, Outcome
from audit.models import Event
from pim_portal.alerts.definitions.base import AlertKind, Finding, Ground, Setting
from pim_portal.models import Incident, Severity
from roles import wording
from roles.models import Resource, Role, SecondFactor
from roles.selectors.settings import SettingsBook, rules_of
from roles.settings_words import LABELS

CHANGES: Final = (Kind.ROLE_SETTINGS_CHANGED, Kind.ROLE_SETTINGS_RESET)
_FACTORS: Final = (SecondFactor.NONE, SecondFactor.FRESH, SecondFactor.EVERY_TIME)
Looser = Callable[[Any, Any], bool]


def _dropped(old: Any, new: Any) -> bool:
    return bool(old) and not new


def _allowed(old: Any, new: Any) -> bool:
    return bool(new) and not old


def _longer(old: Any, new: Any) -> bool:
    return (parse_duration(str(new)) or timedelta()) > (parse_duration(str(old)) or timedelta())


def _lower(old: Any, new: Any) -> bool:
    return _FACTORS.index(SecondFactor(new)) < _FACTORS.index(SecondFactor(old))


# Which way is looser, of the values as the history tells them.
LOOSER: Final[dict[str, Looser]] = {
    "second_factor": _lower,
    "approval_required": _dropped,
    "reason_required": _dropped,
    "ticket_required": _dropped,
    "ticket_verified": _dropped,
    "max_activation": _longer,
    "permanent_eligible_allowed": _allowed,
    "expire_eligible_after": _longer,
    "permanent_active_allowed": _allowed,
    "expire_active_after": _longer,
    "second_factor_on_assign": _dropped,
    "reason_on_assign": _dropped,
}


def loosened(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Return which of these values are looser than they were."""
    return [name for name, looser in LOOSER.items() if name in old and name in new and looser(old[name], new[name])]


class Weakened(AlertKind):
    key = "settings_weakened"
    name = gettext_lazy("Settings of roles that were weakened")
    severity = Severity.MEDIUM
    impact = gettext_lazy(
        "Whoever wants a role that they should not have first makes it easier to get: no second factor, no approval, "
        "no reason, for longer."
    )
    to_fix = gettext_lazy("Ask who changed it why, and set it back if there is no good reason. Dismiss it if there is.")
    to_prevent = gettext_lazy("Let few people change settings, and read the mails about changes.")
    settings = (Setting("days", gettext_lazy("Changed within"), 1, 365, 30, gettext_lazy("days")),)

    def description(self, count: int) -> str:
        sentence = ngettext(
            "{count} change made the settings of a role looser, and they still are.",
            "{count} changes made the settings of roles looser, and they still are.",
            count,
        )
        return sentence.format(count=count)

    def find(self, ground: Ground) -> Iterator[Finding]:
        since = ground.now - timedelta(days=ground.most("days"))
        events = Event.objects.filter(
            kind__in=CHANGES,
            outcome=Outcome.DONE,
            realm=ground.root.realm,
            occurred_at__gt=since,
            occurred_at__lte=ground.now,
        )
        found = list(events.order_by("pk").values_list("uuid", "occurred_at", "role_id", "resource_id", "details"))
        roles = Role.objects.in_bulk({row[2] for row in found})
        places: dict[Any, Resource] = Resource.objects.in_bulk({row[3] for row in found if row[3]})
        book = SettingsBook(roles)
        for uuid, at, role_id, resource_id, details in found:
            place = places.get(resource_id) if resource_id else ground.root
            role = roles.get(role_id)
            if role is None or place is None or not place.path.startswith(ground.root.path):
                continue
            if at <= ground.now - ground.at(place.path).days():
                continue
            rules = rules_of(book.of(role, place) if resource_id else book.default_of(role))
            old = details.get("old", {})
            looser = loosened(old, details.get("new", {}))
            # What was set back since, or made stricter, is no matter any more.
            still = [name for name in looser if LOOSER[name](old[name], rules[name])]
            if still:
                facts = {"fields": still, "at": at.isoformat()}
                yield Finding(f"event:{uuid}", place.pk, place.path, role_id=role.pk, facts=facts)

    def sentence(self, incident: Incident) -> str:
        fields = ", ".join(str(LABELS[name]) for name in incident.facts["fields"])
        when = wording.exact(datetime.fromisoformat(incident.facts["at"]))
        return _("Looser since {when}: {fields}.").format(when=when, fields=fields)
