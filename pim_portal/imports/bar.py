"""The progress bar of an import on the command line: on a terminal, beside what is said of the lines."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import IO, Final, TextIO

from pim_portal.imports.reading import lines_of

WIDTH: Final = 30  # characters
EVERY: Final = 0.2  # seconds


class Bar:
    """Counts lines and draws how many of all are done; draws nothing where nobody looks."""

    def __init__(self, file: IO[bytes], *, needed: Sequence[str], stream: TextIO) -> None:
        self._stream, self._done, self._drawn_at = stream, 0, 0.0
        self._all = sum(1 for _line in lines_of(file, needed=needed)) if stream.isatty() else 0

    def count(self) -> None:
        """Count one line."""
        self._done += 1
        if self._all and (self._done >= self._all or time.monotonic() - self._drawn_at >= EVERY):
            self._drawn_at = time.monotonic()
            full = WIDTH * self._done // self._all
            bar = "#" * full + "." * (WIDTH - full)
            self._stream.write(f"\r[{bar}] {self._done:,} of {self._all:,} lines")
            self._stream.flush()

    def clear(self) -> None:
        """Make room for a sentence, or for what comes after."""
        if self._all:
            self._stream.write("\r" + " " * (WIDTH + 40) + "\r")
            self._stream.flush()
