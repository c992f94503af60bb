"""Who acts when a file is tried or applied: its sender, whose second factor was spent on this very file."""

from __future__ import annotations

from typing import Final

from pim_portal.models import FileKind, Upload
from roles.actors import Actor
from roles.models import Purpose

# What the services ask for, that carry out the lines of each kind of file.
ASKED: Final[dict[str, frozenset[str]]] = {
    FileKind.ASSIGNMENTS: frozenset(),  # answered by `apply_lines`
    FileKind.PEOPLE: frozenset({Purpose.PEOPLE}),
    FileKind.GROUPS: frozenset({Purpose.PEOPLE, Purpose.ASSIGN}),
    FileKind.RESOURCES: frozenset({Purpose.ASSIGN}),
}


def purpose_of(upload: Upload) -> Purpose:
    """Return the purpose for which a code is given to confirm this file."""
    return Purpose.PEOPLE if upload.kind == FileKind.PEOPLE else Purpose.ASSIGN


def sender_of(upload: Upload) -> Actor:
    """Return the sender of a file that is tried, and taken back, or that they confirmed with a code of its own."""
    return Actor(user=upload.uploader, address=upload.address, ordered=ASKED[upload.kind])
