"""What an alert is: what it looks for, why it matters, what can be set and how it is answered."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, TypeAlias

from django.db.models import QuerySet

from audit.kinds import Realm
from pim_portal.models import AlertSettings, Incident, Severity
from roles.models import Assignment, Resource

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

Text: TypeAlias = "str | _StrPromise"
DIRECTORY: frozenset[Realm] = frozenset({Realm.DIRECTORY})
RESOURCES: frozenset[Realm] = frozenset({Realm.RESOURCE})
BOTH = DIRECTORY | RESOURCES


class Fix(StrEnum):
    """What can be done about an incident from here, by the ordinary services."""

    REMOVE = "remove"  # the assignment
    MAKE_ELIGIBLE = "make_eligible"  # in place of an active assignment
    SECOND_FACTOR = "second_factor"  # demanded by the role's settings


@dataclass(frozen=True, slots=True)
class Setting:
    """A whole number that can be set, in its unit, with its range."""

    name: str
    label: Text
    least: int
    most: int
    default: int
    unit: Text = ""
    help: Text = ""


@dataclass(frozen=True, slots=True)
class Values:
    """What is set for an alert at a place: where `source` is None nobody has set anything."""

    enabled: bool
    mails: bool
    numbers: Mapping[str, int]
    source: Resource | None = None

    def __getitem__(self, name: str) -> int:
        return self.numbers[name]

    def days(self, name: str = "days") -> timedelta:
        return timedelta(days=self[name])


@dataclass(frozen=True, slots=True)
class Finding:
    """One case that was found: about one object, at a place with this tree path."""

    object_key: str
    resource_id: uuid.UUID
    path: str
    principal_id: uuid.UUID | None = None
    role_id: uuid.UUID | None = None
    assignment_id: uuid.UUID | None = None
    facts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ground:
    """Where and when an alert looks: one tree, and what is set in it."""

    kind: AlertKind
    root: Resource
    now: datetime
    rows: Sequence[AlertSettings] = ()
    only: uuid.UUID | None = None  # look at this assignment alone

    def at(self, path: str) -> Values:
        """Return what is set for a place of this tree path: the nearest there or above; nodes of groups as the root."""
        above = [row for row in self.rows if path.startswith(row.resource.path)]
        nearest = max(above, key=lambda row: len(row.resource.path), default=None)
        if nearest is None and not path.startswith(self.root.path):
            return self.at(self.root.path)
        return self.kind.values(nearest)

    def narrow(self, rows: QuerySet[Assignment]) -> QuerySet[Assignment]:
        """Narrow assignments to those that are looked at."""
        return rows if self.only is None else rows.filter(pk=self.only)

    def every(self) -> Iterator[Values]:
        """Yield what is set anywhere in the tree."""
        yield self.at(self.root.path)
        yield from (self.kind.values(row) for row in self.rows)

    def least(self, name: str) -> int:
        """Return the least that is set anywhere in the tree: with it nothing is overlooked."""
        return min(values[name] for values in self.every())

    def most(self, name: str) -> int:
        return max(values[name] for values in self.every())


class AlertKind:
    """A kind of alert. A subclass says what it looks for."""

    key: ClassVar[str]
    name: ClassVar[Text]
    severity: ClassVar[Severity]
    worlds: ClassVar[frozenset[Realm]] = BOTH
    impact: ClassVar[Text]
    to_fix: ClassVar[Text]
    to_prevent: ClassVar[Text]
    settings: ClassVar[tuple[Setting, ...]] = ()
    fix: ClassVar[Fix | None] = None
    # It concerns the portal as a whole: seen and set at the directory only, and answered by who looks after the portal.
    portal_wide: ClassVar[bool] = False
    # It looks at a tree as a whole: nothing of it is set or seen at a place further down.
    whole: ClassVar[bool] = False
    # A case can be looked at again by itself, before it is fixed; elsewhere it depends on all the others.
    rechecks: ClassVar[bool] = False

    def description(self, count: int) -> str:
        """Say what was found, so many times."""
        raise NotImplementedError

    def find(self, ground: Ground) -> Iterable[Finding]:
        """Yield every case, with a bounded number of queries."""
        raise NotImplementedError

    def sentence(self, incident: Incident) -> str:
        """Say what is wrong in this case."""
        raise NotImplementedError

    def fixable(self, incident: Incident) -> bool:
        """Return whether this case can be fixed from here."""
        return self.fix is not None

    def still_so(self, incident: Incident, ground: Ground) -> bool:
        """Return whether a case is as it was found, looking at this one alone; True where that says nothing."""
        if not self.rechecks:
            return True
        alone = replace(ground, only=incident.assignment_id)
        return any(one.object_key == incident.object_key for one in self.find(alone))

    def values(self, row: AlertSettings | None) -> Values:
        """Return what a row sets; what it does not name, and without a row everything, is as by default."""
        numbers = {one.name: one.default for one in self.settings}
        if row is None:
            return Values(enabled=True, mails=True, numbers=numbers)
        numbers |= {name: value for name, value in row.values.items() if name in numbers}
        return Values(row.enabled, row.mails, numbers, row.resource)

    def stands_at(self, place: Resource) -> bool:
        """Return whether this alert is shown at a place."""
        realm = place.realm
        if realm not in self.worlds:
            return False
        return place.depth == 1 or not (self.whole or self.portal_wide)
