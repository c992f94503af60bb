"""The dry run of a file of people, groups or resources: all of it is done and taken back, in a process of its own.

What the lines would do is kept on disk until that is over, and written down afterwards.
"""

from __future__ import annotations

import json
import tempfile
import uuid
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import IO, Final

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from audit.kinds import Kind
from pim_portal.imports.outcomes import Fate, Outcome
from pim_portal.imports.progress import Progress
from pim_portal.imports.services.orders import sender_of
from pim_portal.imports.services.things import SHEETS, bring_in
from pim_portal.imports.services.uploads import in_words
from pim_portal.imports.storing import opened
from pim_portal.models import Upload, UploadLine, UploadStatus
from roles.actors import Actor, Clock
from roles.models.principals import search_key
from roles.refusals import Busy, Refused
from roles.service import service

CHUNK: Final = 500  # lines of the report that are written at once


def try_out(upload_id: uuid.UUID, *, clock: Clock) -> None:
    """Say what each line would do. Running it again, or twice at once, does nothing more."""
    upload = Upload.objects.select_related("uploader", "place").filter(pk=upload_id).first()
    if upload is None or upload.kind not in SHEETS:
        return
    with tempfile.TemporaryFile("w+", encoding="utf-8") as report:
        try:
            counts = _try(upload, report, actor=sender_of(upload), clock=clock)
        except Busy:
            raise  # it is tried again
        except Refused as refused:
            _fail(upload, refused.sentence, clock)
        else:
            if counts is not None:
                _write_down(upload, report, counts)


@service(Kind.IMPORTED)
def _try(upload: Upload, report: IO[str], *, actor: Actor, clock: Clock) -> Counter[Fate] | None:
    mine = _waiting(upload).select_for_update(of=("self",), skip_locked=True)
    if not mine.exists():
        return None  # another process has it, or had it
    with Progress(upload) as progress:

        def told(one: Outcome) -> None:
            progress.count()
            about = in_words(*(one.line[column] for column in SHEETS[upload.kind].about))
            report.write(json.dumps([one.line.number, str(one.fate), one.sentence, about]) + "\n")

        return bring_in(
            SHEETS[upload.kind],
            opened(upload),
            reason=_("Not given yet"),
            actor=actor,
            clock=clock,
            within=upload.place,
            dry=True,
            told=told,
        )


def _waiting(upload: Upload) -> QuerySet[Upload]:
    return Upload.objects.filter(pk=upload.pk, status=UploadStatus.CHECKING)


def _write_down(upload: Upload, report: IO[str], counts: Counter[Fate]) -> None:
    report.seek(0)
    lines = _lines(upload, report)
    with transaction.atomic():
        if not _waiting(upload).select_for_update().exists():
            return
        while part := list(islice(lines, CHUNK)):
            UploadLine.objects.bulk_create(part)
        written = {str(fate): count for fate, count in counts.items()}
        _waiting(upload).update(status=UploadStatus.CHECKED, checked=upload.lines, counts=written)


def _lines(upload: Upload, report: IO[str]) -> Iterator[UploadLine]:
    for row in report:
        number, fate, sentence, about = json.loads(row)
        yield UploadLine(
            upload=upload,
            number=number,
            fate=fate,
            sentence=sentence,
            about=about,
            about_key=search_key(about)[:1000],
        )


def _fail(upload: Upload, why: str, clock: Clock) -> None:
    _waiting(upload).update(status=UploadStatus.FAILED, problem=why, done_at=clock())
