"""The one text in which people and groups are searched for: who writes it, what is found in it and by whom."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from pim_portal.overview.views.licences import LicenceFilter
from pim_portal.people.tables import PeopleFilter
from roles.models import Group, Principal, Resource, User
from roles.models.planning import planned_anew
from roles.models.principals import MAX_KEY, MAX_NAME_KEY, MAX_SEARCH_TEXT, search_text_of
from roles.pills import ListFilter
from roles.places import address
from roles.selectors.prospects import principals_matching
from roles.services.groups import change_group
from roles.services.people import change_person
from tests.people import (
    EXCHANGE_ADMINISTRATOR,
    NOW,
    OPERATOR,
    at,
    directory,
    group,
    make_eligible,
    person,
    role,
)
from tests.test_import_things import PEOPLE, bring
from tests.visitors import visiting

pytestmark = pytest.mark.django_db
postgres = pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite reads all names")


def text_of(principal: Principal) -> str:
    """What the database has."""
    return Principal.objects.values_list("search_text", flat=True).get(pk=principal.pk)


def change(user: User, **changes: Any) -> User:
    fields = ("name", "username", "email", "job_title", "department", "manager_id")
    values = {field: getattr(user, field) for field in fields} | changes
    return change_person(user.pk, **values, actor=OPERATOR, clock=at(NOW))


# Who writes it


def test_a_person_is_searched_for_by_name_user_name_and_address_folded():
    assert text_of(person("Ines", name="Ines GROẞ", email="I@Example.org")) == "ines gross\nines\n\ni@example.org"


def test_somebody_without_an_address_has_the_border_all_the_same():
    assert text_of(person("ines", email="")) == "ines\nines\n\n"


def test_a_group_is_searched_for_by_its_name():
    assert text_of(group("Night Shift")) == "night shift\n\n"


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"name": "Ines K."}, "ines k.\nines\n\nines@example.org"),
        ({"username": "INES2"}, "ines\nines2\n\nines@example.org"),
        ({"email": "new@example.org"}, "ines\nines\n\nnew@example.org"),
    ],
)
def test_whoever_is_changed_is_searched_for_by_what_is_new(changes: dict[str, str], text: str):
    assert text_of(change(person("ines"), **changes)) == text


def test_a_group_that_is_renamed_is_searched_for_by_its_new_name():
    shift = group("Night shift")
    change_group(shift.pk, name="Day shift", description="", actor=OPERATOR, clock=at(NOW))
    shift.refresh_from_db()
    assert (shift.name_key, text_of(shift)) == ("day shift", "day shift\n\n")


@pytest.mark.parametrize(("field", "key"), [("name", "name_key"), ("username", "username_key"), ("email", "email_key")])
def test_what_is_saved_alone_takes_what_follows_from_it_along(field: str, key: str):
    ines = person("ines")
    setattr(ines, field, "X@new.example")
    ines.save(update_fields=[field])
    ines.refresh_from_db()
    assert getattr(ines, key) == "x@new.example"
    assert "x@new.example" in text_of(ines)


def test_what_is_saved_besides_leaves_the_text_alone():
    ines = person("ines")
    stale = User.objects.get(pk=ines.pk)
    change(ines, name="Ines K.")
    stale.enabled = False
    stale.save(update_fields=["enabled"])
    assert text_of(ines).startswith("ines k.\n")


def test_a_person_saved_as_a_principal_keeps_user_name_and_address():
    bare = Principal.objects.get(pk=person("ines").pk)
    bare.name = "Ines K."
    bare.save()
    assert text_of(bare) == "ines k.\nines\n\nines@example.org"


def test_people_and_groups_that_are_imported_are_searched_for():
    bring("people", PEOPLE + "ines,Ines K.,ines@example.org,\nadam,Adam,,ines\n")
    assert text_of(User.objects.get(username="ines")) == "ines k.\nines\n\nines@example.org"
    assert text_of(User.objects.get(username="adam")) == "adam\nadam\n\n"
    bring("groups", "Group,Description,Members,Owners\nShift,,ines,adam\n")
    assert text_of(Group.objects.get(name="Shift")) == "shift\n\n"


def test_the_longest_names_and_address_have_room():
    user = person("ines")
    longest = search_text_of("n" * MAX_NAME_KEY, "u" * MAX_KEY, address="e" * MAX_KEY)
    User.objects.filter(pk=user.pk).update(search_text=longest)
    assert len(text_of(user)) == MAX_SEARCH_TEXT


@pytest.mark.django_db(transaction=True)
def test_the_migration_fills_it_for_whoever_was_there_before():
    ines, adam, shift = person("ines", name="Ines Süß"), person("adam", email=""), group("Shift")
    wanted = [text_of(one) for one in (ines, adam, shift)]
    try:
        call_command("migrate", "roles", "0012", verbosity=0)
        with connection.cursor() as cursor:
            columns = connection.introspection.get_table_description(cursor, "roles_principal")
        assert "search_text" not in {one.name for one in columns}
    finally:
        call_command("migrate", verbosity=0)
    assert (
        [text_of(one) for one in (ines, adam, shift)]
        == wanted
        == [
            "ines süss\nines\n\nines@example.org",
            "adam\nadam\n\n",
            "shift\n\n",
        ]
    )
    assert run_checks(tags=["database"], databases=["default"]) == []


# What is found


def found(client: Client, query: str) -> list[str]:
    answer = client.get(reverse("people"), {"q": query})
    assert answer.status_code == 200
    return [row.record.username for row in answer.context["table"].page.object_list]


@pytest.fixture
def among(petra: User) -> Client:
    """Petra's browser; beside her there are Ines and Zed."""
    person("ines", name="Ines 100%_Straße", email="mail@north.example")
    person("zed", name="Ann Okafor", email="zed@south.example")
    return visiting(petra)


