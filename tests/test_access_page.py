"""What my roles allow: the page shows what the roles held now allow, and Django's own answers."""

from __future__ import annotations

import re

import time_machine
from django.urls import reverse

from pim_portal.overview.selectors.access import allowances, django_permissions
from roles import ids
from roles.actors import Actor
from roles.authority import Authority
from roles.catalogue import DJANGO_PERMISSIONS, GRANTS, Permission
from roles.models import User
from roles.services.assignments import deactivate
from tests.people import HOUR, NOW, at, give, group, make_eligible, person, request_activation, role, tree, unit
from tests.visitors import visiting


def where(user: User, permission: Permission, now=NOW) -> list[str]:
    [found] = [one for one in allowances(Authority(user, now)) if one.permission == permission]
    return [f"{reach.held.role_name}: {reach.where}" for reach in found.reaches]


def answers(user: User, now=NOW) -> dict[str, str]:
    """Return what the page says that `has_perm` answers."""
    with time_machine.travel(now, tick=False):
        html = visiting(user).get(reverse("access")).content.decode()
    found = re.findall(r'has_perm\("([\w.]+)"\)</span>\s*<span[^>]*>(True|False)<', html)
    return dict(found)


def test_activating_a_role_changes_every_answer_and_its_end_changes_it_back(db, ines):
    eligibility = make_eligible(ines, role(ids.SECURITY_READER))
    assert set(answers(ines).values()) == {"False"}
    request_activation(ines, eligibility, hours=1)
    during = answers(ines)
    assert during["roles.view_assignment"] == during["audit.view_event"] == "True"
    assert during["pim_portal.view_notification"] == "False"
    assert set(answers(ines, NOW + HOUR).values()) == {"False"}


def test_assigned_and_activated_are_the_same_to_django(db, ines, nina):
    request_activation(ines, make_eligible(ines, role(ids.GLOBAL_READER)))
    assert answers(ines) == answers(nina)


def test_deactivating_takes_it_back_at_once(db, ines):
    request = request_activation(ines, make_eligible(ines, role(ids.SECURITY_READER)))
    deactivate(request.outcome_id, actor=Actor(ines), clock=at(NOW))
    assert set(answers(ines).values()) == {"False"}


def test_every_permission_of_the_table_has_its_row(petra):
    assert [one.permission for one in allowances(Authority(petra, NOW))] == list(Permission)
    assert {name for one in django_permissions() for name in one.names} == set(DJANGO_PERMISSIONS)
    assert set(answers(petra)) == set(DJANGO_PERMISSIONS)


def test_the_roles_named_are_those_that_grant_it(petra):
    for one in allowances(Authority(petra, NOW)):
        assert {each.pk for each in one.roles} == GRANTS[one.permission].roles
    for carried in django_permissions():
        assert {each.pk for each in carried.roles} == GRANTS[carried.permission].roles
        assert {DJANGO_PERMISSIONS[name] for name in carried.names} == {carried.permission}


def test_it_says_where_and_by_which_role(petra, ines):
    assert where(petra, Permission.ASSIGN) == ["Privileged Role Administrator: Directory, every group"]
    assert where(ines, Permission.ASSIGN) == []
    _root, production = tree("Root", "Production")
    give(ines, role(ids.OWNER), production)
    assert where(ines, Permission.ASSIGN) == ["Owner: Production"]


def test_a_role_at_a_unit_reaches_no_group(db):
    sam = person("sam")
    give(sam, role(ids.GROUPS_ADMINISTRATOR), unit("Lagos"))
    assert where(sam, Permission.ASSIGN) == []
    assert where(sam, Permission.SEE_PEOPLE) == ["Groups Administrator: Lagos"]


def test_a_role_held_through_a_group_counts(ines):
    give(group("Blue team", ines), role(ids.SECURITY_READER))
    assert where(ines, Permission.SEE) == ["Security Reader: Directory, every group"]


def test_has_perm_without_an_object_asks_at_the_directory_only(db):
    olga = person("olga")
    give(olga, role(ids.OWNER), tree("Root")[0])
    assert where(olga, Permission.SEE) == ["Owner: Root"]
    assert set(answers(olga).values()) == {"False"}


def test_everybody_may_ask_for_themselves(zoe):
    with time_machine.travel(NOW, tick=False):
        response = visiting(zoe).get(reverse("access"))
    assert response.status_code == 200
    assert b"You hold no role now" in response.content


def test_the_number_of_queries_does_not_grow_with_what_is_held(petra, django_assert_max_num_queries):
    with time_machine.travel(NOW, tick=False):
        client = visiting(petra)
        with django_assert_max_num_queries(40) as first:
            client.get(reverse("access"))
        for number in range(5):
            give(petra, role(ids.SECURITY_READER), unit(f"unit {number}"))
        with django_assert_max_num_queries(len(first)):
            client.get(reverse("access"))
