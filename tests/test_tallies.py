"""Figures of what there is much of: the worker counts them, pages say when, and they are what would be counted now."""

from __future__ import annotations

import re
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection

from pim_portal import tasks
from pim_portal.overview.selectors.figures import worlds
from pim_portal.overview.selectors.insights import INSIGHTS
from roles import ids
from roles.authority import Authority
from roles.models import Resource, ResourceKind, Tally, User
from roles.places import address
from roles.selectors.catalogue import holders_lately_at, holders_of
from roles.selectors.overviews import figures_lately_of
from roles.services.moves import move_resource
from roles.services.resources import add_resource
from roles.tallies import Count, count_anew
from tests.people import (
    DAY,
    EXCHANGE_ADMINISTRATOR,
    HOUR,
    NOW,
    OPERATOR,
    configure,
    custom_role,
    directory,
    give,
    make_eligible,
    person,
    request_activation,
    role,
    tree,
    unit,
)
from tests.stepping import verified

MINUTE = timedelta(minutes=1)
PAGES = ["/", "/manage/directory/roles/", "/manage/directory/", "/overview/directory/insights/"]


@pytest.fixture
def much(monkeypatch):
    """Have two rows be so many that they are counted lately."""
    monkeypatch.setattr("roles.tallies.MUCH", 1)


def at(moment: datetime) -> Any:
    return time_machine.travel(moment, tick=False)


def shown(user: User, page: str) -> str:
    """What a page says of how many are eligible for ever, and whether that is of now."""
    answer = verified(user).get(page)
    assert answer.status_code == 200
    found = re.search(r"counted\s*<time[^>]*datetime=\"([^\"]+)\"", answer.content.decode(), re.IGNORECASE)
    moment = datetime.fromisoformat(found[1]) - NOW if found else None
    return f"{_eligible(answer.context)} {'now' if moment is None else moment // MINUTE}"


def _eligible(context: Any) -> int:
    if "worlds" in context:
        return int(context["worlds"][0].figures.counts["eligible"])
    if "insights" in context:
        return next((one.count for one in context["insights"] if one.listed == "eligible-forever"), 0)
    if "figures" in context:
        return int(context["figures"].eligible)
    return sum(one.eligible for one in context["view"].holders.values())


@pytest.mark.parametrize("path", PAGES)
def test_where_there_is_little_each_page_counts_for_itself(petra: User, ines: User, path: str):
    with at(NOW):
        make_eligible(ines, role(EXCHANGE_ADMINISTRATOR), ends_at=None)
        assert shown(petra, path) == "1 now"
        make_eligible(ines, role(ids.SECURITY_READER), ends_at=None)
        assert shown(petra, path) == "2 now"
    assert not Tally.objects.exists()


@pytest.mark.parametrize("path", PAGES)
def test_where_there_is_much_the_worker_counts_every_few_minutes(petra: User, ines: User, much, path: str):
    with at(NOW):
        make_eligible(ines, role(EXCHANGE_ADMINISTRATOR), ends_at=None)
        assert shown(petra, path) == "1 0"
        make_eligible(ines, role(ids.SECURITY_READER), ends_at=None)
    with at(NOW + 4 * MINUTE - timedelta(seconds=1)):
        assert tasks.count() == 0
        assert shown(petra, path) == "1 0"
    with at(NOW + 4 * MINUTE):
        assert shown(petra, path) == "1 0"
        assert tasks.count() == Tally.objects.count() > 0
        assert shown(petra, path) == "2 4"
        assert tasks.count() == 0


@pytest.mark.parametrize("path", PAGES)
def test_while_the_worker_stands_still_no_figure_is_older_than_an_hour(petra: User, ines: User, much, path: str):
    with at(NOW):
        make_eligible(ines, role(EXCHANGE_ADMINISTRATOR), ends_at=None)
        assert shown(petra, path) == "1 0"
        make_eligible(ines, role(ids.SECURITY_READER), ends_at=None)
    with at(NOW + 59 * MINUTE):
        assert shown(petra, path) == "1 0"
    with at(NOW + HOUR):
        assert shown(petra, path) == "2 60"


def test_with_a_clock_that_was_set_back_a_page_counts_for_itself(petra: User, ines: User, much):
    with at(NOW):
        make_eligible(ines, role(EXCHANGE_ADMINISTRATOR), starts_at=NOW - DAY, ends_at=None)
        assert shown(petra, "/") == "1 0"
        make_eligible(ines, role(ids.SECURITY_READER), starts_at=NOW - DAY, ends_at=None)
    with at(NOW - MINUTE):
        assert shown(petra, "/") == "1 0"  # the clocks of two machines may differ by so much
    with at(NOW - MINUTE - timedelta(seconds=1)):
        assert shown(petra, "/").startswith("2 -")


