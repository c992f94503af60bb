"""A file in parts of the database, read as a stream."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable
from typing import IO, Any, Final

from pim_portal.models import Upload, UploadPart

PART: Final = 256 * 1024  # bytes


def store(upload: Upload, parts: Iterable[bytes]) -> None:
    """Keep these parts of a file."""
    for number, data in enumerate(parts):
        UploadPart.objects.create(upload=upload, number=number, data=data)


def digest_of(parts: Iterable[bytes]) -> str:
    """Return the SHA-256 of a file, in hex."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()


class Stored(io.RawIOBase):
    """The parts of an upload as one file, of which one part at a time is in memory."""

    def __init__(self, upload: Upload) -> None:
        self._parts = UploadPart.objects.filter(upload=upload)
        self._next, self._rest = 0, b""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go back to the beginning, and nowhere else."""
        if (offset, whence) != (0, io.SEEK_SET):
            raise io.UnsupportedOperation("Only from its beginning.")
        self._next, self._rest = 0, b""
        return 0

    def readinto(self, buffer: Any) -> int:
        if not self._rest:
            self._rest = self._part(self._next)
            self._next += 1
        taken = self._rest[: len(buffer)]
        buffer[: len(taken)] = taken
        self._rest = self._rest[len(taken) :]
        return len(taken)

    def parts(self) -> Iterable[bytes]:
        """Yield the parts from the first on."""
        number = 0
        while part := self._part(number):
            yield part
            number += 1

    def _part(self, number: int) -> bytes:
        found = self._parts.filter(number=number).values_list("data", flat=True).first()
        return bytes(found) if found is not None else b""


def opened(upload: Upload) -> IO[bytes]:
    """Open a stored file to read it."""
    return io.BufferedReader(Stored(upload))
