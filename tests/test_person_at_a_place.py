"""What somebody has at a place and below it: shown to whoever looks after that place, and nothing of any other."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from pim_portal.people.selectors.leaving import everything_of
from roles.authority import Authority
from roles.ids import OWNER, PRIVILEGED_ROLE_ADMINISTRATOR, READER
from roles.models import Assignment, EndReason, Resource, User
from tests.people import EXCHANGE_ADMINISTRATOR, configure, directory, give, group, make_eligible, person, role, tree
from tests.reviewing import chosen, started
from tests.stepping import code_of
from tests.visitors import visiting

pytestmark = pytest.mark.django_db


@pytest.fixture
def now():
    return timezone.now()


@pytest.fixture
def forest(db) -> list[Resource]:
    return tree("Root", "Prod", "rg")


@pytest.fixture
def olga(forest, now) -> User:
    """Owner of the subscription, and of nothing above it."""
    olga = person("olga", now=now)
    give(olga, role(OWNER), forest[1], now=now)
    return olga


@pytest.fixture
def ines(forest, now) -> User:
    ines = person("ines", now=now)
    give(ines, role(READER), forest[0], now=now)
    give(ines, role(READER), forest[2], now=now)
    make_eligible(ines, role(EXCHANGE_ADMINISTRATOR), now=now)
    return ines


def page(place: Resource, user: User) -> str:
    return f"/manage/resources/{place.pk}/people/{user.pk}/"


def test_an_owner_sees_what_is_held_at_their_place_or_below_and_nothing_else(olga, ines, forest):
    html = visiting(olga).get(page(forest[1], ines)).content.decode()
    assert "rg" in html
    assert "Exchange" not in html
    assert "Root" not in html
    assert html.count('name="chosen"') == 1


def test_who_has_nothing_there_reads_like_a_random_id(olga, ines, forest, now):
    adam = person("adam", now=now)
    give(adam, role(READER), forest[0], now=now)
    client = visiting(olga)
    assert client.get(page(forest[1], adam)).status_code == 404
    assert client.get(f"/manage/resources/{forest[1].pk}/people/{uuid.UUID(int=7)}/").status_code == 404
    assert client.get(page(forest[0], ines)).status_code == 404, "Above her place she sees nobody."


def test_what_comes_through_a_group_is_shown_and_not_ended_here(olga, forest, now):
    adam = person("adam", now=now)
    team = group("Team", adam, now=now)
    give(team, role(READER), forest[2], now=now)
    html = visiting(olga).get(page(forest[1], adam)).content.decode()
    assert "Through the group Team." in html
    assert 'name="chosen"' not in html


def test_an_owner_ends_it_all_with_one_reason_and_one_code(olga, ines, forest):
    row = Assignment.objects.get(principal=ines, resource=forest[2])
    above = Assignment.objects.get(principal=ines, resource=forest[0])
    data = {"chosen": [str(row.pk), str(above.pk)], "reason": "moves on", **code_of(olga)}
    answer = visiting(olga).post(page(forest[1], ines), data)
    assert answer.status_code == 302
    row.refresh_from_db()
    above.refresh_from_db()
    assert (row.end_reason, above.ended_at) == (EndReason.REMOVED, None)


def test_a_reader_looks_and_ends_nothing(ines, forest, now):
    rita = person("rita", now=now)
    give(rita, role(READER), forest[1], now=now)
    client = visiting(rita)
    html = client.get(page(forest[1], ines)).content.decode()
    assert "You may not end this." in html
    row = Assignment.objects.get(principal=ines, resource=forest[2])
    answer = client.post(page(forest[1], ines), {"chosen": [str(row.pk)], "reason": "x", **code_of(rita)})
    assert answer.status_code == 422
    row.refresh_from_db()
    assert row.ended_at is None


def test_the_list_of_assignments_leads_there(olga, ines, forest):
    html = visiting(olga).get(f"/manage/resources/{forest[2].pk}/assignments/?tab=active").content.decode()
    assert page(forest[2], ines) in html
    assert f"/manage/people/{ines.pk}/" not in html


def test_an_approver_who_holds_nothing_is_shown_where_the_settings_name_them(olga, forest, now):
    adam = person("adam", now=now)
    configure(role(READER), forest[2], approvers=[adam])
    html = visiting(olga).get(page(forest[1], adam)).content.decode()
    assert "Approves Reader" in html


def test_whoever_leaves_is_named_as_a_reviewer_of_what_the_viewer_may_see(olga, forest, now):
    adam = person("adam", now=now)
    petra = person("petra", now=now)
    give(petra, role(PRIVILEGED_ROLE_ADMINISTRATOR), now=now)
    there = started(role(READER), stages=[chosen(adam)], place=forest[1], now=now)
    here = started(role(EXCHANGE_ADMINISTRATOR), stages=[chosen(adam)], place=directory(), now=now)
    for viewer, review in ((olga, there.review), (petra, here.review)):
        found = everything_of(adam, viewer=Authority(viewer, now), now=now)
        assert [one.pk for one in found.reviews] == [review.pk]
    html = visiting(petra).get(f"/manage/people/{adam.pk}/leave/").content.decode()
    assert f"Reviews {here.review.name}" in html
    assert there.review.name == here.review.name or there.review.name not in html


def links_of(client, place: Resource, tab: str) -> list[str]:
    html = client.get(f"/manage/resources/{place.pk}/assignments/?tab={tab}").content.decode()
    return re.findall(rf'href="(/manage/resources/{place.pk}/people/[^"]+)"', html)


def test_the_lists_link_to_each_page_that_is_there_and_to_no_other(olga, ines, forest, now):
    adam, zoe, berta, tom = (person(name, now=now) for name in ("adam", "zoe", "berta", "tom"))
    give(adam, role(READER), forest[0], now=now)
    give(zoe, role(READER), forest[1], now=now)
    give(berta, role(READER), forest[1], ends_at=now - timedelta(days=3), now=now)
    give(tom, role(READER), forest[1], ends_at=now + timedelta(days=3), now=now)
    client = visiting(olga)
    for tab, linked in (("active", {olga, zoe, tom}), ("expired", set())):
        found = links_of(client, forest[1], tab)
        assert set(found) == {page(forest[1], one) for one in linked}
        assert [client.get(one).status_code for one in found] == [200] * len(found)


class TestComparing:
    """Two people side by side, by what they have here and below."""

    def compare(self, by: User, place: Resource, one: User, **query: object):
        return visiting(by).get(f"{page(place, one)}compare/", query)

    def test_an_owner_compares_what_is_held_there_and_below_and_nothing_else(self, olga, ines, forest, now):
        zoe = person("zoe", now=now)
        give(zoe, role(OWNER), forest[2], now=now)
        give(zoe, role(PRIVILEGED_ROLE_ADMINISTRATOR), now=now)
        html = self.compare(olga, forest[1], ines, **{"with": zoe.pk}).content.decode()
        assert "Give to Zoe" in html
        assert "Give to Ines" in html
        for hidden in ("Exchange", "Privileged Role", "Root"):
            assert hidden not in html

    def test_only_who_has_something_there_is_found(self, olga, ines, forest, now):
        adam, zoe = person("adam", now=now), person("zoe", now=now)
        give(adam, role(READER), forest[0], now=now)
        give(group("Readers", zoe, now=now), role(READER), forest[1], now=now)
        found = self.compare(olga, forest[1], ines).context["found"]
        assert {one.username for one in found} == {"olga", "zoe"}
        assert [one.username for one in self.compare(olga, forest[1], ines, q="ZO").context["found"]] == ["zoe"]
        assert self.compare(olga, forest[1], ines, **{"with": adam.pk}).status_code == 404
        assert self.compare(olga, forest[1], ines, **{"with": uuid.UUID(int=7)}).status_code == 404
        assert self.compare(olga, forest[1], adam).status_code == 404

    def test_a_reader_compares_and_gives_nothing(self, olga, ines, forest, now):
        rita = person("rita", now=now)
        give(rita, role(READER), forest[1], now=now)
        html = self.compare(rita, forest[1], ines, **{"with": olga.pk}).content.decode()
        assert "Only Ines" in html
        assert "Give to" not in html
