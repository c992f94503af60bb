"""Separation of duties: every way to come to a role asks the rules, over the whole time that it would be held."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta

import pytest
from django.db import transaction

from roles import ids
from roles.models import Assignment, AssignmentType, DutyReach, Purpose, Resource, Role, User
from roles.refusals import Refused
from roles.services.assignments import assign
from tests.people import DAY, NOW, OPERATOR, at, configure, custom_role, give, group, make_eligible, person, role, tree
from tests.separating import kept_apart

pytestmark = pytest.mark.django_db
MICRO = timedelta(microseconds=1)
ACTIVE, ELIGIBLE = AssignmentType.ACTIVE, AssignmentType.ELIGIBLE
HELD_FROM, HELD_UNTIL = NOW + 10 * DAY, NOW + 20 * DAY
# The time that is asked for, beside the time that another role is held.
SPANS = {
    "before": (NOW + DAY, HELD_FROM - DAY),
    "touching its start": (NOW + DAY, HELD_FROM),
    "a moment into it": (NOW + DAY, HELD_FROM + MICRO),
    "inside": (HELD_FROM + DAY, HELD_UNTIL - DAY),
    "from its last moment on": (HELD_UNTIL - MICRO, HELD_UNTIL + DAY),
    "touching its end": (HELD_UNTIL, HELD_UNTIL + DAY),
}
MEETS = {"a moment into it", "inside", "from its last moment on"}


@pytest.fixture
def ines(db) -> User:
    return person("ines")


@pytest.fixture
def places(db) -> dict[str, Resource]:
    """The rule is made at the subscription "same"; "beside" is another one below the same root."""
    from roles.models import ResourceKind
    from roles.services.resources import add_resource

    root, sub, below = tree("Root", "Sub", "Group")
    beside = add_resource(
        ResourceKind.SUBSCRIPTION, name="Beside", parent=root, actor=OPERATOR, clock=at(NOW - 400 * DAY)
    )
    return {"above": root, "same": sub, "below": below, "beside": beside}


@pytest.fixture
def makes(places) -> Role:
    return custom_role(places["above"], "Makes payments")


@pytest.fixture
def releases(places) -> Role:
    return custom_role(places["above"], "Releases payments")


def is_refused(who, what: Role, where: Resource, type: AssignmentType, span: tuple[datetime, datetime | None]) -> bool:
    """Whether a role cannot be given; what could be is taken back."""
    with transaction.atomic():
        try:
            give_over(who, what, where, type, span)
        except Refused as refused:
            return refused.codes == {"duties"}
        transaction.set_rollback(True)
    return False


def give_over(who, what, where, type, span) -> Assignment:
    return assign(
        who.pk,
        role=what,
        resource=where,
        type=type,
        starts_at=span[0],
        ends_at=span[1],
        reason="for the test",
        actor=OPERATOR,
        clock=at(NOW),
    )


@pytest.mark.slow
@pytest.mark.parametrize("reach", list(DutyReach))
@pytest.mark.parametrize("where", ["above", "same", "below", "beside"])
@pytest.mark.parametrize("held", [ACTIVE, ELIGIBLE])
@pytest.mark.parametrize("way", ["direct", "group", "joining", "group that gets it"])
def test_the_grid(way, held, where, reach, ines, places, makes, releases):
    kept_apart(makes, releases, place=places["same"], reach=reach)
    long = (NOW, NOW + 300 * DAY)
    if way == "direct":
        give_over(ines, makes, places[where], held, (HELD_FROM, HELD_UNTIL))
    elif way == "group":
        give_over(group("Team", ines), makes, places[where], held, (HELD_FROM, HELD_UNTIL))
    elif way == "joining":
        team = group("Team")
        give_over(team, makes, places[where], held, long)
        give_over(ines, role(ids.GROUP_MEMBER), team.resource, ACTIVE, (HELD_FROM, HELD_UNTIL))
    else:
        give_over(ines, makes, places[where], held, (HELD_FROM, HELD_UNTIL))
    receiver = group("Getting", ines) if way == "group that gets it" else ines
    wrong = {}
    for (name, span), type in itertools.product(SPANS.items(), (ACTIVE, ELIGIBLE)):
        both_active = held == ACTIVE and type == ACTIVE
        expected = name in MEETS and where != "beside" and (reach == DutyReach.HOLD or both_active)
        if is_refused(receiver, releases, places["same"], type, span) != expected:
            wrong[name, type] = expected
    assert wrong == {}


def test_the_sentence_names_the_other_role_where_and_how_it_is_held_and_the_rule(ines, places, makes, releases):
    kept_apart(makes, releases, place=places["above"], name="Paying")
    give_over(group("Payers", ines), makes, places["below"], ACTIVE, (NOW, NOW + 30 * DAY))
    with pytest.raises(Refused) as refused:
        give_over(ines, releases, places["same"], ACTIVE, (NOW, None))
    assert refused.value.sentence == (
        "Ines holds Makes payments at Group, through the group Payers, until 23 Dec 2026, 12:00, "
        "and the rule “Paying” keeps Releases payments apart from it."
    )


def test_what_lies_below_nobody_the_rule_names_is_free(ines, places, makes, releases):
    kept_apart(makes, releases, place=places["below"])
    give(ines, makes, places["beside"])
    assert give(ines, releases, places["beside"])


def test_two_roles_of_a_group_keep_people_out_of_it(ines, places, makes, releases):
    team = group("Team")
    give(team, makes, places["same"])
    give(team, releases, places["same"])
    kept_apart(makes, releases, place=places["same"])
    with pytest.raises(Refused, match="duties"):
        give(ines, role(ids.GROUP_MEMBER), team.resource)


def test_any_two_of_three_are_kept_apart(ines, places, makes, releases):
    audits = custom_role(places["above"], "Audits payments")
    kept_apart(makes, releases, audits, place=places["above"])
    give(ines, makes, places["same"])
    for other in (releases, audits):
        with pytest.raises(Refused, match="duties"):
            give(ines, other, places["same"])


def test_who_has_the_same_role_twice_breaks_nothing(ines, places, makes, releases):
    kept_apart(makes, releases, place=places["above"])
    give(ines, makes, places["same"])
    assert give(ines, makes, places["below"])


def test_directory_roles_are_kept_apart_in_units_as_well(ines):
    from tests.people import unit

    reader, admin = role(ids.SECURITY_READER), role(ids.USER_ADMINISTRATOR)
    kept_apart(reader, admin)
    give(ines, reader, unit("Berlin"))
    with pytest.raises(Refused, match="duties"):
        give(ines, admin, unit("Hamburg"))


def test_what_the_assigner_may_not_look_at_stays_without_a_name(ines, places, makes, releases):
    from tests.people import acting

    kept_apart(makes, releases, place=places["above"], name="Paying")
    give(ines, makes, places["beside"])
    owner = person("olga")
    give(owner, role(ids.OWNER), places["same"])
    with pytest.raises(Refused) as refused:
        assign(
            ines.pk,
            role=releases,
            resource=places["same"],
            type=ACTIVE,
            reason="needed",
            actor=acting(owner, Purpose.ASSIGN, ines.pk),
            clock=at(NOW),
        )
    assert refused.value.sentence == (
        "Ines has another role that it names, where you may not look, "
        "and the rule “Paying” keeps Releases payments apart from it."
    )


def test_a_stranger_who_tries_to_assign_hears_nothing_of_what_others_hold(ines, places, makes, releases):
    from tests.people import acting

    kept_apart(makes, releases, place=places["above"])
    give(ines, makes, places["same"])
    zoe = person("zoe")
    with pytest.raises(Refused) as refused:
        assign(
            ines.pk,
            role=releases,
            resource=places["same"],
            type=ACTIVE,
            reason="needed",
            actor=acting(zoe, Purpose.ASSIGN, ines.pk),
            clock=at(NOW),
        )
    assert "not_allowed" in refused.value.codes
    assert "duties" not in refused.value.codes


def test_nothing_is_asked_where_no_rule_names_the_role(ines, places, makes, releases, django_assert_num_queries):
    from roles.selectors.duties.clashes import Gift, clashes_of

    gift = Gift(ines, makes, places["same"], True, NOW, None)
    with django_assert_num_queries(1):
        assert clashes_of([gift], NOW, viewer=None) == ()


def test_a_thousand_gifts_take_as_many_queries_as_one(ines, places, makes, releases, django_assert_max_num_queries):
    from roles.selectors.duties.clashes import ClashBook, Gift

    kept_apart(makes, releases, place=places["above"])
    give(ines, releases, places["same"])
    team = group("Team", ines)
    gifts = [Gift(ines, makes, places["same"], True, NOW, None), Gift(team, makes, places["below"], True, NOW, None)]
    with django_assert_max_num_queries(6):
        prospects = ClashBook(NOW).look(gifts * 500)
    assert [len(one.pairs()) for one in prospects] == [1] * 1000


def test_settings_are_not_in_the_way_of_the_grid(places, makes):
    """The grid gives eligibilities with an end: nothing but the rule may refuse."""
    configure(makes, places["same"], permanent_eligible_allowed=True)
    assert make_eligible(person("adam"), makes, places["same"])
