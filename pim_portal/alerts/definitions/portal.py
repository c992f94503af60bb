"""The portal itself: its worker, its mail, the seals and anchors of its history."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from pim_portal.alerts.definitions.base import DIRECTORY, AlertKind, Finding, Ground, Setting
from pim_portal.models import Incident, Severity
from pim_portal.operations.vitals import is_late, measure
from roles import wording


class _OfThePortal(AlertKind):
    worlds = DIRECTORY
    portal_wide = True
    severity = Severity.HIGH

    def about(self, what: str, ground: Ground, **facts: object) -> Finding:
        return Finding(what, ground.root.pk, ground.root.path, facts=facts)


def _minutes(default: int) -> tuple[Setting, ...]:
    return (Setting("minutes", gettext_lazy("Behind by more than"), 2, 1440, default, gettext_lazy("minutes")),)


class WorkerLate(_OfThePortal):
    key = "worker_late"
    name = gettext_lazy("The worker does not keep up")
    impact = gettext_lazy(
        "Access ends by the clock without it. But nothing is told, sealed, reminded of or written down while it stands "
        "still."
    )
    to_fix = gettext_lazy(
        "Look at the log of the worker and start it again. Start a second one if it has too much to do."
    )
    to_prevent = gettext_lazy("Have the service manager restart it, and a monitor ask /healthz/worker.")
    settings = (
        *_minutes(5),
        Setting("queue", gettext_lazy("Or more than"), 10, 10000, 500, gettext_lazy("tasks waiting")),
    )

    def description(self, count: int) -> str:
        return _("The worker does not keep up with its work.")

    def find(self, ground: Ground) -> Iterator[Finding]:
        values, figures = ground.at(ground.root.path), measure(ground.now)
        # Where it never ran, nobody has started one yet: the set-up says so.
        if figures.last_beat and is_late(figures.silent_for, after=timedelta(minutes=values["minutes"])):
            yield self.about("late", ground, last=figures.last_beat.isoformat())
        if figures.queued > values["queue"]:
            yield self.about("queue", ground, waiting=figures.queued)

    def sentence(self, incident: Incident) -> str:
        if "waiting" in incident.facts:
            return _("{count} tasks wait for the worker.").format(count=incident.facts["waiting"])
        last = datetime.fromisoformat(incident.facts["last"])
        return _("It was last seen at work on {moment}.").format(moment=wording.exact(last))


class MailLate(_OfThePortal):
    key = "mail_late"
    name = gettext_lazy("Mails do not leave")
    impact = gettext_lazy("Approvers do not hear of requests, and people do not hear of what was done in their name.")
    to_fix = gettext_lazy("Look at the page of mails for what the mail server answered; then send them again.")
    to_prevent = gettext_lazy("Let the mail server accept mail from the portal, and watch it.")
    settings = _minutes(15)

    def description(self, count: int) -> str:
        return _("Mails wait for longer than set, or were set aside.")

    def find(self, ground: Ground) -> Iterator[Finding]:
        figures = measure(ground.now)
        if figures.mail_late_for > timedelta(minutes=ground.at(ground.root.path)["minutes"]):
            yield self.about("waiting", ground, waiting=figures.mails_waiting)
        if figures.mails_failed:
            yield self.about("failed", ground, failed=figures.mails_failed)

    def sentence(self, incident: Incident) -> str:
        if "failed" in incident.facts:
            count = incident.facts["failed"]
            return ngettext("{count} mail was set aside.", "{count} mails were set aside.", count).format(count=count)
        count = incident.facts["waiting"]
        return ngettext("{count} mail waits.", "{count} mails wait.", count).format(count=count)


class NotSealed(_OfThePortal):
    key = "history_not_sealed"
    name = gettext_lazy("The audit history is not sealed")
    impact = gettext_lazy("What is not sealed can be changed by whoever gets at the database, and nobody would notice.")
    to_fix = gettext_lazy("Look at the log of the worker: the key may be missing, or the worker may stand still.")
    to_prevent = gettext_lazy("Keep the audit key where the worker can read it, with a copy elsewhere.")
    settings = _minutes(10)

    def description(self, count: int) -> str:
        return _("Events of the audit history wait to be sealed for longer than set.")

    def find(self, ground: Ground) -> Iterator[Finding]:
        figures = measure(ground.now)
        late = figures.unsealed_for > timedelta(minutes=ground.at(ground.root.path)["minutes"])
        if late and figures.oldest_unsealed:
            yield self.about("not_sealed", ground, since=figures.oldest_unsealed.isoformat())

    def sentence(self, incident: Incident) -> str:
        since = wording.exact(datetime.fromisoformat(incident.facts["since"]))
        return _("Nothing has been sealed since {moment}.").format(moment=since)


class NotAnchored(_OfThePortal):
    key = "history_not_anchored"
    name = gettext_lazy("The audit history is not anchored")
    severity = Severity.MEDIUM
    impact = gettext_lazy(
        "Without a proof outside the portal, somebody who has the database and the key could write the history anew."
    )
    to_fix = gettext_lazy("Look at what the anchor answered, in the log of the worker and on the page of verification.")
    to_prevent = gettext_lazy(
        "Name an anchor on another machine, and let somebody hold a role that gets the daily mail."
    )
    settings = (Setting("hours", gettext_lazy("Not anchored for"), 1, 720, 48, gettext_lazy("hours")),)

    def description(self, count: int) -> str:
        return _("The sealed history is kept nowhere outside the portal, or not lately.")

    def find(self, ground: Ground) -> Iterator[Finding]:
        figures, hours = measure(ground.now), timedelta(hours=ground.at(ground.root.path)["hours"])
        for one in figures.anchors:
            if one.error:
                yield self.about(f"anchor:{one.name}"[:120], ground, anchor=one.name, error=one.error)
        since = figures.unanchored_since
        if since is not None and ground.now - since > hours:
            yield self.about("not_anchored", ground, since=since.isoformat())

    def sentence(self, incident: Incident) -> str:
        if "anchor" in incident.facts:
            return _("The anchor {anchor} could not keep the tip: {error}").format(**incident.facts)
        since = wording.exact(datetime.fromisoformat(incident.facts["since"]))
        return _("Nobody outside has been told a tip since {moment}.").format(moment=since)
