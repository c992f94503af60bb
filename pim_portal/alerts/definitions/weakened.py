"""Settings weakened: a change that let a role be had more easily, and still does."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from audit.kinds import Kind, Outcome
from audit.models import Event
from pim_portal.alerts.definitions.base import AlertKind, Finding, Ground, Setting
from pim_portal.models import Incident, Severity
from roles import wording
from roles.models import Resource, Role
from roles.rules.looser import loosened
from roles.selectors.resources import under_retirement
from roles.selectors.settings import EffectiveSettings, SettingsBook
from roles.selectors.settings_told import as_told
from roles.settings_words import loosened_words

CHANGES: Final = (Kind.ROLE_SETTINGS_CHANGED, Kind.ROLE_SETTINGS_RESET)


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
        found = list(events.select_related("text").order_by("pk"))
        # Nothing is activated of a retired role, nor at a retired place or below one.
        roles = Role.objects.filter(retired_at=None).in_bulk({one.role_id for one in found if one.role_id})
        standing = Resource.objects.filter(~under_retirement("path"))
        places: dict[Any, Resource] = standing.in_bulk({one.resource_id for one in found if one.resource_id})
        book = SettingsBook(roles)
        for event in found:
            place = places.get(event.resource_id) if event.resource_id else ground.root
            role = roles.get(event.role_id) if event.role_id else None
            if role is None or place is None or not place.path.startswith(ground.root.path):
                continue
            if event.occurred_at <= ground.now - ground.at(place.path).days():
                continue
            still = _still_looser(event, book.of(role, place) if event.resource_id else book.default_of(role))
            if still:
                facts = {"fields": still, "at": event.occurred_at.isoformat()}
                yield Finding(f"event:{event.uuid}", place.pk, place.path, role_id=role.pk, facts=facts)

    def sentence(self, incident: Incident) -> str:
        fields = ", ".join(loosened_words(incident.facts["fields"]))
        when = wording.exact(datetime.fromisoformat(incident.facts["at"]))
        return _("Looser since {when}: {fields}.").format(when=when, fields=fields)


def _still_looser(event: Event, now: EffectiveSettings) -> list[str]:
    """Return what a change loosened and nobody has set back, or made stricter, since: stages and mails as well."""
    text = event.text.fields if hasattr(event, "text") else {}
    # Both are empty where no address was changed, or where the text was erased.
    told = [text.get(name, "") for name in ("addresses_before", "addresses_after")]
    before, after = (
        as_told(now, event.details.get(side, {}), addresses if any(told) else None)
        for side, addresses in zip(("old", "new"), told, strict=True)
    )
    since = loosened(before, now)
    return [name for name in loosened(before, after) if name in since]
