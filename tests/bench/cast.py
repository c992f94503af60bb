"""Those who visit the portal in the bench, with what they do there: the same at every size, built by the services."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pim_portal.models import SetUp
from reviews.models import Verdict
from roles import ids
from roles.models import AssignmentType, Resource, ResourceKind, Role, TotpDevice, User
from tests.bench import organisation
from tests.people import (
    EXCHANGE_ADMINISTRATOR,
    PASSWORD,
    configure,
    give,
    make_eligible,
    person,
    request_activation,
    role,
    unit,
)
from tests.reviewing import chosen, started

WAITING = 60  # requests before the approver: more than one page of a list
ACTS = 50  # how often each act can be measured


@dataclass
class Cast:
    """What the visitors need to know: their names and keys, and the ids of what they act on."""

    password: str
    keys: dict[str, str]
    asking: list[str]  # eligibilities that need approval, of the asker
    people: list[str]  # whom the administrator gives a role
    given: str  # that role
    waiting: list[str]  # requests before the approver
    instance: str  # of a review, and its rows
    verdicts: list[str]
    root: str
    approver: str
    asker: str


def build(now: datetime) -> Cast:
    """Add the organisation, the visitors and what waits for them."""
    SetUp.objects.update_or_create(id=1, defaults={"done_at": now})
    organisation.build()
    names = ("ines", "adam", "petra", "olga", "sven", "rhea", "iris")
    people = {name: person(name) for name in names}
    root = Resource.objects.get(kind=ResourceKind.ROOT)
    give(people["petra"], role(ids.PRIVILEGED_ROLE_ADMINISTRATOR))
    give(people["sven"], role(ids.SECURITY_ADMINISTRATOR))
    give(people["olga"], role(ids.OWNER), root)
    configure(role(EXCHANGE_ADMINISTRATOR), approvers=[people["adam"]])
    units = [unit(f"Unit {number:02}") for number in range(max(ACTS, WAITING))]
    asking = [make_eligible(people["ines"], role(EXCHANGE_ADMINISTRATOR), one, now=now) for one in units[:ACTS]]
    waiting = [
        request_activation(people["iris"], make_eligible(people["iris"], role(EXCHANGE_ADMINISTRATOR), one), now=now)
        for one in units[:WAITING]
    ]
    instance = _review(people["rhea"], now)
    rows = Verdict.objects.filter(instance=instance).order_by("role_key", "principal_key", "pk")
    devices = TotpDevice.objects.filter(user__username__in=("nina.auditor", "p000", *names)).select_related("user")
    crowd = User.objects.filter(username__startswith="p").order_by("username")[1 : ACTS + 1]
    return Cast(
        password=PASSWORD,
        keys={one.user.username: one.key for one in devices},
        asking=[str(one.pk) for one in asking],
        people=[str(one.pk) for one in crowd],
        given=str(Role.objects.get(name="Reports Reader").pk),
        waiting=[str(one.pk) for one in waiting],
        instance=str(instance.pk),
        verdicts=[str(pk) for pk in rows.values_list("pk", flat=True)],
        root=str(root.pk),
        approver=str(people["adam"].pk),
        asker=str(people["ines"].pk),
    )


def _review(reviewer: User, now: datetime) -> Any:
    """Start a review of sixty assignments, all before one reviewer."""
    reviewed = Role.objects.get(name="Message Center Reader")
    for holder in User.objects.filter(username__startswith="p").order_by("username")[:WAITING]:
        give(holder, reviewed, type=AssignmentType.ELIGIBLE, now=now)
    return started(reviewed, stages=[chosen(reviewer)], now=now)
