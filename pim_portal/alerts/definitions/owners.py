"""Too many owners, and too many permanent owners, assigned to a resource."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from pim_portal.alerts.definitions.base import RESOURCES, AlertKind, Finding, Fix, Ground, Setting, Text
from pim_portal.alerts.definitions.holders import people_behind
from pim_portal.models import Incident, Severity
from roles.ids import OWNER
from roles.models import Assignment, AssignmentType, Resource
from roles.models.resources import way_of

People = dict[str, set[uuid.UUID]]  # by the tree path where they hold something


@dataclass(frozen=True, slots=True)
class _Own:
    """An assignment of Owner, at the place where it was given."""

    pk: uuid.UUID
    principal: uuid.UUID
    resource: uuid.UUID
    path: str
    permanent: bool


@dataclass(slots=True)
class _Holders:
    """Who holds roles in a tree, by the place where they were given them."""

    everybody: People = field(default_factory=dict)
    owners: People = field(default_factory=dict)
    permanent: People = field(default_factory=dict)
    own: list[_Own] = field(default_factory=list)

    @classmethod
    def read(cls, root: Resource, now: datetime) -> _Holders:
        """Read them with three queries."""
        rows = Assignment.objects.in_effect(now).filter(
            activated_from=None, elevated_from=None, resource__path__startswith=root.path
        )
        columns = ("pk", "principal", "role", "resource", "resource__path", "type", "ends_at")
        found = list(rows.order_by("pk").values_list(*columns))
        people = people_behind({row[1] for row in found}, now)
        holders = cls()
        for pk, principal, role, resource, path, type, ends_at in found:
            holders.everybody.setdefault(path, set()).update(people[principal])
            if role == OWNER:
                permanent = type == AssignmentType.ACTIVE and ends_at is None
                holders.own.append(_Own(pk, principal, resource, path, permanent))
                holders.owners.setdefault(path, set()).update(people[principal])
                if permanent:
                    holders.permanent.setdefault(path, set()).update(people[principal])
        return holders


def reaching(path: str, people: People) -> int:
    """Count who holds something at a place of this tree path or above it."""
    return len({person for one in way_of(path) for person in people.get(one, ())})


def _thresholds(count: int, counted: Text, percent: int, of_whom: Text) -> tuple[Setting, ...]:
    """Both must be exceeded: so many of them, and so large a share."""
    both = gettext_lazy("Both must be exceeded. People are counted, those who inherit it and those in groups as well.")
    return (
        Setting("count", gettext_lazy("More than"), 2, 100, count, counted),
        Setting("percent", gettext_lazy("And more than"), 0, 100, percent, of_whom, both),
    )


class _Owners(AlertKind):
    severity = Severity.MEDIUM
    worlds = RESOURCES

    def find(self, ground: Ground) -> Iterator[Finding]:
        holders = _Holders.read(ground.root, ground.now)
        counted, whole, own = self.of(holders)
        places: dict[str, tuple[int, int]] = {}
        for one in own:
            if one.path not in places:
                places[one.path] = (reaching(one.path, counted), reaching(one.path, whole))
            count, of = places[one.path]
            values = ground.at(one.path)
            if count > values["count"] and count * 100 > values["percent"] * of:
                facts = {"count": count, "of": of}
                key = f"assignment:{one.pk}"
                yield Finding(key, one.resource, one.path, one.principal, OWNER, one.pk, facts)

    def of(self, holders: _Holders) -> tuple[People, People, Iterable[_Own]]:
        """Return who is counted, of whom they are a share, and the assignments that the incidents are about."""
        raise NotImplementedError


class TooManyOwners(_Owners):
    key = "too_many_owners"
    name = gettext_lazy("Too many owners of a resource")
    impact = gettext_lazy(
        "An owner can do everything with a resource and give it to others. Each more of them is one more account by "
        "which it can be lost."
    )
    to_fix = gettext_lazy("Remove Owner from whoever does not need it, and give them a role that allows less.")
    to_prevent = gettext_lazy("Make people Contributor or Reader, and Owner only who has to give roles to others.")
    settings = _thresholds(2, gettext_lazy("owners"), 3, gettext_lazy("% of all who hold roles there"))
    fix = Fix.REMOVE

    def description(self, count: int) -> str:
        sentence = ngettext(
            "{count} assignment of Owner stands where there are too many owners.",
            "{count} assignments of Owner stand where there are too many owners.",
            count,
        )
        return sentence.format(count=count)

    def of(self, holders: _Holders) -> tuple[People, People, Iterable[_Own]]:
        return holders.owners, holders.everybody, holders.own

    def sentence(self, incident: Incident) -> str:
        sentence = _("One of {count} owners, of {of} people who hold roles here.")
        return sentence.format(**incident.facts)


class TooManyPermanentOwners(_Owners):
    key = "too_many_permanent_owners"
    name = gettext_lazy("Too many permanent owners of a resource")
    impact = gettext_lazy(
        "Permanent owners can do everything at every hour, whether they work or not. Whoever takes over one of their "
        "accounts can as well, at once and without anybody being told."
    )
    to_fix = gettext_lazy("Make them eligible: they activate the role when they need it, with a second factor.")
    to_prevent = gettext_lazy("Forbid permanent active assignment in the settings of Owner.")
    settings = _thresholds(10, gettext_lazy("permanent owners"), 10, gettext_lazy("% of all owners there"))
    fix = Fix.MAKE_ELIGIBLE

    def description(self, count: int) -> str:
        sentence = ngettext(
            "{count} permanent assignment of Owner stands where there are too many of them.",
            "{count} permanent assignments of Owner stand where there are too many of them.",
            count,
        )
        return sentence.format(count=count)

    def of(self, holders: _Holders) -> tuple[People, People, Iterable[_Own]]:
        return holders.permanent, holders.owners, (one for one in holders.own if one.permanent)

    def sentence(self, incident: Incident) -> str:
        sentence = _("One of {count} permanent owners, of {of} owners in all.")
        return sentence.format(**incident.facts)
