"""The sample organisation as it stands in its file: plain values, with times relative to today."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

FILE = Path(__file__).resolve().parent / "data" / "organisation.json"
WEEK = timedelta(days=7)

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class SamplePerson:
    username: str
    name: str
    email: str
    job_title: str
    department: str
    manager: str | None
    time_zone: str
    enabled: bool
    disabled_days: float | None = None


@dataclass(frozen=True, slots=True)
class SampleGroup:
    name: str
    description: str
    members: list[str]
    owners: list[str]


@dataclass(frozen=True, slots=True)
class SampleNode:
    """A resource; `parent` is the path of the node above, empty for a root."""

    parent: str
    name: str
    kind: str
    type: str

    @property
    def path(self) -> str:
        return f"{self.parent}/{self.name}" if self.parent else self.name


@dataclass(frozen=True, slots=True)
class SampleSettings:
    role: str
    kind: str
    resource: str | None
    max_minutes: int
    second_factor: str
    reason_required: bool
    ticket_required: bool
    approval: dict[str, Any] | None
    permanent_eligible: bool
    expire_eligible_days: int
    permanent_active: bool
    expire_active_days: int
    emergency_minutes: int | None = None  # how long it may be active without approval; None: not at all

    @property
    def values(self) -> dict[str, Any]:
        """The fields of `RoleSettings`."""
        some: dict[str, Any] = {}
        if self.approval:
            some["approval_window"] = timedelta(hours=self.approval["window_hours"])
        if self.emergency_minutes is not None:
            longest = timedelta(minutes=self.emergency_minutes)
            some |= {"break_glass_allowed": True, "break_glass_max": longest}
        return some | {
            "max_activation": timedelta(minutes=self.max_minutes),
            "second_factor": self.second_factor,
            "reason_required": self.reason_required,
            "ticket_required": self.ticket_required,
            "approval_required": self.approval is not None,
            "permanent_eligible_allowed": self.permanent_eligible,
            "expire_eligible_after": timedelta(days=self.expire_eligible_days),
            "permanent_active_allowed": self.permanent_active,
            "expire_active_after": timedelta(days=self.expire_active_days),
        }


@dataclass(frozen=True, slots=True)
class SampleAssignment:
    """An assignment; its days count from today. `by` None: given by the operator, as the first of its kind is."""

    role: str
    at: str
    type: str
    starts_days: float
    ends_days: float | None
    state: str
    by: str | None
    given_days: float
    reason: str
    who: str = ""
    group: str = ""
    ended_days: float | None = None
    end_reason: str = ""


@dataclass(frozen=True, slots=True)
class SampleDecision:
    by: str
    verdict: str
    after_minutes: float
    justification: str


@dataclass(frozen=True, slots=True)
class SampleRequest:
    """Something that was asked, and what became of it. Minutes count from when it was asked.

    Asked `minutes_ago`, or at `time` (UTC) on the latest `weekday` (Monday is 0) that leaves room for all that
    followed, and so many weeks before.
    """

    who: str
    role: str
    at: str
    minutes: float
    reason: str
    ticket: str
    decisions: list[SampleDecision]
    outcome: str = ""
    minutes_ago: float | None = None
    weeks_ago: int = 0
    weekday: int = 0
    time: str = ""
    closed_after_minutes: float = 0
    deactivated_after_minutes: float | None = None
    wanted_start_hours: float | None = None
    emergency: bool = False  # activated without waiting for approval; nobody has reviewed it

    @property
    def slot(self) -> tuple[str, str, str]:
        """Of what one person has one request or activation at a time."""
        return self.who, self.role, self.at

    def asked_at(self, now: datetime, *, over_by: datetime | None = None) -> datetime:
        """Return when this was asked, seen from `now`; what is told by the day of the week was over by then."""
        if self.minutes_ago is not None:
            return now - timedelta(minutes=self.minutes_ago)
        hour, minute = map(int, self.time.split(":"))
        asked = now.replace(hour=hour, minute=minute, second=0, microsecond=0)
        asked -= timedelta(days=(asked.weekday() - self.weekday) % 7)
        lasted = timedelta(minutes=self.closed_after_minutes + (self.minutes if self.outcome == "granted" else 0))
        while asked + lasted > (over_by or now):
            asked -= WEEK
        return asked - self.weeks_ago * WEEK


def asked(requests: Sequence[SampleRequest], now: datetime) -> Iterator[tuple[SampleRequest, datetime]]:
    """Yield when each of these was asked. What was asked so many minutes ago meets nothing of the week in its slot."""
    first: dict[tuple[str, str, str], datetime] = {}
    for one in requests:
        if one.minutes_ago is not None:
            first[one.slot] = min(first.get(one.slot, now), one.asked_at(now))
    yield from ((one, one.asked_at(now, over_by=first.get(one.slot))) for one in requests)


@dataclass(frozen=True, slots=True)
class SampleRenewal:
    """Something that somebody asked to keep for so many days more, `minutes_ago`: it runs, or has ended lately."""

    who: str
    role: str
    at: str
    days: float
    minutes_ago: float
    reason: str


@dataclass(frozen=True, slots=True)
class SampleDeputy:
    """Somebody who decides in place of an approver, named `minutes_ago` for so many days."""

    approver: str
    deputy: str
    minutes_ago: float
    days: float
    reason: str


@dataclass(frozen=True, slots=True)
class SampleDutyRule:
    """Roles that are kept apart since so many days ago."""

    name: str
    description: str
    reach: str
    roles: list[str]
    at: str
    by: str
    made_days: float
    reason: str


@dataclass(frozen=True, slots=True)
class SampleCustomRole:
    """A role that the organisation made itself, and what it allows."""

    name: str
    at: str
    description: str
    category: str
    privileged: bool
    permissions: list[str]


@dataclass(frozen=True, slots=True)
class SampleProfile:
    """Roles that somebody keeps to activate them together; each is a role and where it is held."""

    who: str
    name: str
    roles: list[dict[str, str]]
    minutes: float
    reason: str
    made_days: float
    pinned: bool


@dataclass(frozen=True, slots=True)
class SampleSettingsChange:
    """A change of settings by an administrator; one that `waits` needs a second one to agree."""

    by: str
    role: str
    at: str
    values: dict[str, Any]
    made_days: float
    waits: bool = False


class SampleOrganisation:
    """The whole file, room by room."""

    def __init__(self, file: Path = FILE) -> None:
        self._data: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))

    @cached_property
    def people(self) -> list[SamplePerson]:
        """Everybody, managers before those who report to them."""
        by_name = {row["username"]: SamplePerson(**row) for row in self._data["people"]}
        ordered: dict[str, SamplePerson] = {}

        def add(person: SamplePerson) -> None:
            if person.manager and person.manager not in ordered:
                add(by_name[person.manager])
            ordered.setdefault(person.username, person)

        for person in by_name.values():
            add(person)
        return list(ordered.values())

    @property
    def groups(self) -> list[SampleGroup]:
        return _rows(SampleGroup, self._data["groups"])

    @property
    def administrative_units(self) -> list[tuple[str, str]]:
        """Name and description."""
        return [(row["name"], row["description"]) for row in self._data["administrative_units"]]

    @property
    def resources(self) -> list[SampleNode]:
        """Every node of the resource trees, parents first."""
        return [node for root in self._data["resource_roots"] for node in _nodes(root, "")]

    @property
    def settings(self) -> list[SampleSettings]:
        return _rows(SampleSettings, self._data["settings"])

    @property
    def assignments(self) -> list[SampleAssignment]:
        return _rows(SampleAssignment, self._data["assignments"])

    @property
    def custom_roles(self) -> list[SampleCustomRole]:
        return _rows(SampleCustomRole, self._data["custom_roles"])

    @property
    def profiles(self) -> list[SampleProfile]:
        return _rows(SampleProfile, self._data["profiles"])

    @property
    def settings_changes(self) -> list[SampleSettingsChange]:
        return _rows(SampleSettingsChange, self._data["settings_changes"])

    @property
    def duty_rules(self) -> list[SampleDutyRule]:
        """Rules of separation of duties."""
        return _rows(SampleDutyRule, self._data["duty_rules"])

    @property
    def renewals(self) -> list[SampleRenewal]:
        """Extensions and renewals that wait."""
        return _rows(SampleRenewal, self._data["renewals"])

    @property
    def deputies(self) -> list[SampleDeputy]:
        return _rows(SampleDeputy, self._data["deputies"])

    @property
    def requests(self) -> list[SampleRequest]:
        """What is over, what runs, what waits."""
        rows = [row for room in ("history", "running", "waiting") for row in self._data[room]]
        return [SampleRequest(**{**row, "decisions": _rows(SampleDecision, row["decisions"])}) for row in rows]


def _rows(shape: type[Row], rows: list[dict[str, Any]]) -> list[Row]:
    known = {field.name for field in fields(shape)}  # type: ignore[arg-type]
    if unknown := {name for row in rows for name in row} - known:
        raise ValueError(f"{FILE.name} has {', '.join(sorted(unknown))}, which {shape.__name__} does not know.")
    return [shape(**row) for row in rows]


def _nodes(node: dict[str, Any], parent: str) -> Iterator[SampleNode]:
    made = SampleNode(parent, node["name"], node["kind"], node.get("type", ""))
    yield made
    for child in node.get("children", []):
        yield from _nodes(child, made.path)
