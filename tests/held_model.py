"""Who holds what, told a second time: plain values and the rules of DESIGN.md §5, nothing of the product.

One role, which may be held at the directory or at an administrative unit below it. People are names; the group is one
more name.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

GROUP = "team"
DIRECTORY, UNIT = "directory", "unit"


@dataclass(eq=False)
class Row:
    """Something given: a role, the eligibility for it, an activation of one, or membership of the group."""

    what: str  # "eligible", "active", "activation", "member"
    who: str
    place: str
    start: datetime
    end: datetime | None
    made: datetime
    source: Row | None = None
    ended: bool = False

    def planned(self, at: datetime) -> bool:
        """Whether its times allow it; an end is an end to the microsecond."""
        return not self.ended and self.start <= at and (self.end is None or at < self.end)


@dataclass
class Model:
    """All rows, and who is enabled. Time only ever goes on by `pass_to`."""

    now: datetime
    rows: list[Row] = field(default_factory=list)
    disabled: set[str] = field(default_factory=set)

    def of(self, *what: str) -> list[Row]:
        return [row for row in self.rows if row.what in what]

    def member(self, who: str, at: datetime, *, since: datetime | None = None) -> bool:
        """Whether somebody is a member of the group; by a membership that had begun at `since`, where one is given."""
        mine = [row for row in self.of("member") if row.who == who and row.planned(at) and who not in self.disabled]
        return any(since is None or row.start <= since for row in mine)

    def reaches(self, row: Row, who: str, at: datetime, *, since: datetime | None = None) -> bool:
        """Whether what was given to somebody, or to the group, is there for this person."""
        if not row.planned(at) or row.who in self.disabled or who in self.disabled:
            return False
        return row.who == who or (row.who == GROUP and self.member(who, at, since=since))

    def source_lives(self, row: Row, at: datetime) -> bool:
        return row.source is None or self.reaches(row.source, row.who, at, since=row.made)

    def holds(self, who: str, at: datetime) -> list[Row]:
        """By what somebody holds the role: what was given, and activations whose source still lives."""
        given = [row for row in self.of("active") if self.reaches(row, who, at)]
        mine = [row for row in self.of("activation") if row.who == who and who not in self.disabled]
        return given + [row for row in mine if row.planned(at) and self.source_lives(row, at)]

    def may_activate(self, who: str, at: datetime) -> list[Row]:
        return [row for row in self.of("eligible") if self.reaches(row, who, at)]

    def boundaries(self) -> list[datetime]:
        """The moments to come at which something begins or ends by itself."""
        times = {time for row in self.rows if not row.ended for time in (row.start, row.end) if time is not None}
        return sorted(time for time in times if time > self.now)

    def pass_to(self, later: datetime) -> None:
        """Let time pass. What lost its source on the way has ended: it never becomes live again."""
        for time in [*(one for one in self.boundaries() if one <= later), later]:
            self.now = time
            self.settle()

    def settle(self) -> None:
        """End what has passed its end or has lost what it came from."""
        for row in self.rows:
            over = row.end is not None and row.end <= self.now
            lost = row.what == "activation" and not self.source_lives(row, self.now)
            row.ended = row.ended or over or lost

    def end(self, row: Row) -> None:
        """End a row now, with the activations made from it."""
        row.ended = True
        for one in self.of("activation"):
            one.ended = one.ended or one.source is row
        self.settle()

    def move_end(self, row: Row, end: datetime | None) -> None:
        """Give a row another end. An activation never outlives its eligibility, and is not lengthened with it."""
        row.end = end
        for one in self.of("activation"):
            if one.source is row and end is not None and one.end is not None and not one.ended:
                one.end = min(one.end, end)
                one.ended = one.end <= one.start
        self.settle()

    def disable(self, who: str) -> None:
        """End what is active, and what was activated from it; eligibilities and memberships are suspended."""
        self.disabled.add(who)
        for row in self.of("active", "activation"):
            row.ended = row.ended or row.who == who
        self.settle()

    def enable(self, who: str) -> None:
        self.disabled.discard(who)
        self.settle()
