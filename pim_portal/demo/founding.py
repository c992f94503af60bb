"""What an operator put in before the first administrator began: people, places, groups, settings."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from audit.kinds import Kind
from pim_portal.demo.habits import make_role
from pim_portal.demo.sample import SamplePerson, SampleSettings
from pim_portal.demo.timeline import MINUTE, OPERATOR, at
from roles.actors import Clock
from roles.ids import GROUP_MEMBER, GROUP_OWNER
from roles.models import AssignmentType, ResourceKind, TotpDevice
from roles.selectors.settings import Stage
from roles.service import record
from roles.services.assignments import assign
from roles.services.groups import add_group
from roles.services.principals import add_person
from roles.services.resources import add_resource
from roles.services.settings import change_settings

if TYPE_CHECKING:
    from pim_portal.demo.loader import Loader

DEVICE = "Sample phone"


def found(loader: Loader) -> None:
    """Put everything in, a minute apart."""
    clocks = (at(loader.founded + minute * MINUTE) for minute in itertools.count())
    for person in loader.sample.people:
        _add_person(loader, person, next(clocks))
    for name, _description in loader.sample.administrative_units:
        loader.places[f"directory/{name}"] = add_resource(
            ResourceKind.ADMINISTRATIVE_UNIT,
            name=name,
            parent=loader.places["directory"],
            actor=OPERATOR,
            clock=next(clocks),
        )
    for node in loader.sample.resources:
        loader.places[node.path] = add_resource(
            ResourceKind(node.kind),
            name=node.name,
            parent=loader.places[node.parent] if node.parent else None,
            type=node.type,
            actor=OPERATOR,
            clock=next(clocks),
        )
    for group in loader.sample.groups:
        made = add_group(group.name, description=group.description, actor=OPERATOR, clock=next(clocks))
        loader.groups[group.name] = made
        for role_id, usernames in ((GROUP_OWNER, group.owners), (GROUP_MEMBER, group.members)):
            for username in usernames:
                assign(
                    loader.users[username].pk,
                    role=loader.roles["group", "Owner" if role_id == GROUP_OWNER else "Member"],
                    resource=made.resource,
                    type=AssignmentType.ACTIVE,
                    reason="Moved from the old directory",
                    actor=OPERATOR,
                    clock=next(clocks),
                )
    for row in loader.sample.custom_roles:
        make_role(loader, row, OPERATOR, next(clocks))
    for settings in loader.sample.settings:
        _set(loader, settings, next(clocks))


def _add_person(loader: Loader, person: SamplePerson, clock: Clock) -> None:
    user = add_person(
        username=person.username,
        name=person.name,
        email=person.email,
        job_title=person.job_title,
        department=person.department,
        manager=loader.users[person.manager] if person.manager else None,
        time_zone=person.time_zone,
        actor=OPERATOR,
        clock=clock,
    )
    user.password = loader.password
    user.save(update_fields=["password"])
    device = TotpDevice.objects.create(user=user, name=DEVICE, confirmed=True, created_at=clock())
    record(Kind.FACTOR_ADDED, actor=OPERATOR, at=clock(), target=user, details={"name": DEVICE})
    loader.users[person.username], loader.devices[person.username] = user, device


def _set(loader: Loader, settings: SampleSettings, clock: Clock) -> None:
    stages = tuple(
        Stage(number, stage["quorum"], frozenset(loader.principal(**one).pk for one in stage["approvers"]))
        for number, stage in enumerate((settings.approval or {}).get("stages", ()), start=1)
    )
    change_settings(
        loader.roles[settings.kind, settings.role],
        resource=loader.places[settings.resource] if settings.resource else None,
        values=settings.values,
        stages=stages,
        actor=OPERATOR,
        clock=clock,
    )
