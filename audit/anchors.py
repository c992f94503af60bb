"""Anchors: places outside the database that are told the tip of the history, so that nobody can write it anew.

A tip is the number of the last batch, the leaves up to it, and the hash that the next batch will name. Whoever kept
one can tell later whether the history still leads through it (`verify_audit --anchors`).

`PIM_AUDIT_ANCHORS` names them: `file:/path` for a file that a line is appended to (on another machine's disk, or one
that can only be appended to), or the dotted path of a function that takes a `Tip` and raises when it could not keep
it; if it has an attribute `tips`, a function, that answers the tips it kept as text.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from django.utils.module_loading import import_string

from audit.models import Anchoring, Batch
from audit.proofs import link, tip_line, tips_in
from audit.recording import Clock
from audit.services.sealing import stated

logger = logging.getLogger(__name__)


class Tip(NamedTuple):
    """Where the sealed history ends."""

    batch: int
    leaves: int
    hash: str
    sealed_at: datetime

    @property
    def line(self) -> str:
        return tip_line(self.batch, self.leaves, self.hash)


@dataclass(frozen=True, slots=True)
class Anchor:
    """A place that keeps tips: `keep` raises when it could not, `kept` answers all of them as text."""

    name: str
    keep: Callable[[Tip], object]
    kept: Callable[[], str]


class Unreadable(Exception):  # noqa: N818 - what is the matter
    """An anchor does not say which tips it kept; the text names it, and why."""


def named(names: Iterable[str]) -> list[Anchor]:
    """Return the anchors of these names. That there is no such function is told by whatever is done with it."""
    return [_file(Path(name.removeprefix("file:"))) if name.startswith("file:") else _function(name) for name in names]


def _file(path: Path) -> Anchor:
    def keep(tip: Tip) -> None:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        with open(descriptor, "a") as file:
            file.write(f"{tip.line} {tip.sealed_at.isoformat()}\n")
            file.flush()
            os.fsync(file.fileno())

    return Anchor(f"file:{path}", keep, lambda: path.read_text(errors="replace") if path.exists() else "")


def _function(name: str) -> Anchor:
    """Return an anchor that is looked for when it is needed: one that is gone keeps nothing from being sealed."""

    def kept() -> str:
        answer: Callable[[], str] = getattr(import_string(name), "tips", lambda: "")
        return answer()

    return Anchor(name, lambda tip: import_string(name)(tip), kept)


def tip() -> Tip | None:
    """Return where the sealed history ends; none where nothing is sealed yet."""
    last = Batch.objects.order_by("-number").first()
    return tip_of(last) if last else None


def tip_of(batch: Batch) -> Tip:
    """Return the tip that the history had after this batch."""
    return Tip(batch.number, batch.first + batch.size - 1, link(stated(batch)), batch.sealed_at)


def anchor(here: Tip, anchors: Sequence[Anchor], *, clock: Clock) -> list[Exception]:
    """Tell each anchor this tip, unless it has it; return what went wrong. It is tried again with the next sealing."""
    errors: list[Exception] = []
    for one in anchors:
        row, _made = Anchoring.objects.get_or_create(name=one.name)
        if row.batch >= here.batch and not row.error:
            continue
        try:
            one.keep(here)
        except Exception as error:
            logger.exception("The anchor %s could not keep the tip of the audit history.", one.name)
            row.error = str(error)[:500] or type(error).__name__
            errors.append(error)
        else:
            row.batch, row.anchored_at, row.error = here.batch, clock(), ""
        row.save()
    return errors


def tips_of(anchors: Iterable[Anchor]) -> list[tuple[int, int, str]]:
    """Return every tip that these anchors kept. Raises `Unreadable`: what cannot be read is not passed over."""
    tips: list[tuple[int, int, str]] = []
    for one in anchors:
        try:
            tips += tips_in(one.kept())
        except Exception as error:
            logger.exception("The anchor %s does not say which tips it kept.", one.name)
            raise Unreadable(f"{one.name} ({error})") from error
    return tips
