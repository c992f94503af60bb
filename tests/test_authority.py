"""Who may do what: the table of DESIGN.md §6, asked at every place for every role that has a meaning.

The expectation is written out here by hand and shares nothing with `roles.catalogue`.
"""

from __future__ import annotations

import itertools
import uuid
from dataclasses import dataclass

import pytest
from django.contrib.auth.models import AnonymousUser

from roles import ids
from roles.actors import Actor
from roles.authority import Authority
from roles.backend import HeldRolesBackend
from roles.catalogue import DJANGO_PERMISSIONS, Permission
from roles.models import Resource, User
from roles.services.assignments import deactivate
from roles.services.principals import disable_person
from tests.people import (
    EXCHANGE_ADMINISTRATOR,
    HOUR,
    MINUTE,
    NOW,
    OPERATOR,
    at,
    give,
    group,
    make_eligible,
    request_activation,
    role,
    tree,
    unit,
)

pytestmark = pytest.mark.django_db

PRA, GA = ids.PRIVILEGED_ROLE_ADMINISTRATOR, ids.GLOBAL_ADMINISTRATOR
READERS = {GA, ids.SECURITY_ADMINISTRATOR, ids.SECURITY_READER, ids.GLOBAL_READER}
MANAGERS = {ids.OWNER, ids.USER_ACCESS_ADMINISTRATOR}

DIRECTORY_ROLES = [
    PRA,
    *sorted(READERS),
    ids.USER_ADMINISTRATOR,
    ids.GROUPS_ADMINISTRATOR,
    ids.PRIVILEGED_AUTHENTICATION_ADMINISTRATOR,
    EXCHANGE_ADMINISTRATOR,
]
RESOURCE_ROLES = [ids.OWNER, ids.USER_ACCESS_ADMINISTRATOR, ids.READER]

# In the directory: who is allowed, by role.
IN_DIRECTORY = {
    Permission.ASSIGN: {PRA},
    Permission.CHANGE_SETTINGS: {PRA},
    Permission.DECIDE_RENEWALS: {PRA},
    Permission.SEE: {PRA, *READERS},
    Permission.SEE_AUDIT: {PRA, *READERS},
    Permission.SEE_PEOPLE: {
        PRA,
        *READERS,
        ids.USER_ADMINISTRATOR,
        ids.GROUPS_ADMINISTRATOR,
        ids.PRIVILEGED_AUTHENTICATION_ADMINISTRATOR,
    },
    Permission.MANAGE_PEOPLE: {PRA, ids.USER_ADMINISTRATOR},
    Permission.RESET_PEOPLE: {ids.PRIVILEGED_AUTHENTICATION_ADMINISTRATOR},
    Permission.MANAGE_GROUPS: {ids.GROUPS_ADMINISTRATOR},
    Permission.DEFINE: {PRA},
    Permission.SEPARATE: {PRA},
    Permission.OPERATE: {ids.SECURITY_ADMINISTRATOR},
    Permission.USE_ADMIN: {PRA, *READERS},
}
# At a resource and below.
AT_RESOURCES = {
    Permission.ASSIGN: MANAGERS,
    Permission.CHANGE_SETTINGS: MANAGERS,
    Permission.DECIDE_RENEWALS: MANAGERS,
    Permission.SEE: {*MANAGERS, ids.READER},
    Permission.SEE_AUDIT: {*MANAGERS, ids.READER},
    Permission.DEFINE: {ids.OWNER},
    Permission.SEPARATE: MANAGERS,
}
# At a group: by a directory role held at the directory, or as the group's Owner.
AT_GROUPS = {
    Permission.ASSIGN: {PRA, ids.GROUPS_ADMINISTRATOR},
    Permission.CHANGE_SETTINGS: {PRA, ids.GROUPS_ADMINISTRATOR},
    Permission.DECIDE_RENEWALS: {PRA, ids.GROUPS_ADMINISTRATOR},
    Permission.SEE: {PRA, *READERS, ids.GROUPS_ADMINISTRATOR},
    Permission.SEE_AUDIT: {PRA, *READERS, ids.GROUPS_ADMINISTRATOR},
    Permission.MANAGE_GROUPS: {ids.GROUPS_ADMINISTRATOR},
}


def test_every_permission_is_in_the_table():
    assert set(IN_DIRECTORY) == set(Permission)


@dataclass
class Places:
    directory: Resource
    lyon: Resource
    oslo: Resource
    root: Resource
    prod: Resource
    rg: Resource
    other_root: Resource
    team: Resource
    other_team: Resource


# Which place lies at or below which, told by hand.
BELOW = {
    "directory": {"directory", "lyon", "oslo"},
    "lyon": {"lyon"},
    "root": {"root", "prod", "rg"},
    "prod": {"prod", "rg"},
    "rg": {"rg"},
    "team": {"team"},
}
NAMES = ["directory", "lyon", "oslo", "root", "prod", "rg", "other_root", "team", "other_team"]


@pytest.fixture
def places(db) -> Places:
    root, prod, rg = tree("Root", "prod", "rg")
    return Places(
        directory=Resource.objects.get(pk=ids.DIRECTORY),
        lyon=unit("Lyon"),
        oslo=unit("Oslo"),
        root=root,
        prod=prod,
        rg=rg,
        other_root=tree("Other")[0],
        team=group("Team").resource,
        other_team=group("Other team").resource,
    )


