"""Taking an archive away."""

from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path
from typing import IO

from django.utils.translation import gettext as _

from audit import proofs
from audit.archive_files import file_of
from audit.kinds import Kind
from audit.models import Archive
from audit.proofs import texts_beside
from pim_portal.keeping.selectors import archive_seen_by
from roles.actors import Actor, Clock
from roles.authority import Authority
from roles.catalogue import GRANTS, Permission
from roles.models import Purpose
from roles.refusals import Refused, Violation
from roles.service import record, service
from roles.services import step_ups

README = """\
An archive of the audit history: events that were moved out of the database of the portal.

    {events}    the events, the seals of their batches, and for each the path to the root of its batch
    {texts}    their personal text (names, reasons, tickets, addresses), as far as it was not erased
    verify.py    checks both; it needs Python 3.11 and the package cryptography

    python3 verify.py {events} --key PUBLIC_KEY

SHA-256 of the events, as it is sealed in the history: {sha256}
"""


@service(Kind.ARCHIVE_TAKEN)
def take(archive: Archive, *, folder: Path, actor: Actor, clock: Clock) -> IO[bytes]:
    """Return a zip of an archive, which is recorded before it is read. Raises `Refused`."""
    user = actor.user
    if user is None:
        raise Refused([Violation("not_allowed", _("An archive is taken away by a person."))])
    now = clock()
    authority = Authority(user, now)
    if archive_seen_by(authority, archive.event) is None:
        raise Refused([Violation("not_allowed", _("You may not read what is in this archive."))])
    events = file_of(folder, archive.name)
    if not events.exists():
        sentence = _("The file {file} is not where the portal looks for it: ask who looks after the portal.")
        raise Refused([Violation("not_at_hand", sentence.format(file=events.name))])
    step_ups.spend(actor, Purpose.EXPORT, archive.event, now=now)
    held = next(one for one in authority.held if one.role_id in GRANTS[Permission.SEE_AUDIT].roles)
    details = {"archive": archive.number, "file": events.name}
    record(Kind.ARCHIVE_TAKEN, actor=actor, at=now, authority_id=held.assignment_id, details=details)
    return _zipped(archive, events)


def _zipped(archive: Archive, events: Path) -> IO[bytes]:
    texts = texts_beside(events)
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        made.write(events, events.name)
        if texts.exists():
            made.write(texts, texts.name)
        made.writestr("verify.py", Path(proofs.__file__).read_bytes())
        made.writestr("README.txt", README.format(events=events.name, texts=texts.name, sha256=archive.sha256))
    file.seek(0)
    return file
