"""Lists that are too long to be put in order: they stand in the order of an index, and only what is shown is read."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver

from approvals.models import Request, Status
from roles import ids
from roles.models import Assignment, Resource, User
from roles.places import address
from roles.selectors.assignment_lists import LISTS, WALKING, first_at
from roles.selectors.reach import reaching
from tests.people import (
    DAY,
    EXCHANGE_ADMINISTRATOR,
    HOUR,
    NOW,
    configure,
    directory,
    give,
    group,
    make_eligible,
    person,
    request_activation,
    role,
    unit,
)
from tests.stepping import verified

LONG = 3


@pytest.fixture(autouse=True)
def _now():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def many(petra: User, monkeypatch) -> list[str]:
    """Five eligible people, the first by name the longest, where three are many."""
    monkeypatch.setattr("roles.list_rows.MOST_COUNTED", LONG)
    monkeypatch.setattr("roles.lists.ListPaginator.SIZES", (2, 50))
    names = ["Anna", "Bert", "Cleo", "Dora", "Emil"]
    for days, name in enumerate(reversed(names), 1):
        since = {"starts_at": NOW - days * DAY}
        make_eligible(person(name.lower()), role(EXCHANGE_ADMINISTRATOR), **since)
    # Whose time has not come, or is over, is no more in the list for being newer.
    make_eligible(person("later"), role(EXCHANGE_ADMINISTRATOR), starts_at=NOW + DAY)
    make_eligible(person("over"), role(EXCHANGE_ADMINISTRATOR), starts_at=NOW - 9 * HOUR, ends_at=NOW - HOUR)
    return names


def shown(client: Any, query: str = "") -> list[str]:
    answer = client.get(f"{address(directory(), 'assignments')}?per_page=2&{query}")
    assert answer.status_code == 200
    return [row.record.principal.name for row in answer.context["table"].paginated_rows]


def test_a_long_list_stands_newest_first_and_is_whole(petra: User, many: list[str]):
    client = verified(petra)
    pages = [shown(client, f"page={number}") for number in (1, 2, 3)]
    assert pages == [["Emil", "Dora"], ["Cleo", "Bert"], ["Anna"]]
    html = client.get(address(directory(), "assignments")).content.decode()
    assert "of more than 3" in html
    assert "3+" in html
    assert "Newest first" in html


def test_whoever_sorts_it_has_it_sorted(petra: User, many: list[str]):
    client = verified(petra)
    assert shown(client, "sort=name") == ["Anna", "Bert"]
    assert shown(client, "sort=name&page=3") == ["Emil"]
    assert "Newest first" not in client.get(address(directory(), "assignments") + "?sort=name").content.decode()


def test_a_short_list_stands_by_name(petra: User, many: list[str]):
    Assignment.objects.filter(principal__name__in=many[3:]).update(ends_at=NOW)
    client = verified(petra)
    assert shown(client) + shown(client, "page=2") == many[:3]
    assert "Newest first" not in client.get(address(directory(), "assignments")).content.decode()


@pytest.mark.parametrize("tab", ["eligible", "active", "expired"])
def test_an_index_has_the_order_in_which_a_long_list_is_read(petra: User, many: list[str], tab: str):
    """Nothing is sorted: the database stops as soon as it has seen enough.

    Of five rows any plan is cheap: PostgreSQL is kept from sorting, so that it goes by an index if there is one; and
    from those that have the same order for all places together, which it took now and then (they are back with the end
    of the test's transaction). What begins later is of both types, and sorted: there is never much.
    """
    rows = LISTS[tab](directory(), NOW).order_by(*WALKING[tab]).values_list("pk", flat=True)[: LONG + 1]
    sql, params = rows.query.sql_with_params()
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            for method in ("seqscan", "bitmapscan", "sort"):
                cursor.execute(f"SET LOCAL enable_{method} = off")
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # what is still to be checked keeps the table as it is
            cursor.execute("DROP INDEX assignment_newest, assignment_newest_standing, assignment_newest_activated")
        cursor.execute(f"EXPLAIN {'' if connection.vendor == 'postgresql' else 'QUERY PLAN'} {sql}", params)
        plan = "\n".join(" ".join(map(str, row)) for row in cursor.fetchall())
    index = "assignment_over_at_resource" if tab == "expired" else "assignment_newest_at_resource"
    assert index in plan
    assert not re.search(r"^ *-> +Sort|TEMP B-TREE", plan, re.MULTILINE)


def test_no_index_answers_that_it_has_begun_and_is_not_over(petra: User):
    """Nearly all that is open is so. Of fifty groups, and of one person, PostgreSQL read it all from an index."""
    sql, _params = Assignment.objects.in_effect(NOW).query.sql_with_params()
    assert not re.search(r'ends_at"? IS NULL', sql)
    begun = len(re.findall(r'starts_at"? <= ', sql))
    assert begun == len(re.findall(r'COALESCE\(\s*[\w".]+starts_at"? <= [^,]+, FALSE\)', sql)) > 1
    assert re.search(r'COALESCE\( ?"roles_assignment"."ends_at" > %s ?, TRUE\)', sql)


def test_what_is_in_effect_is_asked_once_for_a_long_list(petra: User, many: list[str]):
    """Once for its keys, which are counted, too; the rows are fetched by them. And once for the tab beside it."""
    client = verified(petra)
    with CaptureQueriesContext(connection) as asked:
        shown(client)
    lists = [one["sql"] for one in asked.captured_queries if "held_e" in one["sql"] and " UNION " not in one["sql"]]
    at_the_place = [sql for sql in lists if '"roles_assignment"."resource_id" =' in sql]
    assert len(at_the_place) == 2, "\n\n".join(at_the_place)


def test_a_tab_with_more_than_are_counted_is_not_counted_anew_at_once(petra: User, many: list[str], monkeypatch):
    monkeypatch.setattr("roles.views.assignments.MOST_COUNTED", LONG)
    asked: list[Any] = []

    def noted(name: str, *where: Any) -> list[Any]:
        asked.append(name)
        return first_at(name, *where)

    monkeypatch.setattr("roles.views.assignments.first_at", noted)
    client, there = verified(petra), f"{address(directory(), 'assignments')}?tab=active"

    def numbers() -> dict[str, str]:
        return {str(one.label): one.said for one in client.get(there).context["list_tabs"]}

    first = numbers()
    assert first["Eligible"] == "3+"
    assert asked == ["active", "eligible", "scheduled", "expired"]
    asked.clear()
    assert numbers() == first
    assert asked == ["active", "scheduled", "expired"]
    cache.clear()  # as after a minute
    Assignment.objects.filter(principal__name__in=many[2:]).update(ends_at=NOW)
    assert numbers()["Eligible"] == "2"


def test_a_history_offers_whom_its_first_rows_name_and_takes_any_other(petra: User, monkeypatch):
    monkeypatch.setattr("approvals.tables.history.MOST_COUNTED", 2)
    configure(role(EXCHANGE_ADMINISTRATOR), approval_required=False)
    people = [person(name) for name in ("anna", "bert", "cleo")]
    for number, user in enumerate(people):
        moment = NOW - 10 * HOUR + number * HOUR
        request_activation(user, make_eligible(user, role(EXCHANGE_ADMINISTRATOR)), now=moment, hours=0.5)
    client, page = verified(petra), address(directory(), "requests")

    def offered(query: str = "") -> list[str]:
        form = client.get(page + query).context["filter"].form
        return [label for value, label in form.fields["person"].choices if value]

    assert offered() == ["Bert", "Cleo"]
    assert offered(f"?person={people[0].pk}") == ["Anna", "Bert", "Cleo"]
    assert offered(f"?person={petra.pk}") == ["Bert", "Cleo"]
    only = client.get(f"{page}?person={people[0].pk}").context["table"]
    assert [row.record.principal.name for row in only.paginated_rows] == ["Anna"]


def test_a_long_history_is_walked_once_for_its_rows_and_its_filters(petra: User, monkeypatch):
    for module in ("approvals.tables.history", "roles.list_rows"):
        monkeypatch.setattr(f"{module}.MOST_COUNTED", LONG)
    monkeypatch.setattr("roles.lists.ListPaginator.SIZES", (2, 50))
    configure(role(EXCHANGE_ADMINISTRATOR), approval_required=False)
    names = ["anna", "bert", "cleo", "dora", "emil"]
    for number, user in enumerate(map(person, names)):
        moment = NOW - 10 * HOUR + number * HOUR
        request_activation(user, make_eligible(user, role(EXCHANGE_ADMINISTRATOR)), now=moment, hours=0.5)
    client, page = verified(petra), f"{address(directory(), 'requests')}?per_page=2"

    def listed(query: str = "") -> list[str]:
        return [row.record.principal.name.lower() for row in client.get(page + query).context["table"].paginated_rows]

    assert [*listed(), *listed("&page=2"), *listed("&page=3")] == names[::-1]
    assert listed("&sort=made_at") == names[:2]
    assert listed(f"&person={User.objects.get(username='bert').pk}") == ["bert"]
    with CaptureQueriesContext(connection) as asked:
        listed()
    walks = [sql for one in asked.captured_queries if re.search("made_at.? DESC.*LIMIT", sql := one["sql"], re.DOTALL)]
    assert len(walks) == 1, "\n\n".join(walks)


def pages_of(client: Any, address: str, query: str = "") -> list[Any]:
    """The rows of all pages of a list, in their order."""
    found: list[Any] = []
    for number in range(1, 50):
        page = f"&page={number}" if number > 1 else ""  # as it is opened from elsewhere
        answer = client.get(f"{address}?per_page=2{page}&{query}")
        assert answer.status_code == 200
        shown = answer.context["table"].page
        found += [row.record for row in shown.object_list]
        if not shown.has_next():
            return found
    raise AssertionError("The list never ends.")


def _short_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have pages of two rows, of which each next page is looked for when it is asked for."""
    _ = get_resolver().url_patterns  # all is imported by now: a module would else take this number for good
    monkeypatch.setattr("roles.list_rows.MOST_COUNTED", LONG)
    monkeypatch.setattr("roles.list_rows.SIZES", (2,))
    monkeypatch.setattr("roles.lists.ListPaginator.SIZES", (2, 50))


@pytest.fixture
def reached(petra: User, monkeypatch) -> Resource:
    """A unit that many reach: directly, from above, and through groups, some of which nobody belongs to."""
    _short_reach(monkeypatch)
    place, now = unit("Sales"), NOW - 20 * DAY
    team = group("Team", *map(person, ("anna", "bert", "cleo")), now=now)
    make_eligible(person("ruth"), role(ids.GROUP_MEMBER), team.resource, starts_at=NOW - 9 * DAY)
    given = [
        (group("Nobody's"), directory(), 1),
        (group("No one's"), place, 2),
        (group("Empty"), place, 3),
        (team, place, 4),
        (person("dora"), directory(), 5),
        (person("emil"), place, 6),
        (team, directory(), 7),
        (person("fritz"), place, 8),
        (person("gesa"), directory(), 8),
    ]
    configure(role(EXCHANGE_ADMINISTRATOR), approval_required=False)
    for number, (who, where, days) in enumerate(given):
        grant = give if number % 2 else make_eligible
        what = role(EXCHANGE_ADMINISTRATOR if where == directory() else ids.USER_ADMINISTRATOR)
        made = grant(who, what, where, starts_at=NOW - days * DAY)
        if days == 7:
            request_activation(User.objects.get(username="bert"), made, now=NOW - HOUR, hours=8)
    return place


def _through_group(row: Any) -> bool:
    return "group" in (row.principal.kind, row.activated_from.principal.kind if row.activated_from else "")


def _from_above(row: Any, place: Resource) -> bool:
    return bool(place != (row.activated_from or row).resource or place != row.resource)


def _has(row: Any, word: str) -> bool:
    return word in row.person_key or word in row.role.name_key


SOUGHT: dict[str, Callable[[Any, Resource], bool]] = {
    "": lambda row, place: True,
    "when=now": lambda row, place: row.when == "now",
    "when=after": lambda row, place: row.when == "after",
    "how=group": lambda row, place: _through_group(row),
    "how=direct": lambda row, place: not _through_group(row) and not _from_above(row, place),
    "how=inherited": _from_above,
    "q=anna": lambda row, place: row.person_key == "anna",
    "q=exchange": lambda row, place: row.role_id == EXCHANGE_ADMINISTRATOR,
    "q=c": lambda row, place: _has(row, "c"),
    "q=r+t": lambda row, place: _has(row, "r") and _has(row, "t"),
    "q=bert&when=now": lambda row, place: row.person_key == "bert" and row.when == "now",
    "q=bert&when=after&how=group": lambda row, place: row.person_key == "bert" and row.when == "after",
}


@pytest.mark.parametrize("at_once", [1, 256])
@pytest.mark.parametrize(("query", "few"), [(one, few) for one in SOUGHT for few in (0, 200) if few or "q=" in one])
def test_a_long_list_of_who_can_do_what_has_each_person_once(
    petra: User, reached: Resource, monkeypatch, query: str, at_once: int, few: int
):
    """Through a group an assignment stands in it once for each member; each page is asked for by its own rows."""
    for name in ("walking.AT_FIRST", "walking.AT_ONCE", "reach_walks.AT_FIRST"):
        monkeypatch.setattr(f"roles.selectors.{name}", at_once)
    for name in ("keys", "reach"):
        monkeypatch.setattr(f"roles.selectors.{name}.FEW_NAMES", few)
    rows = [row for row in reaching(reached, NOW) if SOUGHT[query](row, reached)]
    wanted = sorted((row.pk, row.person_id, row.membership_id) for row in rows)
    shown = pages_of(verified(petra), address(reached, "reach"), query)
    assert sorted((row.pk, row.person_id, row.membership_id) for row in shown) == wanted
    assert len(wanted) > ("&" not in query)
    if len(rows) <= LONG:
        assert [(row.pk, row.membership_id) for row in shown] == [(row.pk, row.membership_id) for row in rows]
    else:
        moments = [row.starts_at for row in shown]
        assert moments == sorted(moments, reverse=True)
    assert all(row.reach.person.pk == row.person_id for row in shown)


@pytest.mark.parametrize("narrowed", ["", "when=now", "q=c"])
@pytest.mark.parametrize("sort", ["person", "-person", "role", "-role", "when", "until"])
def test_who_can_do_what_sorted_is_whole_and_in_that_order(
    petra: User, reached: Resource, monkeypatch, sort: str, narrowed: str
):
    """By person and by role it is put together a few names at a time; of two people of one name, too."""
    for name in ("FEW_PEOPLE", "FEW_ROLES", "MORE_EACH_TIME"):
        monkeypatch.setattr(f"roles.selectors.reach_walks.{name}", 1)
    for number in range(2):
        namesake = person(f"namesake{number}", name="Cleo")
        give(namesake, role(ids.USER_ADMINISTRATOR), reached, starts_at=NOW - 3 * DAY)
        make_eligible(namesake, role(EXCHANGE_ADMINISTRATOR), starts_at=NOW - 4 * DAY)
    rows = [row for row in reaching(reached, NOW) if SOUGHT[narrowed](row, reached)]
    shown = pages_of(verified(petra), address(reached, "reach"), f"sort={sort}&{narrowed}")
    assert sorted((row.pk, row.person_id) for row in shown) == sorted((row.pk, row.person_id) for row in rows)
    said: dict[str, Callable[[Any], Any]] = {
        "person": lambda row: (row.reach.person.name_key, row.role.name_key, row.pk, row.membership_id),
        "role": lambda row: (row.role.name_key, row.reach.person.name_key, row.pk, row.membership_id),
        "when": lambda row: (row.when, row.reach.person.name_key, row.role.name_key),
    }
    if by := said.get(sort.lstrip("-")):
        assert shown == sorted(shown, key=by, reverse=sort.startswith("-"))
    assert len(shown) > 4


@pytest.fixture
def two_of_one_team(petra: User) -> Resource:
    """A unit where a team holds one role, and may activate another; of its two members one has yet to join."""
    place, since = unit("Sales"), NOW - 20 * DAY
    team = group("Team", person("anna", name="Anna Exchange"), now=since)
    make_eligible(person("ruth"), role(ids.GROUP_MEMBER), team.resource, starts_at=NOW - 9 * DAY)
    give(team, role(ids.USER_ADMINISTRATOR), place, starts_at=NOW - 4 * DAY)
    make_eligible(team, role(EXCHANGE_ADMINISTRATOR), starts_at=NOW - 3 * DAY)
    return place


@pytest.mark.parametrize("sort", ["", "sort=person", "sort=-role"])
@pytest.mark.parametrize("most", [LONG, 200])
@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        # By whom it is about in one row, and by the role in all others.
        ("q=exchange", ["Anna Exchange: Exchange", "Anna Exchange: User", "Ruth: Exchange"]),
        # Who is a member already has at once what the team holds.
        ("when=after", ["Anna Exchange: Exchange", "Ruth: Exchange", "Ruth: User"]),
        ("when=now", ["Anna Exchange: User", "Petra: Privileged"]),
    ],
)
def test_of_a_group_those_members_alone_are_listed_that_are_looked_for(
    petra: User, two_of_one_team: Resource, monkeypatch, sort: str, most: int, query: str, wanted: list[str]
):
    _short_reach(monkeypatch)
    monkeypatch.setattr("roles.list_rows.MOST_COUNTED", most)
    shown = pages_of(verified(petra), address(two_of_one_team, "reach"), f"{query}&{sort}")
    assert sorted(f"{row.reach.person.name}: {row.role.name.split()[0]}" for row in shown) == wanted


