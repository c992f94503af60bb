"""What a verification finds, and what every part of it must know of erased text."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from audit.canonical import canonical_moment
from audit.kinds import Kind, Outcome
from audit.models import Event


@dataclass(frozen=True, slots=True)
class Finding:
    """The first wrong thing: a stable code, a sentence, and where it is."""

    code: str
    sentence: str
    batch: int | None = None
    leaf: int | None = None
    event: str | None = None


class Wrong(Exception):  # noqa: N818 - a finding, not an error
    """Carries a finding up to where the verification ends."""

    def __init__(self, code: str, sentence: str, **where: Any) -> None:
        super().__init__(sentence)
        self.finding = Finding(code, sentence, **where)

    @classmethod
    def of(cls, finding: Finding) -> Wrong:
        """Return what carries a finding that was made elsewhere."""
        return cls(**asdict(finding))


class Erasures:
    """The events whose text was erased, by their own account: every erasing is an event itself."""

    def __init__(self) -> None:
        self._read()

    def __contains__(self, event: str) -> bool:
        if event not in self._told:
            self._read()  # one may have come while the verification ran
        return event in self._told

    def at(self, event: str, moment: str) -> bool:
        """Return whether the text of an event was erased at this very moment, in the canonical form."""
        return event in self and moment in self._told[event]

    def _read(self) -> None:
        rows = Event.objects.filter(kind=Kind.TEXT_ERASED, outcome=Outcome.DONE)
        self._told: dict[str, set[str]] = {}
        for at, details in rows.values_list("occurred_at", "details"):
            for one in details.get("events", []):
                self._told.setdefault(one, set()).add(canonical_moment(at))
