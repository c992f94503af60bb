"""Files that come in through a page: taken, looked at by the worker, confirmed, thrown away. Applied: `applying`.

The worker looks at a file in parts, each a short transaction.
"""

from __future__ import annotations

import time
import uuid
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import IO, Final

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _
from django_q.tasks import async_task

from audit.kinds import Kind
from audit.recording import Ids
from pim_portal.imports.limits import most_lines
from pim_portal.imports.outcomes import Fate, Outcome
from pim_portal.imports.progress import forget
from pim_portal.imports.reading import NEEDED, Line, lines_of, unreadable
from pim_portal.imports.services.assignments import CHUNK, Checker
from pim_portal.imports.services.orders import purpose_of
from pim_portal.imports.services.things import SHEETS
from pim_portal.imports.storing import PART, digest_of, opened, store
from pim_portal.models import FileKind, Upload, UploadLine, UploadProgress, UploadStatus
from pim_portal.operations.processes import start_alone
from roles import assignment_files as names
from roles.actors import Actor, Clock
from roles.authority import Authority
from roles.catalogue import Permission
from roles.models import Resource
from roles.models.principals import search_key
from roles.refusals import About, Refused, Violation
from roles.service import service
from roles.services import step_ups
from roles.services.locks import lock_principal
from roles.text import MAX_REASON, clean, is_visible

MOST_BYTES: Final = 20 * 1024 * 1024
MOST_WAITING: Final = 5  # files of one person
KEPT: Final = timedelta(days=1)
CHECK: Final = "pim_portal.tasks.check_upload"
APPLY: Final = "pim_portal.tasks.apply_upload"
TRY: Final = "try_import"  # a command


def receive(
    file: IO[bytes],
    *,
    name: str,
    place: Resource,
    kind: FileKind = FileKind.ASSIGNMENTS,
    actor: Actor,
    clock: Clock,
) -> Upload:
    """Keep a file for the worker to look at. Changes nothing else. Raises `Unreadable`, and `Refused`."""
    count = _counted(file, kind)
    if not count:
        raise unreadable(_("This file has a heading and no lines."))
    assert actor.user is not None  # noqa: S101 - a page always has somebody
    with transaction.atomic():
        lock_principal(actor.user.pk)  # so that none of several sent at once is one too many
        if Upload.objects.filter(uploader=actor.user, done_at=None).count() >= MOST_WAITING:
            sentence = _("You have {most} files here already. Throw one away first.")
            raise Refused([Violation("too_many", sentence.format(most=MOST_WAITING), "file")])
        upload = Upload.objects.create(
            uploader=actor.user,
            place=place,
            kind=kind,
            name=clean(name)[:200] or _("File"),
            digest=digest_of(_parts(file)),
            lines=count,
            made_at=clock(),
            address=actor.address,
        )
        UploadProgress.objects.create(upload=upload)
        store(upload, _parts(file))
        async_task(CHECK, str(upload.pk), save=False)
    return upload


def _counted(file: IO[bytes], kind: FileKind) -> int:
    """Return how many lines a file has. Raises `Unreadable`, also where they are too many."""
    sheet, most = SHEETS.get(kind), most_lines(kind)
    count = weight = 0
    for line in lines_of(file, needed=sheet.needed if sheet else NEEDED):
        count += 1
        weight += sheet.weight(line) if sheet else 1
        if weight > most:
            sentence = _("This file has more than {most} lines. Split it, or ask the operator to use the command.")
            if kind == FileKind.GROUPS:
                sentence = _("This file has more than {most} groups and people in them. Split it, or ask the operator.")
            raise unreadable(sentence.format(most=f"{most:,}"))
    return count


def _parts(file: IO[bytes]) -> Iterator[bytes]:
    file.seek(0)
    while part := file.read(PART):
        yield part


def check(upload_id: uuid.UUID, *, clock: Clock, seconds: float = 10) -> None:
    """Look at the lines of assignments, a part at a time, for about `seconds`; the rest follows in the next task."""
    deadline = time.monotonic() + seconds
    upload = Upload.objects.select_related("uploader", "place").filter(pk=upload_id).first()
    if upload is None or upload.status != UploadStatus.CHECKING:
        return
    if upload.kind in SHEETS:
        start_alone([TRY, str(upload_id)])
        return
    checker = Checker(
        actor=Actor(user=upload.uploader, address=upload.address),
        now=clock(),
        reason=_("Not given yet"),
        within=upload.place,
    )
    made = UploadLine.objects.filter(upload=upload, fate=Fate.MADE, key__isnull=False)
    checker.seen.update(key for key in made.values_list("key", flat=True) if key is not None)
    lines = islice(lines_of(opened(upload)), upload.checked, None)
    while part := list(islice(lines, CHUNK)):
        if not _note(upload, checker.check(part)):
            return
        if time.monotonic() >= deadline:
            async_task(CHECK, str(upload.pk), save=False)
            return
    Upload.objects.filter(pk=upload.pk, status=UploadStatus.CHECKING, checked=upload.lines).update(
        status=UploadStatus.CHECKED
    )


