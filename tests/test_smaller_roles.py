"""Least privilege: where a smaller role in use would do, it is said, with what speaks for it."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse

from audit.kinds import Kind, Realm
from roles import ids
from roles.authority import Held
from roles.catalogue import GRANTS, Permission
from roles.models import Assignment, Purpose, Resource, ResourceKind, Role, User
from roles.rules.needed import NEEDED, NO_ACTS
from roles.rules.smaller import Known, abilities_of, covers, is_smaller, smaller_than
from roles.selectors.smaller import LOOK_BACK, hint_at, proposals
from roles.services.assignments import assign, remove
from roles.services.elevation import elevate
from roles.services.resources import add_resource
from tests.people import (
    DAY,
    EXCHANGE_ADMINISTRATOR,
    HOUR,
    NOW,
    OPERATOR,
    acting,
    at,
    custom_role,
    directory,
    give,
    group,
    make_eligible,
    person,
    request_activation,
    role,
    tree,
)
from tests.visitors import visiting

pytestmark = pytest.mark.django_db
TICK = timedelta(microseconds=1)
ROLES = sorted({one for grant in GRANTS.values() for one in grant.roles}, key=str)


@pytest.fixture(autouse=True)
def _now():
    with time_machine.travel(NOW, tick=False):
        yield


def known(pk, *lines: str) -> Known:
    return Known(pk, str(pk), frozenset() if lines else abilities_of(pk), frozenset(lines))


# The rules


def test_every_kind_of_event_says_what_it_needs_or_that_it_is_no_act():
    assert set(NEEDED) | NO_ACTS == set(Kind)
    assert not set(NEEDED) & NO_ACTS


def test_smaller_is_a_strict_order():
    pairs = {(one, two) for one, two in itertools.product(ROLES, ROLES) if is_smaller(known(one), known(two))}
    assert (ids.USER_ACCESS_ADMINISTRATOR, ids.OWNER) in pairs
    assert (ids.GLOBAL_READER, ids.GLOBAL_ADMINISTRATOR) in pairs
    assert not any((two, one) in pairs for one, two in pairs)
    assert all((one, three) in pairs for one, two in pairs for second, three in pairs if second == two)


def test_whoever_has_the_smaller_role_may_do_all_that_the_evidence_tells(petra):
    """By the authority itself, and not by the table from which the rule is made."""
    nodes = {
        Realm.DIRECTORY: directory(),
        Realm.RESOURCE: tree("Root")[0],
        Realm.GROUP: group("Team").resource,
    }
    kinds = {one.pk: one.kind for one in Role.objects.filter(pk__in=ROLES)}
    here = {Realm.DIRECTORY: directory(), Realm.RESOURCE: nodes[Realm.RESOURCE], Realm.GROUP: nodes[Realm.GROUP]}

    def may(pk, permission: Permission, realm: Realm) -> bool:
        where: Resource = here[Realm(kinds[pk])]
        held = Held(
            *(pk, pk, "", kinds[pk], False, where.pk, "", where.kind, where.path, NOW, None, False, pk, "", "user")
        )
        return held.grants(GRANTS[permission], nodes[realm])

    tried = 0
    for larger, one in itertools.permutations(ROLES, 2):
        if not is_smaller(known(one), known(larger)):
            continue
        for kind, realm in itertools.product(NEEDED, Realm):
            needed = {permission for permission in NEEDED[kind] if may(larger, permission, realm)}
            expected = bool(needed) and all(may(one, permission, realm) for permission in needed)
            assert covers(known(one), known(larger), [(kind.value, realm.value)]) == expected, (larger, one, kind)
            tried += 1
    assert tried > 1000


@pytest.mark.parametrize(
    ("one", "other", "smaller"),
    [
        (("a/read",), ("a/read", "a/write"), True),
        (("A/Read",), ("a/*",), True),
        (("a/read", "b/read"), ("a/*",), False),
        (("a/read",), ("a/read",), False),
        (("a/read",), ("A/READ",), False),
        (("a/read",), ("*",), True),
        (("*",), ("a/read",), False),
        (("may read [a]",), ("may read *",), False),
        ((), ("a/read",), False),
        (("a/read",), (), False),
    ],
)
def test_lines_are_smaller_where_each_is_allowed_and_not_the_other_way(one, other, smaller):
    custom = Role(permissions="").pk
    assert is_smaller(Known(custom, "one", frozenset(), frozenset(one)), known(custom, *other)) == smaller


def test_a_custom_role_is_never_compared_with_what_nobody_wrote_down():
    custom = known(EXCHANGE_ADMINISTRATOR, "a/read")
    assert not is_smaller(custom, known(ids.OWNER))
    assert not is_smaller(known(ids.READER), custom)
    assert smaller_than(known(ids.OWNER), [known(ids.READER)], {}) == []  # nothing was done: nothing is known


# What was done


@dataclass
class Estate:
    root: Resource
    below: Resource
    olga: User
    owner: Assignment
    ulla: User


@pytest.fixture
def estate(db) -> Estate:
    """Olga owns the root, Ulla may give roles there and Rita reads it; both are smaller, and in use."""
    root, below = tree("Root", "Prod")
    olga, ulla, rita = person("olga"), person("ulla"), person("rita")
    owner = give(olga, role(ids.OWNER), root)
    give(ulla, role(ids.USER_ACCESS_ADMINISTRATOR), root)
    give(rita, role(ids.READER), root)
    return Estate(root, below, olga, owner, ulla)


def gives_a_role(user: User, place: Resource, *, now=NOW - DAY) -> Assignment:
    """One act that needs the permission to assign."""
    somebody = person(f"somebody-{Assignment.objects.count()}")
    return assign(
        somebody.pk,
        role=role(ids.READER),
        resource=place,
        type="active",
        ends_at=now + 30 * DAY,
        reason="asked for",
        actor=acting(user, Purpose.ASSIGN, somebody.pk, now=now),
        clock=at(now),
    )


def adds_a_place(user: User, parent: Resource, *, now=NOW - DAY) -> None:
    """One act that needs more."""
    actor = acting(user, Purpose.ASSIGN, user.pk, now=now)
    add_resource(ResourceKind.SUBSCRIPTION, name="More", parent=parent, actor=actor, clock=at(now))


def proposed(hint) -> list[tuple]:
    return [(one.role_id, one.acts) for one in hint.smaller] if hint else []


def test_the_least_of_the_roles_in_use_that_allow_what_was_done_is_proposed(estate):
    assert hint_at(role(ids.OWNER), estate.root, NOW) is None  # nothing was done
    gives_a_role(estate.olga, estate.root)
    gives_a_role(estate.olga, estate.below)
    assert proposed(hint_at(role(ids.OWNER), estate.root, NOW)) == [(ids.USER_ACCESS_ADMINISTRATOR, 2)]
    assert {pk: one.smaller.role_id for pk, one in proposals(Assignment.objects.in_effect(NOW), NOW).items()} == {
        estate.owner.pk: ids.USER_ACCESS_ADMINISTRATOR
    }
    # One act that it does not allow, and nothing is said any more.
    adds_a_place(estate.olga, estate.root)
    assert hint_at(role(ids.OWNER), estate.root, NOW) is None
    assert proposals(Assignment.objects.in_effect(NOW), NOW) == {}


def test_what_somebody_has_by_elevated_access_alone_is_not_in_use(estate):
    gabi = person("gabi")
    give(gabi, role(ids.GLOBAL_ADMINISTRATOR))
    gives_a_role(estate.olga, estate.root)
    remove(Assignment.objects.get(principal=estate.ulla).pk, actor=OPERATOR, clock=at(NOW))
    assert hint_at(role(ids.OWNER), estate.root, NOW) is None
    elevate(reason="incident", actor=acting(gabi, Purpose.ELEVATE, gabi.pk), clock=at(NOW))
    assert hint_at(role(ids.OWNER), estate.root, NOW) is None


@pytest.mark.parametrize(("back", "acts"), [(LOOK_BACK, 0), (LOOK_BACK - TICK, 1)])
def test_the_look_back_begins_after_ninety_days_to_the_microsecond(estate, back, acts):
    gives_a_role(estate.olga, estate.root, now=NOW - back)
    assert proposed(hint_at(role(ids.OWNER), estate.root, NOW)) == [(ids.USER_ACCESS_ADMINISTRATOR, 1)] * acts


@pytest.mark.parametrize(("back", "found"), [(LOOK_BACK, 1), (LOOK_BACK - TICK, 0)])
def test_nothing_is_proposed_of_what_has_not_been_held_for_the_whole_look_back(estate, back, found):
    paul = person("paul")
    young = give(paul, role(ids.OWNER), estate.below, starts_at=NOW - back)
    gives_a_role(paul, estate.below)
    assert (young.pk in proposals(Assignment.objects.in_effect(NOW), NOW)) == bool(found)


def test_a_role_that_nobody_has_there_any_more_is_in_use_no_longer(estate):
    gives_a_role(estate.olga, estate.root)
    held = Assignment.objects.get(principal=estate.ulla)
    remove(held.pk, reason="left", actor=OPERATOR, clock=at(NOW - HOUR))
    assert hint_at(role(ids.OWNER), estate.root, NOW) is None
    assert proposals(Assignment.objects.in_effect(NOW), NOW) == {}


def test_what_is_done_while_it_is_activated_speaks_for_the_eligibility_and_for_no_other(estate, ines):
    mine = make_eligible(ines, role(ids.OWNER), estate.below)
    other = make_eligible(estate.ulla, role(ids.OWNER), estate.below)
    request_activation(ines, mine, now=NOW - 2 * HOUR, hours=1)
    assert proposals(Assignment.objects.in_effect(NOW), NOW) == {}  # to activate it is no use of it
    gives_a_role(ines, estate.below, now=NOW - 2 * HOUR + TICK)
    assert set(proposals(Assignment.objects.in_effect(NOW), NOW)) == {mine.pk}
    assert hint_at(role(ids.OWNER), estate.below, NOW, only=mine) is not None
    assert hint_at(role(ids.OWNER), estate.below, NOW, only=other) is None


def test_a_global_administrator_who_elevated_is_never_told_that_less_would_do(petra, nina):
    assert abilities_of(ids.GLOBAL_READER) < abilities_of(ids.GLOBAL_ADMINISTRATOR)
    larger, reader = known(ids.GLOBAL_ADMINISTRATOR), known(ids.GLOBAL_READER)
    assert smaller_than(larger, [reader], {("export.made", "directory"): 1})
    assert not smaller_than(larger, [reader], {("export.made", "directory"): 1, ("access.elevated", "directory"): 1})


def test_as_many_queries_for_many_as_for_one(estate, django_assert_num_queries):
    gives_a_role(estate.olga, estate.root)
    with django_assert_num_queries(5):
        assert len(proposals(Assignment.objects.in_effect(NOW), NOW)) == 1
    for number in range(3):
        paul = person(f"paul-{number}")
        give(paul, role(ids.OWNER), estate.below)
        gives_a_role(paul, estate.below)
    with django_assert_num_queries(5):
        assert len(proposals(Assignment.objects.in_effect(NOW), NOW)) == 4


# The pages


def test_who_is_about_to_give_a_role_is_told_and_may_give_it_all_the_same(estate):
    client = visiting(estate.olga)
    add = reverse("resource:assignments_add", args=[estate.root.pk])
    path = f"{add}?role={ids.OWNER}&principal={estate.ulla.pk}"
    assert "A smaller role may do" not in client.get(path).content.decode()
    gives_a_role(estate.olga, estate.root)
    html = client.get(path).content.decode()
    assert "allows the one thing that was done in the portal as Owner at Root in the last 90 days" in html
    assert f"role={ids.USER_ACCESS_ADMINISTRATOR}&amp;type=eligible&amp;principal={estate.ulla.pk}" in html
    assert '<button class="button primary" type="submit">' in html
    # Of the smaller role nothing is said: Reader allows less, and not what was done.
    assert "A smaller role may do" not in client.get(path.replace(str(ids.OWNER), str(ids.READER))).content.decode()


def test_who_is_about_to_activate_is_told_and_led_to_the_smaller_role(estate, ines):
    large = custom_role(estate.root, "Operator", permissions="vm/*\ndisk/*")
    small = custom_role(estate.root, "Restarter", permissions="vm/restart")
    mine = make_eligible(ines, large, estate.below)
    client = visiting(ines)
    path = f"{reverse('approvals:activate')}?eligibility={mine.pk}"
    assert "A smaller role may do" not in client.get(path).content.decode()  # nobody has it
    other = make_eligible(estate.ulla, small, estate.root)
    html = client.get(path).content.decode()
    assert "Restarter is in use here and allows only a part of what Operator allows: vm/restart." in html
    assert "Whom to ask for it" in html
    own = make_eligible(ines, small, estate.below)
    html = client.get(path).content.decode()
    assert f'href="{reverse("approvals:activate")}?eligibility={own.pk}">Activate Restarter instead' in html
    assert str(other.pk) not in html
    # Of several at once each is told of beside its name.
    both = client.get(f"{path}&eligibility={own.pk}").content.decode()
    assert both.count("allows only a part of what Operator allows") == 1


def test_the_insight_names_the_evidence_and_where_to_act(estate):
    gives_a_role(estate.olga, estate.root)
    client = visiting(estate.olga)
    assert (
        reverse("world_list", args=["resource", "smaller-role"])
        in client.get("/overview/resource/insights/").content.decode()
    )
    html = client.get(reverse("world_list", args=["resource", "smaller-role"])).content.decode()
    assert "It allows the one thing done under this assignment in the last 90 days." in html
    wanted = f"role={ids.USER_ACCESS_ADMINISTRATOR}&amp;type=active&amp;principal={estate.olga.pk}"
    assert f"{reverse('resource:assignments_add', args=[estate.root.pk])}?{wanted}" in html
    # Who only reads sees the evidence, and no way to act.
    rita = visiting(User.objects.get(username="rita"))
    html = rita.get(reverse("world_list", args=["resource", "smaller-role"])).content.decode()
    assert "It allows the one thing done" in html
    assert "assignments/add" not in html
