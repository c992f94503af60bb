"""A zip that is written while it is sent: nothing of it stays in memory or on disk."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

File = tuple[str, Iterable[bytes]]


class _Outlet(io.RawIOBase):
    """What the zip is written into: it cannot go back, and is emptied again and again."""

    def __init__(self) -> None:
        self._waiting: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._waiting.append(bytes(data))
        return len(data)

    def taken(self) -> bytes:
        taken = b"".join(self._waiting)
        self._waiting.clear()
        return taken


def zipped(files: Iterable[File], *, at: datetime, large: bool = True) -> Iterator[bytes]:
    """Yield a zip of these files, each read part by part when its turn comes.

    A file may have any size: the zip says so beforehand (ZIP64), as it is not known yet. Where it is not to be `large`
    it must stay below 2 GiB, or RuntimeError is raised: for spreadsheets, some of which take a zip of 64 bits for a
    broken one.
    """
    outlet = _Outlet()
    with zipfile.ZipFile(outlet, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, parts in files:
            about = zipfile.ZipInfo(name, date_time=at.timetuple()[:6])
            about.compress_type = zipfile.ZIP_DEFLATED
            about.external_attr = 0o644 << 16
            size = 0
            with archive.open(about, "w", force_zip64=large) as entry:
                for part in parts:
                    size += len(part)
                    if not large and size > zipfile.ZIP64_LIMIT:  # not every release of Python 3.11 looks itself
                        raise RuntimeError(f"{name} is too large for a zip of 32 bits.")
                    entry.write(part)
                    if ready := outlet.taken():
                        yield ready
    yield outlet.taken()
