"""What is done to the history beside writing it: verifying, erasing personal text on request, a new key."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django_q.tasks import async_task

from audit import archive_files, keys, verifying
from audit.archive_files import file_of
from audit.findings import Finding
from audit.kinds import Kind, Outcome
from audit.models import Archive, Event, EventText, Verification
from audit.recording import Ids
from audit.selectors import archived_of
from pim_portal.activity.selectors.sight import readable
from roles.actors import Actor, Clock
from roles.authority import Authority
from roles.catalogue import Permission
from roles.models import Purpose, User
from roles.refusals import About, Refused, Violation
from roles.service import record, service
from roles.services import step_ups
from roles.text import MAX_REASON, clean, is_visible

VERIFY: Final = "pim_portal.tasks.verify"
CHUNK_SECONDS: Final = 8.0  # no task runs longer than 20 s, whatever the last batch takes
STANDS_STILL: Final = timedelta(minutes=2)
ERASED_AT_ONCE: Final = 500  # events that one event of erasing names


# Verifying


@service(Kind.HISTORY_VERIFIED)
def start_verification(*, tips: Iterable[verifying.Tip] = (), actor: Actor, clock: Clock) -> Verification:
    """Begin to verify the whole history; one that runs already is answered instead. Raises `Refused`.

    It changes nothing but its own progress, so that an auditor may.
    """
    now = clock()
    if actor.user is not None and not Authority(actor.user, now).allows(Permission.SEE_AUDIT):
        sentence = _("Only who may read the audit history of the directory can verify it.")
        raise Refused([Violation("not_allowed", sentence)])
    running = Verification.objects.filter(finished_at=None).first()
    if running is not None:
        if running.moved_at < now - STANDS_STILL:
            _go_on(running)
        return running
    progress = verifying.begin(tips)
    try:
        with transaction.atomic():
            made = Verification.objects.create(
                started_at=now, moved_at=now, started_by=actor.id, total=progress.total, progress=progress.as_json()
            )
    except IntegrityError:  # somebody began one at this very moment
        return Verification.objects.get(finished_at=None)
    _go_on(made)
    return made


def go_on_verifying(
    pk: uuid.UUID, *, key_file: Path, archives: Path, clock: Clock, seconds: float = CHUNK_SECONDS
) -> None:
    """Verify on for some seconds; a task that follows does the rest. No transaction is open meanwhile.

    Where two workers are at it, the one that writes first goes on and the other's work is for nothing.
    """
    row = Verification.objects.filter(pk=pk, finished_at=None).first()
    if row is None:
        return
    progress = verifying.Progress.from_json(row.progress)
    try:
        trusted = keys.trusted(key_file)
    except keys.KeyUnusable as error:
        progress.finding, progress.done = Finding("no_key", str(error)), True
    else:
        verifying.advance(progress, trusted, now=clock(), archives=archives, seconds=seconds)
    with transaction.atomic():
        now = clock()
        mine = Verification.objects.filter(pk=pk, moved_at=row.moved_at, finished_at=None)
        values = {"progress": progress.as_json(), "checked": progress.leaves, "moved_at": now}
        if progress.done:
            values |= {"finished_at": now, "finding": progress.as_json()["finding"]}
        if not mine.update(**values):
            return
        if progress.done:
            _record_result(row, progress, now)
        else:
            _go_on(row)


def _go_on(row: Verification) -> None:
    async_task(VERIFY, str(row.pk), save=False)


def _record_result(row: Verification, progress: verifying.Progress, now: datetime) -> None:
    starter = User.objects.filter(pk=row.started_by).first() if row.started_by else None
    details: dict[str, object] = {"batches": progress.batch, "leaves": progress.leaves}
    if progress.finding:
        details["finding"] = progress.finding.code
    record(
        Kind.HISTORY_VERIFIED,
        actor=Actor(user=starter) if starter else Actor.portal(),
        at=now,
        outcome=Outcome.FAILED if progress.finding else Outcome.DONE,
        details=details,
    )


# Erasing


@service(Kind.TEXT_ERASED)
def erase_texts(events: Sequence[uuid.UUID], *, reason: str, actor: Actor, clock: Clock) -> int:
    """Erase the personal text of these events; return of how many it was not erased before. Raises `Refused`.

    Names, reasons, tickets and addresses go for good; what happened stays, and the seals still verify. Who does it
    looks after the portal and may read these events; it is an event itself, which names them.
    """
    reason = clean(reason)
    about = About(text={"reason": reason[:MAX_REASON]})
    if not is_visible(reason) or len(reason) > MAX_REASON:
        sentence = _("Say why, in at most {limit} characters.").format(limit=MAX_REASON)
        raise Refused([Violation("reason_missing", sentence, "reason")], about=about)
    now = clock()
    found = Event.objects.filter(uuid__in=events)
    authority_id = None
    if actor.user is not None:
        authority = Authority(actor.user, now)
        held = authority.by(Permission.OPERATE)
        found = readable(authority).filter(uuid__in=events)
        if held is None:
            sentence = _("Only who looks after the portal can erase personal text.")
            raise Refused([Violation("not_allowed", sentence)], about=about)
        if found.count() != len(set(events)):
            raise Refused([Violation("not_found", _("There is no such event."))], about=about)
        authority_id = held.assignment_id
        for one in events:
            step_ups.spend(actor, Purpose.PEOPLE, one, now=now)
    texts = EventText.objects.filter(event__in=found.values("pk"), erased_at=None)
    names = [str(name) for name in texts.order_by("pk").values_list("event__uuid", flat=True)]
    rows = list(texts.values_list("pk", flat=True))
    for first in range(0, len(rows), ERASED_AT_ONCE):
        part = EventText.objects.filter(pk__in=rows[first : first + ERASED_AT_ONCE], erased_at=None)
        if part.update(fields={}, salts={}, search="", erased_at=now) != len(rows[first : first + ERASED_AT_ONCE]):
            # It went into an archive at this very moment, and is to be erased there.
            raise Refused([Violation("busy", _("These events are being moved just now. Try again."))], about=about)
        told = names[first : first + ERASED_AT_ONCE]
        record(
            Kind.TEXT_ERASED,
            actor=actor,
            at=now,
            authority_id=authority_id,
            details={"events": told, "count": len(told)},
            reason=reason,
        )
    return len(rows)


def erase_texts_of(person: uuid.UUID, *, reason: str, actor: Actor, clock: Clock, archives: Path) -> int:
    """Erase the text of all that somebody did or that was done to them; return of how many. For the operator.

    In the archives in that folder as well; see `archives_away` for those that are not there.
    """
    if actor.user is not None:
        sentence = _("Everything about somebody is erased from the server’s shell only.")
        raise Refused([Violation("not_allowed", sentence)], about=About(ids=Ids(target=person)))
    erased, before = 0, -1
    while erased != before:
        before = erased
        waiting = Event.objects.concerning(person).filter(text__erased_at=None).order_by("pk")
        part = list(waiting.values_list("uuid", flat=True)[:ERASED_AT_ONCE])
        erased += erase_texts(part, reason=reason, actor=actor, clock=clock) if part else 0
    return erased + _erase_in_archives(person, reason=clean(reason), actor=actor, clock=clock, folder=archives)


def _erase_in_archives(person: uuid.UUID, *, reason: str, actor: Actor, clock: Clock, folder: Path) -> int:
    """Erase the text of archived events, archive by archive.

    That it is erased is recorded first: broken off in between, it is erased, and recorded, by the next run.
    """
    count = 0
    for archive in Archive.objects.filter(pk__in=archived_of(person).order_by().values("archive")).order_by("number"):
        names = dict(archived_of(person).filter(archive=archive).values_list("leaf", "uuid"))
        leaves = sorted(names.keys() & archive_files.leaves_with_text(folder, archive.name))
        for first in range(0, len(leaves), ERASED_AT_ONCE):
            told = [str(names[leaf]) for leaf in leaves[first : first + ERASED_AT_ONCE]]
            details = {"events": told, "count": len(told), "archive": archive.number}
            with transaction.atomic():
                record(Kind.TEXT_ERASED, actor=actor, at=clock(), details=details, reason=reason)
        archive_files.erase_texts(folder, archive.name, leaves)
        count += len(leaves)
    return count


def archives_away(person: uuid.UUID, *, folder: Path) -> list[str]:
    """Return the archives that hold events of somebody and are not in that folder: nothing was erased there."""
    rows = Archive.objects.filter(pk__in=archived_of(person).order_by().values("archive")).order_by("number")
    files = [file_of(folder, archive.name) for archive in rows]
    return [file.name for file in files if not file.exists()]


# The key


def make_key(file: Path, *, replacing: bool, actor: Actor, clock: Clock) -> keys.SigningKey:
    """Make the key that signs the history, or a new one in its place. Raises FileExistsError, `KeyUnusable`."""
    with transaction.atomic():
        made = keys.make(file, replacing=replacing)
        record(Kind.AUDIT_KEY_MADE, actor=actor, at=clock(), details={"key": made.id})
    return made