@pytest.mark.parametrize(
    ("query", "who"),
    [
        ("okafor", ["zed"]),  # by the name
        ("zed", ["zed"]),  # by the user name
        ("north.example", ["ines"]),  # by the address
        ("ann zed south", ["zed"]),  # each word anywhere
        ("ann north", []),
        ("STRASSE", ["ines"]),
        ("straße", ["ines"]),
        ("%", ["ines"]),
        ("_", ["ines"]),
        ("100%_s", ["ines"]),
        ("100x", []),
        ("okaforzed", []),  # no word reaches from one part into the next
        ("zedzed@", []),
        ("k_f", []),
        ("k%r", []),
        ("\\", []),
    ],
)
def test_people_are_found_by_name_user_name_and_address(among: Client, query: str, who: list[str]):
    assert found(among, query) == who


def test_a_search_for_what_no_text_can_hold_is_no_error(among: Client):
    assert among.get(reverse("people"), {"q": "\0"}).status_code == 200
    assert [str(one) for one in principals_matching("ok\0afor")] == ["Ann Okafor"]


@pytest.mark.parametrize("query", ["okafor", "zed", "OKAFOR ann"])
def test_the_names_find_somebody_wherever_people_are_chosen(among: Client, query: str):
    zed = User.objects.get(username="zed")
    make_eligible(zed, role(EXCHANGE_ADMINISTRATOR), now=timezone.now())
    assert [one.pk for one in principals_matching(query)] == [zed.pk]
    assert _holders(among, query) == ["Ann Okafor"]


@pytest.mark.parametrize("query", ["south", "south.example", "@", "zed@south.example", "\n\n"])
def test_where_no_addresses_are_shown_none_is_found(among: Client, query: str):
    zed = User.objects.get(username="zed")
    make_eligible(zed, role(EXCHANGE_ADMINISTRATOR), now=timezone.now())
    assert not Principal.objects.filter(search_text__in_names=query).exists()
    if query.strip():
        assert principals_matching(query) == []
        assert _holders(among, query) == []
        assert _acted(among, query) == 0


def test_addresses_are_searched_only_by_the_lists_of_whoever_sees_people():
    reverse("people")  # with it all pages are loaded
    everywhere = {one for one in _below(ListFilter) if any("search_text__contains" in word for word in one.search_in)}
    assert everywhere == {PeopleFilter, LicenceFilter}


def _below(kind: type[ListFilter]) -> set[type[ListFilter]]:
    return {kind}.union(*(_below(one) for one in kind.__subclasses__()))


def _holders(client: Client, query: str) -> list[str]:
    answer = client.get(address(directory(), "assignments"), {"q": query})
    return [row.record.principal.name for row in answer.context["table"].page.object_list]


def _acted(client: Client, who: str) -> int:
    return len(client.get(reverse("audit"), {"target": who}).context["table"].page.object_list)


def test_the_history_of_somebody_is_found_by_their_names_as_they_stand(among: Client):
    assert _acted(among, "Ann Okafor") > 0
    assert _acted(among, "zed") > 0
    assert _acted(among, "okafor\nzed") == 0


def test_the_admin_searches_in_it_and_lets_nobody_filter_by_it_from_elsewhere(among: Client):
    answer = among.get(reverse("admin:roles_user_changelist"), {"q": "SOUTH.example"})
    assert [one.username for one in answer.context["cl"].result_list] == ["zed"]
    elsewhere = reverse("admin:roles_assignment_changelist")
    assert among.get(elsewhere, {"principal__search_text__contains": "south"}).status_code == 400


# How it is found


def test_the_list_of_people_looks_for_a_word_once(among: Client, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("roles.list_rows.MOST_COUNTED", 3)
    monkeypatch.setattr("roles.lists.ListPaginator.SIZES", (2, 50))
    for name in "abcde":
        person(f"norm-{name}", factor=False)
    with CaptureQueriesContext(connection) as asked:
        assert found(among, "norm-") == ["norm-a", "norm-b"]
    assert sum("%norm-%" in one["sql"] for one in asked.captured_queries) == 1


@postgres
@pytest.mark.parametrize("lookup", ["contains", "in_names"])
def test_postgresql_finds_a_seldom_word_by_its_index(lookup: str):
    with connection.cursor() as cursor:
        # In a table this small it would rather read everything.
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = off")
    with planned_anew():
        plan = Principal.objects.order_by().filter(**{f"search_text__{lookup}": "seldom"}).explain()
    assert "principal_by_words" in plan, plan


@postgres
def test_postgresql_finds_a_place_by_a_word_in_its_name_by_its_index():
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = off")
    with planned_anew():
        plan = Resource.objects.order_by().filter(name_key__contains="seldom").explain()
    assert "resource_by_words" in plan, plan


@postgres
@pytest.mark.parametrize(("index", "told"), [("principal_by_words", "roles.W001"), ("resource_by_words", "roles.W002")])
def test_a_missing_index_is_told_by_the_system_check_and_made_by_the_next_migrate(index: str, told: str):
    with connection.cursor() as cursor:
        cursor.execute(f"DROP INDEX {index}")
    assert [one.id for one in run_checks(tags=["database"], databases=["default"])] == [told]
    call_command("migrate", verbosity=0)
    assert run_checks(tags=["database"], databases=["default"]) == []