def test_a_page_shows_figures_that_cannot_be_kept(petra: User, ines: User, much):
    refused = "disk full"
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(
                f"CREATE TRIGGER filled BEFORE INSERT ON roles_tally BEGIN SELECT RAISE(ABORT, '{refused}'); END"
            )
        else:
            body = f"BEGIN RAISE EXCEPTION '{refused}'; END"
            cursor.execute(f"CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $${body}$$")
            cursor.execute("CREATE TRIGGER filled BEFORE INSERT ON roles_tally EXECUTE FUNCTION refuse()")
    with at(NOW):
        make_eligible(ines, role(EXCHANGE_ADMINISTRATOR), ends_at=None)
        assert shown(petra, "/") == "1 0"
        make_eligible(ines, role(ids.SECURITY_READER), ends_at=None)
        assert shown(petra, "/") == "2 0"
    assert not Tally.objects.exists()


def test_what_nobody_looks_at_for_a_day_is_counted_no_more(petra: User, ines: User, much):
    with at(NOW):
        make_eligible(ines, role(EXCHANGE_ADMINISTRATOR), ends_at=None)
        shown(petra, "/")
        shown(petra, "/manage/directory/")
        assert Tally.objects.count() == 2
    for hours in range(1, 24):
        with at(NOW + hours * HOUR):
            assert tasks.count() == 2
            shown(petra, "/")
    with at(NOW + DAY):
        assert tasks.count() == 1
        assert Tally.objects.get().count == "world"


def test_that_somebody_looks_is_written_down_once_an_hour(petra: User, ines: User, much, django_assert_max_num_queries):
    with at(NOW):
        make_eligible(ines, role(EXCHANGE_ADMINISTRATOR), ends_at=None)
        shown(petra, "/")
    for minutes in (4, 8, 59):
        with at(NOW + minutes * MINUTE):
            tasks.count()
            shown(petra, "/")
            assert Tally.objects.get().seen_at == NOW
    with at(NOW + HOUR):
        shown(petra, "/")
        assert Tally.objects.get().seen_at == NOW + HOUR


def test_whoever_sees_one_unit_is_not_told_what_others_see(petra: User, ines: User, much):
    sales = unit("Sales")
    with at(NOW):
        for at_place in (directory(), sales):
            make_eligible(ines, role(ids.USER_ADMINISTRATOR), at_place, ends_at=None)
        make_eligible(ines, role(EXCHANGE_ADMINISTRATOR), ends_at=None)
        unit_only = person("una")
        give(unit_only, role(ids.PRIVILEGED_ROLE_ADMINISTRATOR), sales)
        assert shown(petra, "/").startswith("3 ")
        assert shown(unit_only, "/").startswith("1 ")
        assert shown(petra, "/").startswith("3 ")


def _subscription(name: str, below: Resource) -> Resource:
    kind, long_ago = ResourceKind.SUBSCRIPTION, lambda: NOW - 400 * DAY
    return add_resource(kind, name=name, parent=below, actor=OPERATOR, clock=long_ago)


def _told(owner: User) -> tuple[set[str], int]:
    """Which roles are held, by the overview, and how many stand for ever, by the insights."""
    client = verified(owner)
    (world,) = client.get("/").context["worlds"]
    insights = client.get("/overview/resource/insights/").context["insights"]
    standing = next(one.count for one in insights if one.title == "Standing access in all")
    return {one.name for one in world.figures.held}, standing


def test_whoever_has_a_place_where_another_stood_is_not_told_what_was_there(petra: User, much):
    """A place that is moved leaves its path, and what is made there next has it."""
    with at(NOW):
        root, elsewhere = tree("Contoso")[0], tree("Elsewhere")[0]
        secret, keeper, olga = _subscription("Secret", root), person("keeper"), person("olga")
        give(keeper, role(ids.OWNER), secret, ends_at=None)
        give(person("spy"), custom_role(secret, "Launch codes"), secret, ends_at=None)
        assert _told(keeper) == ({"Owner", "Launch codes"}, 2)
        move_resource(secret.pk, elsewhere.pk, seen=None, actor=OPERATOR, clock=lambda: NOW)
        other = _subscription("Next", root)
        assert other.path == secret.path
        give(olga, role(ids.OWNER), other, ends_at=None)
        assert _told(olga) == ({"Owner"}, 1)
    with at(NOW + 4 * MINUTE):
        tasks.count()
        assert _told(keeper) == ({"Owner", "Launch codes"}, 2)
        assert _told(olga) == ({"Owner"}, 1)


