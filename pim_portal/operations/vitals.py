"""How the portal is: its database, clock, worker, queue, mails and seals, each with what it means and what to do.

Told on the page of health, to monitors, and by a banner to administrators. Nothing of it guards anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from django.conf import settings
from django.db import connection
from django.db.models import Count, F, Max, Min, OuterRef, Q, Subquery
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django_q.models import OrmQ

from audit.kinds import Kind
from audit.models import Anchoring, Batch, Event, Pending
from pim_portal.models import Heartbeat, Notification, NotificationState
from pim_portal.notifications.claims import MAILS
from pim_portal.notifications.pruning import KEPT
from roles import wording

# The sweep runs every minute and the worker looks at its schedules twice a minute; the supervisor asks six times.
WORKER_LATE: Final = timedelta(seconds=90)
SKEW: Final = timedelta(seconds=5)  # between the clocks of this process, the database and the worker
SWEEP_LATE: Final = timedelta(minutes=10)  # it comes every minute, and each comes to its end within seconds
MAIL_LATE: Final = timedelta(minutes=15)
SEAL_LATE: Final = timedelta(minutes=5)
ANCHOR_LATE: Final = timedelta(hours=26)  # the auditors are told once a day
QUEUE_LONG: Final = 200  # tasks
SWEEP: Final = "sweep"  # the beat of the job that writes down what is over
MAIL: Final = "mail"  # the anchor that is a daily mail to the auditors


class State(StrEnum):
    """How something is, as a tag shows it."""

    WELL = "good"
    UNWELL = "warn"
    FAILING = "bad"


@dataclass(frozen=True, slots=True)
class Vital:
    """One thing that is well or not. `value` says how it is, `advice` what to do, empty where there is nothing."""

    key: str
    name: str | Promise
    state: State
    value: str
    advice: str = ""

    @property
    def well(self) -> bool:
        return self.state == State.WELL


@dataclass(frozen=True, slots=True)
class Anchored:
    """What one anchor was last told, since when it has not been told of something sealed, and what it answered."""

    name: str
    at: datetime | None
    untold_since: datetime | None
    error: str


@dataclass(frozen=True, slots=True)
class Figures:
    """What is counted, from which everything else is told. Spans are None where there is nothing to measure."""

    now: datetime
    skew: timedelta
    beats: dict[str, datetime]
    read_at: datetime  # when the beats were: later than `now`, if this was long in coming
    queued: int
    mails_waiting: int
    oldest_mail: datetime | None
    untaken_mail: datetime | None  # the oldest that nobody took, which the server would
    mails_failed: int
    unsealed: int
    oldest_unsealed: datetime | None
    sealed: int
    first_sealed_at: datetime | None
    anchors: tuple[Anchored, ...]

    @property
    def last_beat(self) -> datetime | None:
        return max(self.beats.values(), default=None)

    @property
    def silent_for(self) -> timedelta | None:
        return self.now - self.last_beat if self.last_beat else None

    @property
    def mail_late_for(self) -> timedelta:
        """For how long mails have waited because none is taken; one that a full mailbox puts off does not count."""
        return self.now - self.untaken_mail if self.untaken_mail else timedelta(0)

    @property
    def unsealed_for(self) -> timedelta:
        """For how long the oldest event has not been sealed."""
        return self.now - self.oldest_unsealed if self.oldest_unsealed else timedelta(0)

    @property
    def unanchored_since(self) -> datetime | None:
        """Since when something sealed has been told to nobody outside: not to the best of the anchors; None: it was."""
        if not self.anchors:
            return self.first_sealed_at
        untold = [one.untold_since for one in self.anchors]
        return None if None in untold else max(one for one in untold if one)


def beats() -> dict[str, datetime]:
    """Return when the worker last did each of its recurring jobs."""
    return dict(Heartbeat.objects.values_list("name", "beat_at"))


def is_late(silent_for: timedelta | None, *, after: timedelta = WORKER_LATE) -> bool:
    """Return whether a worker that has been silent for so long (None: it never ran) is late."""
    return silent_for is None or silent_for > after


def measure(now: datetime) -> Figures:
    """Count what there is to count, with as many queries however much there is."""
    # A line that a chat channel does not take is no fault of the mail server.
    waits = MAILS & Q(state=NotificationState.WAITING)
    mails = Notification.objects.filter(state__in=[NotificationState.WAITING, NotificationState.FAILED]).aggregate(
        waiting=Count("pk", waits),
        oldest=Min("created_at", filter=waits),
        untried=Min("created_at", filter=waits & Q(attempts=0)),
        failed=Count("pk", Q(state=NotificationState.FAILED)),
    )
    pending = Pending.objects.aggregate(count=Count("pk"), first=Min("event"))
    oldest = Event.objects.filter(pk=pending["first"]).values_list("recorded_at", flat=True).first()
    sealed = Batch.objects.aggregate(leaves=Max(F("first") + F("size") - 1), first=Min("sealed_at"))
    return Figures(
        now=now,
        skew=_skew(),
        beats=beats(),
        read_at=timezone.now(),
        queued=OrmQ.objects.count(),
        mails_waiting=mails["waiting"],
        oldest_mail=mails["oldest"],
        untaken_mail=mails["untried"] if mails["untried"] == mails["oldest"] else _untaken(waits, mails["untried"]),
        mails_failed=mails["failed"],
        unsealed=pending["count"],
        oldest_unsealed=oldest,
        sealed=sealed["leaves"] or 0,
        first_sealed_at=sealed["first"],
        anchors=tuple(_anchored(now)),
    )


def _anchored(now: datetime) -> Iterator[Anchored]:
    untold = Batch.objects.filter(number__gt=OuterRef("batch")).order_by("number").values("sealed_at")[:1]
    for row in Anchoring.objects.annotate(untold_since=Subquery(untold)).order_by("name"):
        yield _mailed(now) if row.name == MAIL else Anchored(row.name, row.anchored_at, row.untold_since, row.error)


def _mailed(now: datetime) -> Anchored:
    """Return what the daily mail has told: one that waits, or that nobody gets, keeps no tip outside the portal."""
    mails = Notification.objects.filter(event=OuterRef("pk"), state=NotificationState.SENT)
    told = Event.objects.filter(kind=Kind.HISTORY_ANCHORED).annotate(
        sent_at=Subquery(mails.order_by("sent_at").values("sent_at")[:1])
    )
    # Of mails that were cleared away since nobody can say more than that they were written.
    told = told.filter(Q(sent_at__isnull=False) | Q(occurred_at__lt=now - KEPT))
    last = told.order_by("-occurred_at", "-pk").values("sent_at", "occurred_at", "details").first()
    later = Batch.objects.filter(number__gt=last["details"]["batch"] if last else 0)
    untold_since = later.order_by("number").values_list("sealed_at", flat=True).first()
    return Anchored(MAIL, (last["sent_at"] or last["occurred_at"]) if last else None, untold_since, "")


def _untaken(waits: Q, untried: datetime | None) -> datetime | None:
    """Return when the oldest mail was written that the server takes as little as any: none written later was sent."""
    sent = Notification.objects.filter(MAILS, state=NotificationState.SENT).order_by("-created_at")
    rows = Notification.objects.filter(waits, attempts__gt=0)
    if newest := sent.values_list("created_at", flat=True).first():
        rows = rows.filter(created_at__gt=newest)
    tried = rows.order_by("created_at").values_list("created_at", flat=True).first()
    return min((one for one in (untried, tried) if one), default=None)


def _skew() -> timedelta:
    """Return by how much the clocks of this process and the database differ, at least.

    The answer lies between two looks at one's own clock: that it took long is no difference. SQLite has this clock.
    """
    if connection.vendor != "postgresql":
        return timedelta(0)
    before = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        told: datetime = cursor.fetchone()[0]
    return max(before - told, told - timezone.now(), timedelta(0))


def vitals(figures: Figures) -> list[Vital]:
    """Say of each thing how it is."""
    running = (_clock(figures), _worker(figures), _sweep(figures), _queue(figures))
    return [*running, _mail(figures), _seals(figures), *_anchors(figures)]


def _clock(figures: Figures) -> Vital:
    looked_at = max(figures.now, figures.read_at)
    ahead = max((beat - looked_at for beat in figures.beats.values()), default=timedelta(0))
    worst = max(figures.skew, ahead)
    if worst <= SKEW:
        return Vital("clock", gettext_lazy("Clock"), State.WELL, _("This process, the database and the worker agree."))
    seconds = round(worst.total_seconds())
    value = ngettext("They differ by {count} second.", "They differ by {count} seconds.", seconds)
    advice = _("An end is an end by the clock: keep every host on network time (NTP).")
    return Vital("clock", gettext_lazy("Clock"), State.FAILING, value.format(count=seconds), advice)


def _worker(figures: Figures) -> Vital:
    name = gettext_lazy("Worker")
    advice = _("Nothing outlives its end, but ends are not written down and mails not sent. See that it runs.")
    silent = figures.silent_for
    if silent is None:
        return Vital("worker", name, State.FAILING, _("It has never run."), advice)
    if is_late(silent):
        value = _("It was last seen {span} ago.").format(span=wording.roughly(silent))
        return Vital("worker", name, State.FAILING, value, advice)
    return Vital("worker", name, State.WELL, _("It is at work."))


def _sweep(figures: Figures) -> Vital:
    """Say whether what is over is written down: what fails each time stands in the log of the worker alone."""
    name = gettext_lazy("Writing down what is over")
    last = figures.beats.get(SWEEP)
    if last is not None and not is_late(figures.now - last, after=SWEEP_LATE):
        return Vital("sweep", name, State.WELL, _("All of it is written down."))
    value = _("It has never come to its end.")
    if last is not None:
        value = _("It has not come to its end for {span}.").format(span=wording.roughly(figures.now - last))
    advice = _("Access ends by the clock all the same. See that the worker runs, and what fails by its log.")
    return Vital("sweep", name, State.UNWELL, value, advice)


def _queue(figures: Figures) -> Vital:
    value = ngettext("{count} task waits.", "{count} tasks wait.", figures.queued).format(count=figures.queued)
    if figures.queued <= QUEUE_LONG:
        return Vital("queue", gettext_lazy("Queue of the worker"), State.WELL, value)
    advice = _("The worker does not keep up: look into its log, or run another one.")
    return Vital("queue", gettext_lazy("Queue of the worker"), State.UNWELL, value, advice)


def _mail(figures: Figures) -> Vital:
    name = gettext_lazy("Mail")
    waiting = ngettext("{count} mail waits", "{count} mails wait", figures.mails_waiting)
    said = [waiting.format(count=figures.mails_waiting)]
    late = figures.mail_late_for > MAIL_LATE
    if late:
        said.append(_("the oldest for {span}").format(span=wording.roughly(figures.mail_late_for)))
    if figures.mails_failed:
        failed = ngettext("{count} was set aside", "{count} were set aside", figures.mails_failed)
        said.append(failed.format(count=figures.mails_failed))
    value = f"{', '.join(said)}."
    if late:
        cause = _("The mail server does not take them.")
        if not settings.PIM_MAILS_LEAVE:
            cause = _("No mail server is named: set PIM_EMAIL_URL.")
        advice = f"{cause} {_('Every decision can be made in the portal meanwhile.')}"
        return Vital("mail", name, State.FAILING, value, advice)
    if figures.mails_failed:
        return Vital("mail", name, State.UNWELL, value, _("Look at the page of mails, and send them again."))
    return Vital("mail", name, State.WELL, value)


def _seals(figures: Figures) -> Vital:
    name = gettext_lazy("Seals of the history")
    if figures.unsealed_for <= SEAL_LATE:
        sealed = ngettext("{count} event is sealed.", "{count} events are sealed.", figures.sealed)
        return Vital("seals", name, State.WELL, sealed.format(count=f"{figures.sealed:,}"))
    span = wording.roughly(figures.unsealed_for)
    value = ngettext(
        "{count} event has not been sealed, for {span}.",
        "{count} events have not been sealed, the first for {span}.",
        figures.unsealed,
    )
    advice = _("See that the worker runs and can read the key of the history.")
    return Vital("seals", name, State.FAILING, value.format(count=f"{figures.unsealed:,}", span=span), advice)


def _anchors(figures: Figures) -> Iterator[Vital]:
    for anchor in figures.anchors:
        mailed = anchor.name == MAIL
        named = _("daily mail to the auditors") if mailed else anchor.name
        name, key = _("Anchor: {name}").format(name=named), f"anchor:{anchor.name}"
        if anchor.error:
            yield Vital(key, name, State.FAILING, _("It does not take the newest seal."), anchor.error)
        elif anchor.untold_since and figures.now - anchor.untold_since > ANCHOR_LATE:
            value = _("It has not been told for {span}.").format(
                span=wording.roughly(figures.now - anchor.untold_since)
            )
            advice = _("See that the worker runs.")
            if mailed:
                advice = _("See that the worker runs, that mails leave, and that somebody holds a role that gets it.")
            yield Vital(key, name, State.UNWELL, value, advice)
        else:
            value = _("Last told on {when}.").format(when=wording.exact(anchor.at)) if anchor.at else _("Nothing yet.")
            yield Vital(key, name, State.WELL, value)


# What administrators are told of on every page: what makes waiting for something futile, or an end wrong.
LOUD: Final = ("clock", "worker", "mail")


def unwell(now: datetime) -> list[Vital]:
    """Return what administrators should know of, wherever they are."""
    return [one for one in vitals(measure(now)) if one.key in LOUD and one.state == State.FAILING]
