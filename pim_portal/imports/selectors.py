"""What the pages of imports ask: everybody sees their own files and nobody else's."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Final

from django.db.models import QuerySet

from pim_portal.imports.progress import done_of
from pim_portal.models import FileKind, Heartbeat, Upload, UploadLine, UploadStatus
from roles.models import Resource, User

LATE: Final = timedelta(minutes=3)


def uploads_of(user: User, place: Resource) -> QuerySet[Upload]:
    """Return somebody's files for this place, the newest first."""
    return Upload.objects.filter(uploader=user, place=place).order_by("-made_at", "pk")


def upload_of(user: User, place: Resource, pk: uuid.UUID) -> Upload | None:
    """Return one of them, or None where there is none for this person to see."""
    return uploads_of(user, place).select_related("place").filter(pk=pk).first()


def report_on(upload: Upload) -> QuerySet[UploadLine]:
    """Return what would become of each line, in the order of the file."""
    return UploadLine.objects.filter(upload=upload).order_by("number", "pk")


def lines_done(upload: Upload) -> int:
    """Return how many lines the worker is through with, looking at them or applying them; none when it is not at it."""
    if upload.status == UploadStatus.CHECKING and upload.kind == FileKind.ASSIGNMENTS:
        return upload.checked
    return done_of(upload) if upload.running else 0


def worker_is_late(now: datetime) -> bool:
    """Return whether nothing has been done for a while: then what waits goes on waiting."""
    latest = Heartbeat.objects.order_by("-beat_at").first()
    return latest is None or latest.beat_at < now - LATE