def allowed(role_id: uuid.UUID, held_at: str, asked_at: str, permission: Permission) -> bool:
    below = asked_at in BELOW.get(held_at, set())
    if asked_at in ("directory", "lyon", "oslo"):
        return below and role_id in IN_DIRECTORY.get(permission, set())
    if asked_at in ("team", "other_team"):
        by_directory = held_at == "directory" and role_id in AT_GROUPS.get(permission, set())
        return by_directory or (below and role_id == ids.GROUP_OWNER and permission in AT_GROUPS)
    return below and role_id in AT_RESOURCES.get(permission, set())


HELD = [
    *itertools.product(DIRECTORY_ROLES, ["directory", "lyon"]),
    *itertools.product(RESOURCE_ROLES, ["root", "prod", "rg"]),
    (ids.GROUP_OWNER, "team"),
    (ids.GROUP_MEMBER, "team"),
]


@pytest.mark.parametrize(("role_id", "held_at"), HELD)
def test_every_permission_at_every_place(role_id, held_at, places, zoe):
    assignment = give(zoe, role(role_id), getattr(places, held_at))
    authority = Authority(zoe, NOW)
    for asked_at, permission in itertools.product(NAMES, Permission):
        by = authority.by(permission, getattr(places, asked_at))
        expected = allowed(role_id, held_at, asked_at, permission)
        assert (by is not None) is expected, (asked_at, permission)
        if by is not None:
            assert by.assignment_id == assignment.pk
    for permission in Permission:
        expected = held_at == "directory" and role_id in IN_DIRECTORY[permission]
        assert authority.allows(permission) is expected, permission


def test_who_holds_nothing_may_nothing(zoe, places):
    authority = Authority(zoe, NOW)
    assert not any(authority.anywhere(permission) for permission in Permission)


def test_authority_costs_one_query(petra, django_assert_num_queries):
    authority = Authority(petra, NOW)
    with django_assert_num_queries(1):
        for permission in Permission:
            authority.allows(permission)


def test_a_disabled_person_may_nothing(petra, paul):
    disable_person(petra.pk, reason="left", actor=OPERATOR, clock=at(NOW))
    petra.refresh_from_db()
    assert not Authority(petra, NOW).held


class TestTheBackend:
    """Django's `has_perm` asks the clock, so these activate around the real now."""

    @pytest.fixture
    def now(self):
        from django.utils import timezone

        return timezone.now()

    def activated(self, user: User, now, what=ids.GLOBAL_READER):
        eligible = make_eligible(user, role(what), now=now)
        return request_activation(user, eligible, now=now).outcome_id

    def test_it_is_the_same_for_an_assigned_and_an_activated_role(self, zoe, ines, now):
        give(zoe, role(ids.GLOBAL_READER), now=now)
        self.activated(ines, now)
        for name in [*Permission.values, *DJANGO_PERMISSIONS]:
            assert zoe.has_perm(name) == ines.has_perm(name), name
        assert ines.has_perm("roles.view_assignment")

    def test_it_ends_with_the_activation_on_the_same_object(self, ines, now):
        activation = self.activated(ines, now)
        assert ines.has_perm(Permission.SEE)
        deactivate(activation, actor=Actor(user=ines), clock=at(now + MINUTE))
        assert not ines.has_perm(Permission.SEE)

    def test_it_is_over_when_its_time_is(self, ines, now, time_machine):
        self.activated(ines, now)
        time_machine.move_to(now + HOUR - MINUTE / 60)
        assert ines.has_perm(Permission.SEE)
        time_machine.move_to(now + HOUR)
        assert not ines.has_perm(Permission.SEE)

    def test_without_an_object_it_asks_at_the_directory_with_one_at_its_resource(self, zoe, now):
        root, prod = tree("Root", "prod")
        lyon = unit("Lyon")
        give(zoe, role(ids.OWNER), prod, now=now)
        give(zoe, role(ids.USER_ADMINISTRATOR), lyon, now=now)
        assert not zoe.has_perm(Permission.ASSIGN)
        assert zoe.has_perm(Permission.ASSIGN, prod)
        assert not zoe.has_perm(Permission.ASSIGN, root)
        assert zoe.has_perm(Permission.MANAGE_PEOPLE, lyon)
        assert not zoe.has_perm(Permission.MANAGE_PEOPLE)

    def test_anonymous_disabled_and_unknown_get_nothing(self, petra, paul, now):
        backend = HeldRolesBackend()
        assert not backend.has_perm(AnonymousUser(), Permission.SEE)
        assert backend.has_perm(petra, Permission.SEE)
        assert not backend.has_perm(petra, "roles.delete_assignment")
        assert not backend.has_perm(petra, "no.such_thing")
        disable_person(petra.pk, reason="left", actor=OPERATOR, clock=at(now))
        petra.refresh_from_db()
        assert not backend.has_perm(petra, Permission.SEE)
        assert backend.get_all_permissions(petra) == set()

    def test_nobody_is_superuser_or_staff_and_no_column_could_make_them(self, petra):
        columns = {field.name for field in User._meta.get_fields()}
        assert not columns & {"is_superuser", "is_staff", "user_permissions", "groups"}
        assert (petra.is_superuser, petra.is_staff) == (False, False)

    def test_with_perm_names_exactly_those_who_have_it(self, petra, nina, zoe, now):
        people = HeldRolesBackend().with_perm(Permission.SEE)
        assert set(people) == {petra, nina}