def _note(upload: Upload, outcomes: list[Outcome]) -> bool:
    """Write down what becomes of a part of the lines, unless another worker did or the file is gone."""
    with transaction.atomic():
        mine = Upload.objects.select_for_update().filter(
            pk=upload.pk, status=UploadStatus.CHECKING, checked=upload.checked
        )
        row = mine.first()
        if row is None:
            return False
        counts = Counter(row.counts) + Counter(str(one.fate) for one in outcomes)
        UploadLine.objects.bulk_create(_line(upload, one) for one in outcomes)
        upload.checked += len(outcomes)
        Upload.objects.filter(pk=upload.pk).update(checked=upload.checked, counts=dict(counts))
    return True


def _line(upload: Upload, one: Outcome) -> UploadLine:
    about = about_of(one.line)
    return UploadLine(
        upload=upload,
        number=one.line.number,
        fate=one.fate,
        sentence=one.sentence,
        about=about,
        about_key=search_key(about)[:1000],
        key=one.wanted.key if one.wanted and one.fate is Fate.MADE else None,
    )


def about_of(line: Line) -> str:
    """Say what a line is about, in its own words: those of the file, never those of the portal."""
    who = line[names.NAME] or line[names.HOLDER]
    return in_words(who, line[names.ROLE], line[names.STATE], line[names.SCOPE])


def in_words(*cells: str) -> str:
    """Return some cells of a line as one text."""
    return clean(" · ".join(cell for cell in cells if cell)).replace("\x00", "")[:1000]


@service(Kind.IMPORTED)
def confirm(upload_id: uuid.UUID, *, reason: str, invite: bool = False, actor: Actor, clock: Clock) -> Upload:
    """Say that what was looked at is to be applied; the worker does it. Raises `Refused`.

    The step-up is spent here, and covers this file and nothing else; the worker must begin within an hour.
    """
    upload = Upload.objects.select_for_update(of=("self",)).select_related("place").get(pk=upload_id)
    now = clock()
    user = actor.user
    about = About(Ids(resource=upload.place_id), upload.place.realm, {"resource": upload.place.name})
    violations = []
    if user is None or user.pk != upload.uploader_id or not _may(actor, upload.place, now):
        violations.append(Violation("not_allowed", _("You may not import here.")))
    if not upload.can_be_confirmed:
        sentence = _("Only a file without a wrong line, which makes something, can be applied.")
        violations.append(Violation("not_checked", sentence))
    if not is_visible(reason) or len(clean(reason)) > MAX_REASON:
        sentence = _("Say why, in at most {limit} characters.").format(limit=MAX_REASON)
        violations.append(Violation("reason_missing", sentence, "reason"))
    # Its own code, as some of the roles may ask for, and an import may give thousands.
    purpose = purpose_of(upload)
    if not step_ups.serves(actor, purpose, upload.pk, now=now, own_code=True):
        violations.append(step_ups.needed())
    if violations:
        raise Refused(violations, about=about)
    step_ups.spend(actor, purpose, upload.pk, now=now)
    upload.status, upload.confirmed_at, upload.reason = UploadStatus.CONFIRMED, now, clean(reason)
    upload.invite = invite and upload.kind == FileKind.PEOPLE
    upload.begun_at, upload.attempts = None, 0
    upload.address = actor.address
    upload.save()
    async_task(APPLY, str(upload.pk), save=False)
    return upload


def _may(actor: Actor, place: Resource, now: datetime) -> bool:
    if actor.user is None:
        return False
    authority = Authority(actor.user, now)
    return authority.allows(Permission.DEFINE, place) and authority.allows(Permission.ASSIGN, place)


def discard(upload: Upload) -> None:
    """Throw a file away, unless it is being applied: then it waits for that."""
    with transaction.atomic():
        locked = Upload.objects.select_for_update().filter(pk=upload.pk).exclude(status=UploadStatus.CONFIRMED)
        for row in locked:
            row.delete()


def prune_uploads(*, clock: Clock, limit: int) -> int:
    """Remove files that are a day old; return how many there were."""
    before = clock() - KEPT
    confirmed = Q(status=UploadStatus.CONFIRMED)
    rows = Upload.objects.filter(Q(made_at__lt=before) & ~confirmed | Q(confirmed_at__lt=before))
    removed = 0
    for pk in list(rows.order_by("pk").values_list("pk", flat=True)[:limit]):
        with transaction.atomic():
            # Not what somebody confirms at this very moment.
            for upload in rows.filter(pk=pk).select_for_update(skip_locked=True):
                upload.delete()
                forget(pk)
                removed += 1
    return removed
