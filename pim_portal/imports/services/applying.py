"""Applying a file that its sender has confirmed: in a process of its own, in one transaction, all or nothing.

It may take longer than a task of the worker may: the task only starts the process. The row of the file is locked while
its lines are made, and that lock is the lease: it cannot be had twice, and a process that is killed loses it together
with all that it has done. The sweep takes up what nobody holds any more. What is applied is looked at once more under
the locks, with the authority that its sender has then.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _
from django_q.tasks import async_task

from audit.kinds import Kind
from pim_portal.imports.outcomes import Fate, Outcome
from pim_portal.imports.progress import Progress
from pim_portal.imports.reading import lines_of, unreadable
from pim_portal.imports.services.assignments import apply_lines
from pim_portal.imports.services.orders import sender_of
from pim_portal.imports.services.things import SHEETS, bring_in
from pim_portal.imports.services.uploads import APPLY, CHECK
from pim_portal.imports.storing import Stored, digest_of, opened
from pim_portal.models import Upload, UploadStatus
from pim_portal.operations.processes import start_alone
from roles.actors import Actor, Clock
from roles.refusals import Busy, Refused
from roles.service import service

CONFIRMED_FOR: Final = timedelta(hours=1)  # how late applying may begin
MOST_ATTEMPTS: Final = 3
STARTS_WITHIN: Final = timedelta(minutes=2)  # what has no process by then has lost it
COMMAND: Final = "apply_import"

Told = Callable[[Outcome], None]


def start(upload_id: uuid.UUID) -> None:
    """Start the process that applies this file, if it still waits for that. It outlives the worker."""
    if Upload.objects.filter(pk=upload_id, status=UploadStatus.CONFIRMED).exists():
        start_alone([COMMAND, str(upload_id)])


def apply(upload_id: uuid.UUID, *, clock: Clock) -> None:
    """Apply what was confirmed, or write down why not. Running it again, or twice at once, does nothing more."""
    upload = _begin(upload_id, clock=clock)
    if upload is None:
        return
    try:
        with Progress(upload) as progress:
            _apply(upload, progress, actor=sender_of(upload), clock=clock)
    except Busy:
        raise  # it is taken up again
    except Refused as refused:
        with transaction.atomic():
            _set_aside(upload, refused.sentence, clock)


def take_up_again(*, clock: Clock, limit: int) -> int:
    """Have files applied whose process never came or was killed, and give up on some; return how many there were."""
    now = clock()
    last = now - STARTS_WITHIN
    _try_again(now, last, limit=limit)
    waiting = Upload.objects.filter(status=UploadStatus.CONFIRMED)
    lost = waiting.filter(Q(begun_at__lt=last) | Q(begun_at=None, confirmed_at__lt=last)).order_by("confirmed_at", "pk")
    taken = 0
    for pk in list(lost.values_list("pk", flat=True)[:limit]):
        with transaction.atomic():
            upload = _unheld(pk).first()
            if upload is None:
                continue  # it is being applied
            taken += 1
            if not _given_up(upload, clock):
                Upload.objects.filter(pk=pk).update(begun_at=now)
                async_task(APPLY, str(pk), save=False)
    return taken


def _try_again(now: datetime, last: datetime, *, limit: int) -> None:
    """Have files tried anew whose process never came or was killed, and give up on some; see `trying`."""
    waiting = Upload.objects.filter(status=UploadStatus.CHECKING, kind__in=SHEETS)
    lost = waiting.filter(Q(begun_at__lt=last) | Q(begun_at=None, made_at__lt=last)).order_by("made_at", "pk")
    for pk in list(lost.values_list("pk", flat=True)[:limit]):
        with transaction.atomic():
            mine = waiting.filter(pk=pk).select_for_update(skip_locked=True)
            for upload in mine:
                if upload.attempts >= MOST_ATTEMPTS:
                    why = _("Looking at it did not come to an end. Split the file, or ask the operator.")
                    mine.update(status=UploadStatus.FAILED, problem=why, done_at=now)
                else:
                    mine.update(begun_at=now, attempts=F("attempts") + 1)
                    async_task(CHECK, str(pk), save=False)


def _unheld(pk: uuid.UUID) -> QuerySet[Upload]:
    """Return the file with its row locked, unless it is done or another process applies it."""
    waiting = Upload.objects.filter(pk=pk, status=UploadStatus.CONFIRMED)
    return waiting.select_related("uploader", "place").select_for_update(of=("self",), skip_locked=True)


def _begin(pk: uuid.UUID, *, clock: Clock) -> Upload | None:
    """Count an attempt, in a transaction of its own: one that is killed has counted, too."""
    with transaction.atomic():
        upload = _unheld(pk).first()
        if upload is None or _given_up(upload, clock):
            return None
        upload.attempts += 1
        upload.begun_at = clock()
        upload.save(update_fields=["attempts", "begun_at"])
        return upload


def _given_up(upload: Upload, clock: Clock) -> bool:
    if upload.attempts >= MOST_ATTEMPTS:
        why = _("Applying it did not come to an end. Split the file, or ask the operator to use the command.")
    elif upload.confirmed_at is None or clock() > upload.confirmed_at + CONFIRMED_FOR:
        why = _("The worker came too late. Send the file again, and confirm it again.")
    else:
        return False
    _set_aside(upload, why, clock)
    return True


@service(Kind.IMPORTED)
def _apply(upload: Upload, progress: Progress, *, actor: Actor, clock: Clock) -> None:
    if not _unheld(upload.pk).exists():
        return  # another process has it
    if digest_of(Stored(upload).parts()) != upload.digest:
        raise unreadable(_("The file is not the one that was confirmed."))
    carry_out = bring_things if upload.kind in SHEETS else give_roles
    counts = carry_out(upload, actor=actor, clock=clock, told=progress.count)
    upload.parts.all().delete()
    Upload.objects.filter(pk=upload.pk).update(
        status=UploadStatus.APPLIED, done_at=clock(), counts={str(fate): counts[fate] for fate in counts}
    )


def give_roles(upload: Upload, *, actor: Actor, clock: Clock, told: Told) -> Counter[Fate]:
    """Make the assignments that a file asks for."""
    return apply_lines(
        lambda: lines_of(opened(upload)),
        reason=upload.reason,
        actor=actor,
        clock=clock,
        second_factor=lambda own_code: True,  # given when it was confirmed
        batch=upload.pk,
        within=upload.place,
        told=told,
    )


def bring_things(upload: Upload, *, actor: Actor, clock: Clock, told: Told) -> Counter[Fate]:
    """Bring in the people, the groups or the resources of a file."""
    return bring_in(
        SHEETS[upload.kind],
        opened(upload),
        reason=upload.reason,
        actor=actor,
        clock=clock,
        within=upload.place,
        batch=upload.pk,
        invite=upload.invite,
        told=told,
    )


def _set_aside(upload: Upload, why: str, clock: Clock) -> None:
    upload.parts.all().delete()
    Upload.objects.filter(pk=upload.pk, status=UploadStatus.CONFIRMED).update(
        status=UploadStatus.FAILED, problem=why, done_at=clock()
    )