def most_values(client: Any, page: str) -> int:
    """With how many values the longest statement of a page is asked."""
    asked: list[int] = []

    def noted(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        asked.append(len(params or ()))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(noted):
        assert client.get(page).status_code == 200
    return max(asked)


@pytest.mark.parametrize(
    "query", ["q=exchange", "q=x", "sort=person", "sort=role", "sort=-role&q=exchange", "when=now"]
)
def test_of_a_group_of_everybody_no_statement_takes_each_member_as_a_value(
    petra: User, two_of_one_team: Resource, monkeypatch, query: str
):
    """PostgreSQL takes no more than 65,535 of them."""
    _short_reach(monkeypatch)
    monkeypatch.setattr("roles.selectors.keys.FEW", 4)
    monkeypatch.setattr("roles.models.prepared.SIZES", (1, 2, 3, 4))
    for name in ("walking.AT_FIRST", "walking.AT_ONCE", "reach_walks.AT_FIRST", "reach_walks.FEW_PEOPLE"):
        monkeypatch.setattr(f"roles.selectors.{name}", 4)
    team = Resource.objects.get(name="Team")

    def asked_with(members: int) -> int:
        for number in range(members):
            one = person(f"x{members}-{number}", factor=False)
            give(one, role(ids.GROUP_MEMBER), team)
            give(one, role(EXCHANGE_ADMINISTRATOR))
        return most_values(verified(petra), f"{address(directory(), 'reach')}?per_page=2&{query}")

    assert asked_with(6) == asked_with(18)


def test_a_short_list_of_who_can_do_what_stands_by_name(petra: User, reached: Resource, monkeypatch):
    monkeypatch.setattr("roles.list_rows.MOST_COUNTED", 50)
    rows = reaching(reached, NOW)
    shown = pages_of(verified(petra), address(reached, "reach"))
    assert [(row.pk, row.membership_id, row.when) for row in shown] == [
        (row.pk, row.membership_id, row.when) for row in rows
    ]
    assert len(shown) > LONG


@pytest.mark.parametrize("tab", list(LISTS))
@pytest.mark.parametrize("query", ["", "membership=direct", "membership=inherited", "membership=group", "holder=user"])
def test_a_long_list_at_a_place_below_another_is_whole_and_in_its_order(
    petra: User, reached: Resource, tab: str, query: str
):
    """What is given there and above is looked for a place at a time, and stands as one list."""
    for days, (who, where) in enumerate([("henk", reached), ("ida", directory()), ("jan", reached), ("kim", reached)]):
        what = role(EXCHANGE_ADMINISTRATOR if where == directory() else ids.USER_ADMINISTRATOR)
        make_eligible(person(who), what, where, starts_at=NOW + (days // 2 + 1) * DAY)
        over = {"starts_at": NOW - 9 * DAY, "ends_at": NOW - (days // 2 + 1) * DAY}
        make_eligible(person(f"{who}-over"), what, where, **over)
    rows: list[Any] = list(LISTS[tab](reached, NOW))
    name, _, value = query.partition("=")
    if name == "membership":
        rows = [row for row in rows if row.membership == value]
    if name == "holder":
        rows = [row for row in rows if row.principal.kind == "user"]
    moment = "over" if tab == "expired" else "starts_at"
    if len(rows) > LONG:
        rows.sort(key=lambda row: row.pk)
        rows.sort(key=lambda row: getattr(row, moment), reverse=tab != "scheduled")
    shown = pages_of(verified(petra), address(reached, "assignments"), f"tab={tab}&{query}")
    assert [row.pk for row in shown] == [row.pk for row in rows]
    if not query:
        assert len(rows) > LONG


@pytest.mark.parametrize("tab", ["eligible", "active"])
@pytest.mark.parametrize("narrowed", ["", "holder=user"])
@pytest.mark.parametrize("sort", ["name", "-name", "role", "-role", "start", "-start", "end", "membership"])
def test_a_long_list_that_somebody_sorts_is_whole_and_in_that_order(
    petra: User, reached: Resource, monkeypatch, tab: str, narrowed: str, sort: str
):
    for name in ("AT_FIRST", "AT_ONCE"):
        monkeypatch.setattr(f"roles.selectors.walking.{name}", 2)
    for who, where in [("henk", reached), ("ida", directory()), ("jan", reached), ("kim", reached)]:
        what = role(EXCHANGE_ADMINISTRATOR if where == directory() else ids.USER_ADMINISTRATOR)
        for give_it in (make_eligible, give):
            give_it(person(f"{who}-{give_it.__name__}"), what, where, starts_at=NOW - 3 * DAY)
    rows: list[Any] = list(LISTS[tab](reached, NOW))
    rows = [row for row in rows if not narrowed or row.principal.kind == "user"]
    said: dict[str, Callable[[Any], Any]] = {
        "name": lambda row: row.principal.name_key,
        "role": lambda row: row.role.name_key,
        "start": lambda row: row.starts_at,
        "end": lambda row: row.ends_at or NOW + 9999 * DAY,
        "membership": lambda row: row.membership,
    }
    shown = pages_of(verified(petra), address(reached, "assignments"), f"tab={tab}&sort={sort}&{narrowed}")
    assert sorted(row.pk for row in shown) == sorted(row.pk for row in rows)
    assert len(rows) > LONG
    by = said[sort.lstrip("-")]
    if sort != "end":  # where databases disagree on what has none
        rows.sort(key=lambda row: row.pk)
        rows.sort(key=by, reverse=sort.startswith("-"))
        assert [row.pk for row in shown] == [row.pk for row in rows]


@pytest.mark.parametrize(
    "query", ["status=pending", "status=lapsed", "status=pending&q=bert", "status=pending&sort=role"]
)
def test_what_waits_in_a_long_history_is_as_each_request_reads(petra: User, adam: User, monkeypatch, query: str):
    """Asked of the newest alone, further back only while there are too few; every third can no longer be decided."""
    _short_reach(monkeypatch)
    configure(role(EXCHANGE_ADMINISTRATOR), approvers=[adam])
    names = ["anna", "bert", "cleo", "dora", "emil", "fritz", "gesa", "henk", "ida", "jan"]
    for number, name in enumerate(names):
        asked_at = NOW - 10 * HOUR + number * HOUR / 2
        eligible = make_eligible(person(name), role(EXCHANGE_ADMINISTRATOR), starts_at=NOW - 9 * DAY)
        request = request_activation(User.objects.get(username=name), eligible, now=asked_at)
        if number % 3 == 2:
            Assignment.objects.filter(pk=eligible.pk).update(ends_at=NOW - HOUR)
        if number == 5:
            Request.objects.filter(pk=request.pk).update(status=Status.LAPSED, decided_at=NOW - HOUR)
    wanted = {name for number, name in enumerate(names) if (number % 3 == 2) == ("lapsed" in query)}
    wanted &= {"bert"} if "bert" in query else wanted
    shown = pages_of(verified(petra), address(directory(), "requests"), query)
    assert {row.principal.name.lower() for row in shown} == wanted
    assert len(shown) == len(wanted)
    assert {row.status_now for row in shown} == {Status.LAPSED if "lapsed" in query else Status.PENDING}
    if "sort" not in query:
        assert shown == sorted(shown, key=lambda row: row.made_at, reverse=True)
    file = verified(petra).get(address(directory(), "requests") + f"?download=csv&{query}")
    lines = b"".join(file.streaming_content).decode().splitlines()  # type: ignore[attr-defined]
    assert len(lines) == 1 + len(wanted)
