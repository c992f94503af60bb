"""Web hooks that have failed for long: the history does not reach those who watch over it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from pim_portal.alerts.definitions.base import DIRECTORY, AlertKind, Finding, Ground, Setting
from pim_portal.models import Incident, Severity, WebHook
from roles import wording


class HookFails(AlertKind):
    key = "web_hook_fails"
    name = gettext_lazy("A web hook fails")
    worlds = DIRECTORY
    portal_wide = True
    severity = Severity.MEDIUM
    impact = gettext_lazy(
        "What happens does not reach whoever watches over it. Nothing is lost: it waits, and old events stay for it."
    )
    to_fix = gettext_lazy(
        "Look at its page for what the target answers, and send a test. Delete it if it is not needed."
    )
    to_prevent = gettext_lazy("Watch the target, and answer only after the events are stored.")
    settings = (Setting("hours", gettext_lazy("Failing for"), 1, 720, 4, gettext_lazy("hours")),)

    def description(self, count: int) -> str:
        sentence = ngettext(
            "{count} web hook has taken nothing for longer than set.",
            "{count} web hooks have taken nothing for longer than set.",
            count,
        )
        return sentence.format(count=count)

    def find(self, ground: Ground) -> Iterator[Finding]:
        limit = ground.now - timedelta(hours=ground.at(ground.root.path)["hours"])
        failing = WebHook.objects.filter(paused_at=None, failing_since__lte=limit).order_by("name", "pk")
        for hook in failing:
            facts = {"hook": hook.name, "since": hook.failing_since.isoformat()} if hook.failing_since else {}
            yield Finding(f"hook:{hook.pk}", ground.root.pk, ground.root.path, facts=facts)

    def sentence(self, incident: Incident) -> str:
        since = wording.exact(datetime.fromisoformat(incident.facts["since"]))
        return _("{hook} has taken nothing since {moment}.").format(hook=incident.facts["hook"], moment=since)
