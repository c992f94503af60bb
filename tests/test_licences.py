"""Who would need a licence of the hosted product: counted by person, for what its reader may see."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
import time_machine
from django.urls import reverse

from pim_portal.overview.selectors import licences
from pim_portal.overview.selectors.licences import Feature, sight_of, uses
from roles import ids
from roles.authority import Authority
from roles.models import User
from roles.selectors.keys import any_number
from roles.services.custom_roles import retire_role
from roles.services.groups import disable_group
from roles.services.principals import disable_person
from roles.services.retirements import retire_resource
from tests.people import (
    DAY,
    EXCHANGE_ADMINISTRATOR,
    NOW,
    OPERATOR,
    at,
    configure,
    custom_role,
    directory,
    give,
    group,
    make_eligible,
    person,
    role,
    tree,
)
from tests.reviewing import chosen, managers, started, themselves
from tests.visitors import visiting

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _now():
    with time_machine.travel(NOW, tick=False):
        yield


def used(reader: User) -> dict[str, set[Feature]]:
    names = {user.pk: user.username for user in User.objects.all()}
    return {names[pk]: features for pk, features in uses(sight_of(Authority(reader, NOW)), NOW).items()}


def test_permanent_active_access_needs_none(petra, ines):
    give(ines, role(ids.SECURITY_READER))
    assert used(petra) == {}


def test_each_person_is_counted_once_with_all_that_they_use(petra, ines, adam, nina):
    make_eligible(ines, role(EXCHANGE_ADMINISTRATOR))
    make_eligible(ines, role(ids.SECURITY_READER))
    give(ines, role(ids.GLOBAL_READER), ends_at=NOW + DAY)
    configure(role(EXCHANGE_ADMINISTRATOR), approvers=[adam])
    started(role(EXCHANGE_ADMINISTRATOR), stages=[chosen(nina)], now=NOW)
    assert used(petra) == {
        "ines": {Feature.ELIGIBLE, Feature.TIME_BOUND},
        "adam": {Feature.APPROVING},
        "nina": {Feature.REVIEWING},
    }


def test_the_members_of_a_group_are_counted_and_the_group_is_not(petra, ines, adam, zoe):
    make_eligible(group("Team", ines, adam), role(EXCHANGE_ADMINISTRATOR))
    make_eligible(zoe, role(EXCHANGE_ADMINISTRATOR))
    assert used(petra) == {name: {Feature.ELIGIBLE} for name in ("ines", "adam", "zoe")}


def test_who_is_disabled_needs_none(petra, ines, adam):
    make_eligible(ines, role(EXCHANGE_ADMINISTRATOR))
    configure(role(EXCHANGE_ADMINISTRATOR), approvers=[ines, adam])
    disable_person(ines.pk, reason="left", actor=OPERATOR, clock=at(NOW))
    assert used(petra) == {"adam": {Feature.APPROVING}}


def test_the_members_of_a_disabled_group_approve_nothing(petra, ines, adam):
    team = group("Team", ines)
    configure(role(EXCHANGE_ADMINISTRATOR), approvers=[team, adam])
    disable_group(team.pk, reason="closed", actor=OPERATOR, clock=at(NOW))
    assert used(petra) == {"adam": {Feature.APPROVING}}


def test_who_is_named_for_a_retired_role_or_place_approves_nothing(petra, ines, adam):
    root, sub, below = tree("Contoso", "Production", "Mail")
    olga = person("olga")
    give(olga, role(ids.OWNER), root)
    made = custom_role(root, "Vault reader")
    configure(made, root, approvers=[ines])
    configure(role(ids.READER), below, approvers=[adam])
    assert used(olga) == {"ines": {Feature.APPROVING}, "adam": {Feature.APPROVING}}
    retire_role(made.pk, reason="no longer used", actor=OPERATOR, clock=at(NOW))
    retire_resource(sub.pk, seen=None, reason="closed", actor=OPERATOR, clock=at(NOW))
    assert used(olga) == {}


def test_who_is_named_in_a_default_that_rules_nowhere_approves_nothing(petra, ines, adam):
    configure(role(EXCHANGE_ADMINISTRATOR), approvers=[ines])
    configure(role(EXCHANGE_ADMINISTRATOR), directory(), approvers=[adam])
    assert used(petra) == {"adam": {Feature.APPROVING}}


def test_managers_review_access(petra, ines, adam):
    make_eligible(ines, role(EXCHANGE_ADMINISTRATOR))
    User.objects.filter(pk=ines.pk).update(manager=adam)
    started(role(EXCHANGE_ADMINISTRATOR), stages=[managers(petra)], now=NOW)
    assert Feature.REVIEWING in used(petra).get("adam", set())


def test_who_reviews_their_own_access_does(petra, ines, adam):
    make_eligible(ines, role(EXCHANGE_ADMINISTRATOR))
    make_eligible(group("Team", adam), role(EXCHANGE_ADMINISTRATOR))
    started(role(EXCHANGE_ADMINISTRATOR), stages=[themselves(petra)], now=NOW)
    found = used(petra)
    assert (found["ines"], found["adam"]) == ({Feature.ELIGIBLE, Feature.REVIEWING}, {Feature.ELIGIBLE})


def test_what_stands_where_one_may_not_look_is_not_counted(petra, ines, adam):
    root = tree("Root")[0]
    make_eligible(ines, role(ids.READER), root)
    configure(role(ids.READER), root, approvers=[adam])
    assert used(petra) == {}
    give(petra, role(ids.READER), root)
    assert used(petra) == {"ines": {Feature.ELIGIBLE}, "adam": {Feature.APPROVING}}


@pytest.mark.parametrize(
    ("owned", "told"), [(None, "nobody has set PIM_LICENCES_OWNED"), (0, "1 too few"), (1, "enough"), (5, "enough")]
)
def test_the_page_says_how_many_are_missing(petra, ines, settings, owned, told):
    make_eligible(ines, role(EXCHANGE_ADMINISTRATOR))
    settings.PIM_LICENCES_OWNED = owned
    answer = visiting(petra).get(reverse("licences"))
    assert told in answer.content.decode()
    assert answer.context["needed"] == answer.context["table"].page.paginator.count == 1


def test_the_list_is_exported_with_what_each_uses(petra, ines):
    make_eligible(ines, role(EXCHANGE_ADMINISTRATOR))
    answer: Any = visiting(petra).get(reverse("licences"), {"download": "csv"})
    lines = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()
    assert len(lines) == 2
    assert "ines" in lines[1]
    assert "Eligible for a role" in lines[1]


WAYS: Any = [{}, {"sort": "-name"}, {"sort": "username"}, {"q": "an"}, {"department": "IT"}, {"page": 2}, {"q": "zz"}]


@pytest.fixture
def teams(db) -> list[User]:
    """Forty people of two departments: of each five one uses nothing, one is in a group, one approves, one has left."""
    people = [person(name, department="IT" if number % 2 else "HR") for number, name in enumerate(_names())]
    for number, one in enumerate(people):
        if number % 5 in (1, 4):
            make_eligible(one, role(EXCHANGE_ADMINISTRATOR))
    make_eligible(group("Team", *people[2::5]), role(ids.SECURITY_READER))
    configure(role(EXCHANGE_ADMINISTRATOR), approvers=people[3::5])
    for one in people[4::10]:
        disable_person(one.pk, reason="left", actor=OPERATOR, clock=at(NOW))
    return people


def _names() -> list[str]:
    return [f"{first}.{last}" for last in ("berg", "ander", "cole", "dan") for first in "JIHGFEDCBA"]


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_where_there_is_much_the_list_is_walked_and_the_same(petra, teams, monkeypatch, way):
    """A few people at a time, of whom each is asked; found by a search, sorted, and on later pages, too."""
    client = visiting(petra)
    look = {"per_page": 25} | way

    def told() -> Any:
        answer = client.get(reverse("licences"), look)
        context = answer.context
        rows = [(row.record.username, row.record.features) for row in context["table"].paginated_rows]
        figures = (context["needed"], context["by_feature"])
        return rows, figures, context["table"].page.paginator.count, context["counted_at"]

    (*of_all, moment) = told()
    assert moment is None
    monkeypatch.setattr("roles.tallies.MUCH", 2)
    monkeypatch.setattr(licences, "AT_FIRST", 3)
    monkeypatch.setattr(licences, "AT_ONCE", 5)
    asked: list[Any] = []

    def watched(*args: Any) -> Any:
        asked.append(args[2:])
        return uses(*args)

    monkeypatch.setattr(licences, "uses", watched)
    (*walked, moment) = told()
    assert walked == of_all
    assert moment == NOW
    assert sum(not among for among in asked) == 1  # for the figures, which the worker counts from now on
    (*again, _moment) = told()
    assert again == of_all
    assert sum(not among for among in asked) == 1


def test_a_file_names_all_where_there_is_much(petra, teams, monkeypatch):
    def names() -> list[str]:
        answer: Any = visiting(petra).get(reverse("licences"), {"download": "csv"})
        return b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()

    before = names()
    monkeypatch.setattr("roles.tallies.MUCH", 2)
    monkeypatch.setattr(licences, "AT_FIRST", 3)
    assert names() == before
    assert len(before) > 20


def test_more_people_are_named_by_their_keys_than_a_statement_takes_values(ines: User):
    """PostgreSQL takes 65,535: the page of a large organisation broke."""
    keys = [uuid.uuid4() for _ in range(70_000)]
    assert list(User.objects.filter(pk__in=any_number([*keys, ines.pk]))) == [ines]
    assert not User.objects.filter(pk__in=any_number([])).exists()