def test_kept_figures_are_those_that_would_be_counted_now(petra: User, ines: User, monkeypatch):
    sales = unit("Sales")
    with at(NOW):
        configure(role(EXCHANGE_ADMINISTRATOR), approval_required=True)
        waiting = make_eligible(ines, role(EXCHANGE_ADMINISTRATOR), ends_at=NOW + 5 * DAY)
        request_activation(ines, waiting, now=NOW - HOUR)
        configure(role(ids.SECURITY_READER), approval_required=False)
        request_activation(ines, make_eligible(ines, role(ids.SECURITY_READER), ends_at=None), now=NOW - DAY, hours=1)
        request_activation(ines, make_eligible(ines, role(ids.SECURITY_READER), sales, ends_at=None), hours=1)
        give(ines, role(ids.USER_ADMINISTRATOR), sales, ends_at=NOW + DAY)
        authority = Authority(petra, NOW)
        places = (directory(), sales)
        asked = role(ids.SECURITY_READER)

        def figures() -> list[Any]:
            said = [asdict(one) | {"counted_at": None} for one in worlds(authority)]
            at_places = [(figures_lately_of(one, NOW).found, holders_lately_at(one, NOW).found) for one in places]
            return [said, at_places]

        of_now = figures()
        assert not Tally.objects.exists()
        monkeypatch.setattr("roles.tallies.MUCH", 0)
        figures()
        assert {one.count for one in Tally.objects.all()} == {"world", "given at a place"}
        assert figures() == of_now
        assert of_now[0][0]["oldest"] == NOW - HOUR
        assert of_now[0][0]["waiting"] == 1
        assert sum(day["count"] for day in of_now[0][0]["days"]) == 2
        for one in places:
            assert holders_lately_at(one, NOW).found[asked.pk] == holders_of(asked, one, NOW)


def test_what_a_place_gives_is_counted_once_for_all_below_it(petra: User, ines: User, much):
    places = [unit("Sales"), unit("Research"), unit("Support")]
    with at(NOW):
        make_eligible(ines, role(ids.USER_ADMINISTRATOR), ends_at=None)
        make_eligible(ines, role(ids.USER_ADMINISTRATOR), places[0], ends_at=None)
        client = verified(petra)
        said = [client.get(address(one, "overview")).context["figures"].eligible for one in places]
        assert said == [2, 1, 1]
        assert [one.of for one in Tally.objects.all()] == [[str(directory().pk)]]


def test_a_count_that_takes_long_leaves_the_others_to_the_next_run(petra: User, much):
    asked: list[str] = []
    watched = Count("watched", lambda now, word: asked.append(word) or len(asked))  # type: ignore[func-returns-value]
    for minutes, word in enumerate(("newest", "middle", "oldest")):
        watched.lately(word, among=User.objects.none(), now=NOW)
        key = watched._key((word,))
        seen = {"counted_at": NOW - minutes * MINUTE, "seen_at": NOW}
        Tally.objects.create(pk=key, count="watched", of=[word], found=0, **seen)
    asked.clear()
    later = lambda: NOW + HOUR  # noqa: E731
    assert count_anew([watched], clock=later, seconds=0) == 0
    assert count_anew([watched], clock=later, seconds=60) == 3
    assert asked == ["oldest", "middle", "newest"]
    assert count_anew([watched], clock=later, seconds=60) == 0
    assert count_anew([INSIGHTS], clock=later, seconds=60) == 0
    assert not Tally.objects.exists()  # nobody counts that any more


def test_a_count_that_fails_holds_up_no_other_and_is_asked_again_by_whoever_looks(
    petra: User, ines: User, caplog, much
):
    broken: list[str] = []

    def count(now: datetime, word: str) -> str:
        if word in broken:
            User.objects.raw("SELECT no_such_column FROM roles_user")[0]
        return word

    counted = Count("counted", count)
    for minutes, word in enumerate(("newest", "middle", "oldest")):
        counted.lately(word, among=User.objects.all(), now=NOW - minutes * MINUTE)
    broken.append("oldest")
    assert count_anew([counted], clock=lambda: NOW + HOUR, seconds=60) == 2
    assert sorted(one.of for one in Tally.objects.all()) == [["middle"], ["newest"]]
    assert "counted of ['oldest'] could not be counted" in caplog.text
    broken.clear()
    counted.lately("oldest", among=User.objects.all(), now=NOW + HOUR)
    assert Tally.objects.count() == 3


def test_insights_name_what_their_lists_count(db):
    assert set(INSIGHTS.ask(NOW, [str(ids.DIRECTORY)])) == {"standing", "privileged", "globally", "forever", "unused"}
