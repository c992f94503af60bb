"""The people, places and roles that a large history is about; built through the services, or those that are there."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils import timezone

from audit.kinds import Kind, Realm
from audit.models import Event
from pim_portal.activity.selectors.sight import in_sight
from roles import ids
from roles.authority import Authority
from roles.models import Resource, ResourceKind, Role, RoleKind, User
from roles.services.resources import add_resource
from tests.people import DAY, NOW, OPERATOR, at, give, person, role, unit

PEOPLE = 120
SUBSCRIPTIONS = 4
GROUPS_IN_EACH = 5
VAULTS_IN_EACH = 3
FIRST = ("Ines", "Adam", "Berta", "Zoë", "Amelie", "Olga", "Sven", "Nina", "Paul", "Petra", "Bo", "Jürgen")
LAST = ("Okafor", "Lindqvist", "Meyer", "Tanaka", "O'Neill", "Garcia", "Novák", "Li", "Santos", "Kaya")
SOUGHT = "okafor"  # the name that is searched for: that of every tenth


Named = tuple[str, str]  # an id and its name


@dataclass(frozen=True, slots=True)
class Organisation:
    """What there is, by the world that it belongs to."""

    people: list[Named]
    roles: dict[Realm, list[Named]]
    places: dict[Realm, list[Named]]
    seldom: tuple[Named, Named]  # two people who are seldom heard of, and as often at every size


@dataclass(frozen=True, slots=True)
class Readers:
    """Who reads: the whole directory, one branch of the resources, and their own."""

    auditor: User
    reader: User
    somebody: User


def build() -> Readers:
    """Add people and a tree of resources, and those who read."""
    for number in range(PEOPLE):
        name = f"{FIRST[number % len(FIRST)]} {LAST[number % len(LAST)]}"
        person(f"p{number:03}", name=name, factor=number == 0)
    unit("Sales")
    unit("Research")
    root = _add(ResourceKind.ROOT, "Contoso", None)
    branches: list[Resource] = []
    for one in range(SUBSCRIPTIONS):
        plan = _add(ResourceKind.SUBSCRIPTION, f"Subscription {one}", root)
        for two in range(GROUPS_IN_EACH):
            group = _add(ResourceKind.RESOURCE_GROUP, f"Group {one}-{two}", plan)
            branches.append(group)
            for three in range(VAULTS_IN_EACH):
                _add(ResourceKind.RESOURCE, f"Vault {one}-{two}-{three}", group)
    auditor, reader = person("nina.auditor"), person("rita.reader")
    give(auditor, role(ids.GLOBAL_READER))
    give(reader, role(ids.READER), branches[-1])
    return Readers(auditor, reader, User.objects.get(username="p000"))


def _add(kind: ResourceKind, name: str, parent: Resource | None) -> Resource:
    type = "Microsoft.KeyVault/vaults" if kind == ResourceKind.RESOURCE else ""
    above = Resource.objects.get(pk=parent.pk) if parent else None
    made = add_resource(kind, name=name, parent=above, type=type, actor=OPERATOR, clock=at(NOW - 400 * DAY))
    found: Resource = Resource.objects.get(pk=made.pk)
    return found


def existing() -> Organisation:
    """Return the organisation that the database knows."""
    places: dict[Realm, list[Named]] = {realm: [] for realm in Realm}
    for one in Resource.objects.order_by("path"):
        places[one.realm].append((str(one.pk), one.name))
    roles = {
        Realm.DIRECTORY: Role.objects.filter(kind=RoleKind.DIRECTORY),
        Realm.RESOURCE: Role.objects.filter(kind=RoleKind.RESOURCE),
        Realm.GROUP: Role.objects.filter(kind=RoleKind.GROUP),
    }
    named = {realm: [(str(one.pk), one.name) for one in rows.order_by("pk")] for realm, rows in roles.items()}
    people = {one.username: (str(one.pk), one.name) for one in User.objects.order_by("username")}
    return Organisation(list(people.values()), named, places, (people["p001"], people["p000"]))


def request_seen_by(user: User, path: str) -> Event:
    """Return an event of a request that this person sees on this page."""
    made = Event.objects.filter(kind=Kind.REQUEST_MADE, resource_id__isnull=False).newest_first()
    if "my-audit" in path:
        made = made.filter(actor_id=user.pk)
    else:
        made = made.filter(in_sight(Authority(user, timezone.now())))
    return made[50]


# Who reads which page: the whole directory, one branch of the resources, their own.
PAGES = (
    ("nina.auditor", "/activity/audit/"),
    ("rita.reader", "/activity/audit/"),
    ("p000", "/activity/my-audit/"),
)
