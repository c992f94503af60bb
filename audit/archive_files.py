"""The files of an archive: written beside, synced, renamed, read again and verified before any event leaves.

The events stand in one file that never changes, whose SHA-256 is sealed; their personal text in a second one, from
which it can be erased: it proves itself against the commitments in the events.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Any, Final

from audit.exporting import entries
from audit.models import Leaf
from audit.proofs import ARCHIVE, TEXTS, texts_beside
from audit.services.sealing import stated

PREFIX: Final = "pim-audit-"
SUFFIX: Final = ".jsonl"
_WRITING: Final = ".writing-"
LEFT_BEHIND: Final = timedelta(days=1)  # after which a half-written file is cleared away


def file_of(folder: Path, name: str) -> Path:
    return folder / f"{name}{SUFFIX}"


def sha256_of(file: Path) -> str:
    with open(file, "rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def write(folder: Path, leaves: Iterable[Leaf], about: dict[str, Any]) -> str:
    """Write both files of an archive and return its name; they are on the disk by then, whatever happens next.

    The leaves come in their order, with batch, event and text. The name says what is in it, to the byte.
    """
    folder.mkdir(mode=0o750, parents=True, exist_ok=True)
    with _beside(folder) as (events, events_path), _beside(folder) as (texts, texts_path):
        numbers = _write_lines(events, texts, leaves, about)
        for file in (events, texts):
            file.flush()
            os.fsync(file.fileno())
        name = f"{PREFIX}{numbers[0]}-{numbers[1]}-{sha256_of(events_path)[:16]}"
        # The texts first: a file of events is never there without them.
        texts_path.replace(texts_beside(file_of(folder, name)))
        events_path.replace(file_of(folder, name))
    sync_folder(folder)
    return name


def _write_lines(events: IO[bytes], texts: IO[bytes], leaves: Iterable[Leaf], about: dict[str, Any]) -> tuple[int, int]:
    _line(events, {"format": 1, "type": ARCHIVE, **about})
    first = last = batch = 0
    for leaf, one in entries(leaves):
        if leaf.batch_id != batch:
            batch = leaf.batch_id
            _line(events, {"seal": stated(leaf.batch)})
        if one["text"]:
            _line(texts, {name: one[name] for name in ("leaf", "text", "salts")})
        _line(events, {name: one[name] for name in ("leaf", "batch", "event", "path")})
        first, last = first or leaf.number, leaf.number
    return first, last


def _line(file: IO[bytes], value: dict[str, Any]) -> None:
    file.write(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")


@contextmanager
def _beside(folder: Path) -> Iterator[tuple[IO[bytes], Path]]:
    descriptor, name = tempfile.mkstemp(dir=folder, prefix=_WRITING)
    try:
        with open(descriptor, "wb") as file:
            os.fchmod(file.fileno(), 0o640)
            yield file, Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk, too."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def entry_in(folder: Path, name: str, leaf: int) -> dict[str, Any] | None:
    """Return a leaf of an archive with the seal of its batch and its text, as a proof has them; none where it is not.

    Raises ValueError, OSError where the file cannot be read.
    """
    wanted, seal = b'{"leaf":%d,' % leaf, b"{}"
    with open(file_of(folder, name), "rb") as lines:
        for line in lines:
            if line.startswith(b'{"seal":'):
                seal = line
            elif line.startswith(wanted):
                text = _text_in(texts_beside(file_of(folder, name)), wanted)
                return {**json.loads(line), "text": {}, "salts": {}, **json.loads(seal), **text}
    return None


def _text_in(file: Path, wanted: bytes) -> dict[str, Any]:
    if not file.exists():
        return {}
    with open(file, "rb") as lines:
        return next((dict(json.loads(line)) for line in lines if line.startswith(wanted)), {})


def leaves_with_text(folder: Path, name: str) -> set[int]:
    """Return the leaves of an archive whose personal text is there."""
    file = texts_beside(file_of(folder, name))
    if not file.exists():
        return set()
    with open(file, encoding="utf-8") as lines:
        return {json.loads(line)["leaf"] for line in lines}


def erase_texts(folder: Path, name: str, leaves: Collection[int]) -> None:
    """Write the file of texts anew without those of these leaves, for good."""
    file = texts_beside(file_of(folder, name))
    if not file.exists() or not leaves:
        return
    with _beside(folder) as (new, path):
        with open(file, "rb") as lines:
            new.writelines(line for line in lines if json.loads(line)["leaf"] not in leaves)
        new.flush()
        os.fsync(new.fileno())
        path.replace(file)
    sync_folder(folder)


def clear_away(folder: Path, *, now: datetime) -> int:
    """Remove what a process that was killed left half written, a day ago; a finished file is never removed."""
    before = (now - LEFT_BEHIND).timestamp()
    lost = [one for one in folder.glob(f"{_WRITING}*") if one.stat().st_mtime < before]
    for one in lost:
        one.unlink(missing_ok=True)
    return len(lost)


def strays(folder: Path, known: Collection[str]) -> list[str]:
    """Return the files of archives that no row names: a run broke off, or the database is an older one."""
    names = {file.name.removesuffix(TEXTS).removesuffix(SUFFIX) for file in folder.glob(f"{PREFIX}*{SUFFIX}")}
    return sorted(names - set(known))
