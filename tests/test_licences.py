"""Who would need a licence of the hosted product: counted by person, for what its reader may see."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
import time_machine
from django.urls import reverse

from pim_portal.overview.selectors.licences import Feature, uses
from roles import ids
from roles.authority import Authority
from roles.models import User
from roles.selectors.keys import any_number
from roles.services.principals import disable_person
from tests.people import (
    DAY,
    EXCHANGE_ADMINISTRATOR,
    NOW,
    OPERATOR,
    at,
    configure,
    give,
    group,
    make_eligible,
    role,
    tree,
)
from tests.reviewing import chosen, started
from tests.visitors import visiting

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _now():
    with time_machine.travel(NOW, tick=False):
        yield


def used(reader: User) -> dict[str, set[Feature]]:
    names = {user.pk: user.username for user in User.objects.all()}
    return {names[pk]: features for pk, features in uses(Authority(reader, NOW)).items()}


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


def test_who_is_disabled_needs_none(petra, ines):
    make_eligible(ines, role(EXCHANGE_ADMINISTRATOR))
    disable_person(ines.pk, reason="left", actor=OPERATOR, clock=at(NOW))
    assert used(petra) == {}


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


def test_more_people_are_named_by_their_keys_than_a_statement_takes_values(ines: User):
    """PostgreSQL takes 65,535: the page of a large organisation broke."""
    keys = [uuid.uuid4() for _ in range(70_000)]
    assert list(User.objects.filter(pk__in=any_number([*keys, ines.pk]))) == [ines]
    assert not User.objects.filter(pk__in=any_number([])).exists()
