"""The lists behind the figures of a world: each shows the very number that leads to it."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver, reverse

from audit.kinds import Realm
from pim_portal.overview.selectors.figures import worlds
from pim_portal.overview.selectors.lists import ACTIVATIONS, IN_EFFECT, MORE, walking_of
from roles import ids
from roles.actors import Actor
from roles.assignment_files import COLUMNS
from roles.authority import Authority
from roles.models import Assignment, Resource, User
from roles.services.assignments import deactivate
from roles.services.principals import disable_person
from tests.people import (
    DAY,
    EXCHANGE_ADMINISTRATOR,
    HOUR,
    MINUTE,
    NOW,
    OPERATOR,
    at,
    configure,
    give,
    make_eligible,
    person,
    request_activation,
    role,
    tree,
)
from tests.reviewing import chosen, started
from tests.stepping import verified
from tests.test_every_download import read_csv
from tests.visitors import visiting

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _now():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def organisation(petra: User, ines: User, zoe: User, adam: User) -> User:
    """Another number of each kind in the directory, and one Reader at a resource; Petra sees the directory."""
    one, two, three = role(EXCHANGE_ADMINISTRATOR), role(ids.SECURITY_READER), role(ids.GLOBAL_READER)
    for user in (ines, zoe):
        request_activation(user, make_eligible(user, one), now=NOW - 30 * MINUTE, hours=1)
    ended = request_activation(adam, make_eligible(adam, one), now=NOW - DAY)
    assert ended.outcome_id is not None
    deactivate(ended.outcome_id, actor=Actor(adam), clock=at(NOW - DAY + 10 * MINUTE))
    give(ines, three, starts_at=NOW - 60 * DAY, ends_at=NOW + 5 * DAY)
    give(adam, three, starts_at=NOW - 2 * DAY, ends_at=NOW + 50 * DAY)
    configure(two, approvers=[adam])
    for number, user in enumerate((ines, zoe)):
        request_activation(user, make_eligible(user, two), now=NOW - number * HOUR)
    give(zoe, role(ids.READER), tree("Root")[0])
    return petra


def shown(client: Client, path: str) -> int:
    answer = client.get(path)
    assert answer.status_code == 200, path
    return int(answer.context["table"].page.paginator.count)


def test_every_figure_leads_to_a_list_of_that_very_number(organisation, nina):
    started(role(ids.SECURITY_READER), stages=[chosen(nina)], now=NOW)
    client = visiting(organisation)
    html = client.get(reverse("overview")).content.decode()
    found = re.findall(r'<a (?:class="figure" )?href="(/overview/[^"]+)">(?:of )?(\d+)', html)
    assert len(found) >= 14
    for path, count in found:
        assert shown(client, path.replace("&amp;", "&")) == int(count), path
    assert {path.split("/")[3] for path, _count in found} >= {*IN_EFFECT, "activations", "requests", "reviews"}


def test_as_many_queries_show_many_requests_as_few(petra, adam, ines):
    asked = role(EXCHANGE_ADMINISTRATOR)
    configure(asked, approvers=[adam])
    client, path = visiting(petra), "/overview/directory/requests/"

    def queries() -> int:
        with CaptureQueriesContext(connection) as caught:
            client.get(path)
        return len(caught)

    request_activation(ines, make_eligible(ines, asked), now=NOW - MINUTE)
    queries()  # what is kept for some seconds
    few = queries()
    for number in range(5):
        user = person(f"asker{number}")
        request_activation(user, make_eligible(user, asked), now=NOW - MINUTE)
    assert queries() == few
    assert shown(client, path) == 6


def test_the_figures_are_those_of_the_organisation(organisation):
    (one,) = worlds(Authority(organisation, NOW))
    assert one.counts == {
        "all": 10,
        "eligible": 5,
        "active": 5,
        "activated": 2,
        "time-bound": 2,
        "permanent": 1,
        "ending": 2,
        "ending-soon": 1,
        "new": 1,
    }


@pytest.mark.parametrize("listed", [*sorted(IN_EFFECT), "activations"])
def test_a_list_of_one_role_shows_that_role_only(organisation, listed):
    client = visiting(organisation)
    path = reverse("world_list", args=["directory", listed])
    total = shown(client, path)
    by_role = [shown(client, f"{path}?role={pk}") for pk in (EXCHANGE_ADMINISTRATOR, ids.GLOBAL_READER)]
    others = [ids.SECURITY_READER, ids.PRIVILEGED_ROLE_ADMINISTRATOR]
    assert sum(by_role) + sum(shown(client, f"{path}?role={pk}") for pk in others) == total


def test_no_list_shows_the_other_world(organisation):
    assert visiting(organisation).get(reverse("world_list", args=["resource", "all"])).status_code == 404
    olga = person("olga")
    give(olga, role(ids.READER), tree("Other")[0])
    client = visiting(olga)
    assert shown(client, reverse("world_list", args=["resource", "all"])) == 1
    for page in ("world_requests", "world_reviews"):
        assert client.get(reverse(page, args=["directory"])).status_code == 404
        assert client.get(reverse(page, args=["resource"])).status_code == 200


class TestAPlaceAndAllBelow:
    """What is given at a place is on its own list; what is given further down is on this one as well."""

    @pytest.fixture
    def nodes(self, zoe: User, ines: User, adam: User) -> list[Resource]:
        nodes = tree("Root", "prod", "rg")
        give(zoe, role(ids.READER), nodes[0])
        give(ines, role(ids.READER), nodes[1])
        make_eligible(adam, role(ids.READER), nodes[2])
        return nodes

    @pytest.fixture
    def client(self, nodes: list[Resource]) -> Client:
        olga = person("olga")
        give(olga, role(ids.OWNER), nodes[1])
        return visiting(olga)

    def all_of(self, place: object) -> str:
        return reverse("world_list", args=["resource", "all"]) + f"?place={place}"

    def test_it_shows_what_is_given_there_and_further_down(self, nodes, client):
        assert shown(client, self.all_of(nodes[1].pk)) == 3
        assert shown(client, self.all_of(nodes[2].pk)) == 1
        assert shown(client, self.all_of(nodes[1].pk) + "&type=eligible") == 1

    def test_the_list_of_a_place_leads_there_where_something_lies_below(self, nodes, client):
        there = reverse("resource:assignments", args=[nodes[1].pk])
        assert self.all_of(nodes[1].pk) in client.get(there).content.decode()
        assert f'href="{there}"' in client.get(self.all_of(nodes[1].pk)).content.decode(), "And back."
        last = reverse("resource:assignments", args=[nodes[2].pk])
        assert "?place=" not in client.get(last).content.decode()

    def test_its_file_has_the_columns_of_the_hosted_product(self, nodes, client):
        answer: Any = client.get(self.all_of(nodes[1].pk) + "&download=csv")
        header, *rows = read_csv(b"".join(answer.streaming_content))
        assert header == [label for label, _value in COLUMNS]
        places = sorted(row[header.index("Scope Path")] for row in rows)
        assert places == sorted([nodes[1].scope_path, nodes[1].scope_path, nodes[2].scope_path])

    def test_what_one_may_not_see_is_as_unknown_as_any(self, nodes, client):
        other = tree("Other")[0]
        for place in (nodes[0].pk, other.pk, ids.DIRECTORY, uuid.uuid4(), "root", ""):
            assert client.get(self.all_of(place)).status_code == 404


def test_every_insight_leads_to_a_list_of_that_very_number(organisation, zoe):
    client = visiting(organisation)
    give(zoe, role(ids.GLOBAL_ADMINISTRATOR), starts_at=NOW - DAY)
    make_eligible(zoe, role(ids.GROUPS_ADMINISTRATOR), starts_at=NOW - 90 * DAY)
    html = client.get(reverse("insights", args=["directory"])).content.decode()
    found = re.findall(r'<a class="button told" href="(/overview/[^"]+)">(\d+)', html)
    assert len(found) == 5
    assert {path: shown(client, path) for path, _count in found} == {path: int(count) for path, count in found}
    assert ("/overview/directory/unused/", 3) in {(path, int(count)) for path, count in found}


def test_a_review_of_an_insight_begins_with_what_where_and_by_whom(petra, ines, zoe):
    """Followed as a browser follows it, up to the form as it is filled in."""
    one = give(zoe, role(ids.SECURITY_READER))
    give(ines, role(EXCHANGE_ADMINISTRATOR))
    client = visiting(petra)
    html = client.get(reverse("insights", args=["directory"])).content.decode()
    assert "/overview/directory/review/?listed=permanent" in html
    form = client.get("/overview/directory/review/?listed=permanent", follow=True).context["form"]
    assert set(form.initial["roles"]) == {
        str(pk) for pk in (ids.SECURITY_READER, EXCHANGE_ADMINISTRATOR, ids.PRIVILEGED_ROLE_ADMINISTRATOR)
    }
    assert (form.initial["name"], form.initial["covers"]) == ("Permanent active assignments", "active")
    (box,) = (box for named, boxes in form.table for box in boxes if "Petra" in named and box.name == "reviewers_1")
    assert box.checked
    # What is chosen in the list narrows it.
    form = client.get(f"/overview/directory/review/?listed=permanent&chosen={one.pk}", follow=True).context["form"]
    assert form.initial["roles"] == [str(ids.SECURITY_READER)]
    # What nobody has used is asked of whom has been away as long.
    make_eligible(ines, role(ids.GROUPS_ADMINISTRATOR), starts_at=NOW - 90 * DAY)
    form = client.get("/overview/directory/review/?listed=unused", follow=True).context["form"]
    assert (form.initial["covers"], form.initial["inactive_days"]) == ("eligible", 90)


def test_a_review_of_several_places_is_started_at_each_where_one_may(zoe):
    root, prod = tree("Root", "Prod")
    olga = person("olga")
    give(olga, role(ids.OWNER), prod)
    client = visiting(olga)
    give(zoe, role(ids.READER), root)  # not hers to review
    there = client.get("/overview/resource/review/?listed=permanent")
    assert there["Location"].startswith(reverse("resource:review_add", args=[prod.pk]))
    give(olga, role(ids.OWNER), root)
    html = client.get("/overview/resource/review/?listed=permanent").content.decode()
    for place in (root, prod):
        assert f"{reverse('resource:review_add', args=[place.pk])}?name=" in html


@pytest.mark.parametrize(
    "query",
    [
        "role=" + "0" * 32 + "&covers=all&inactive_days=0&name=%00",
        "inactive_days=99999999999999999999&covers=",
        "inactive_days=²&name=" + "x" * 5000,
    ],
)
def test_an_address_that_proposes_nonsense_proposes_nothing_wrong(petra, query):
    form = visiting(petra).get(f"{reverse('directory:review_add')}?{query}").context["form"]
    assert form.initial["covers"] == "both"
    assert "inactive_days" not in form.initial
    assert len(form.initial.get("name", "")) <= 200


@pytest.mark.parametrize(("back", "count"), [(90 * DAY, 1), (90 * DAY - timedelta(microseconds=1), 0)])
def test_unused_begins_after_ninety_days_to_the_microsecond(petra, ines, back, count):
    make_eligible(ines, role(EXCHANGE_ADMINISTRATOR), starts_at=NOW - back)
    assert shown(visiting(petra), "/overview/directory/unused/") == count


@pytest.mark.parametrize(("back", "count"), [(90 * DAY, 1), (90 * DAY - timedelta(microseconds=1), 0)])
def test_what_was_activated_within_ninety_days_is_used(petra, ines, eligibility, back, count):
    made = request_activation(ines, eligibility, now=NOW - back)
    deactivate(made.outcome_id, actor=Actor(ines), clock=at(NOW - back + 10 * MINUTE))
    assert shown(visiting(petra), "/overview/directory/unused/") == count


def test_what_was_planned_and_called_off_is_not_used(petra, ines, eligibility):
    made = request_activation(ines, eligibility, now=NOW - 2 * DAY, start=NOW - DAY)
    deactivate(made.outcome_id, actor=Actor(ines), clock=at(NOW - 2 * DAY))
    assert shown(visiting(petra), "/overview/directory/unused/") == 1


def act(user: User, *rows: Assignment, world: str = "directory", **fields: str) -> tuple[int, str]:
    form = {"chosen": [str(one.pk) for one in rows], "act": "eligible", "reason": "less is enough"} | fields
    client = verified(user)
    answer = client.post(f"/overview/{world}/act/", form)
    if answer.status_code == 302:
        return 302, client.get(answer["Location"]).content.decode()
    return answer.status_code, answer.content.decode()


def test_standing_access_is_made_eligible_each_on_its_own(petra, ines, zoe):
    standing = [give(user, role(ids.SECURITY_READER)) for user in (ines, zoe)]
    status, html = act(petra, *standing)
    assert (status, html.count("Made eligible")) == (302, 2)
    held = Assignment.objects.in_effect(NOW + MINUTE).filter(role=ids.SECURITY_READER)
    assert [one.type for one in held] == ["eligible", "eligible"]


def test_each_button_names_its_act_and_eligibility_is_offered_for_what_is_active_only(petra, ines):
    def buttons(row: Assignment) -> list[str]:
        html = visiting(petra).get("/overview/directory/act/", {"chosen": str(row.pk)}).content.decode()
        return re.findall(r'name="act" value="\w+">([^<]+)</button>', html)

    assert buttons(give(ines, role(ids.SECURITY_READER))) == ["Make eligible", "Remove"]
    assert buttons(make_eligible(ines, role(EXCHANGE_ADMINISTRATOR))) == ["Remove"]


def test_without_a_button_nothing_is_done(petra, ines):
    row = give(ines, role(ids.SECURITY_READER))
    status, html = act(petra, row, act="")
    assert (status, "Say what to do." in html) == (422, True)
    assert Assignment.objects.in_effect(NOW + MINUTE).filter(pk=row.pk).exists()


def test_what_is_refused_does_not_stop_the_rest(petra, ines):
    own = petra.assignments.get()
    status, html = act(petra, own, give(ines, role(ids.SECURITY_READER)), act="remove")
    assert (status, html.count("Refused"), html.count("Removed")) == (302, 1, 1)
    assert Assignment.objects.in_effect(NOW + MINUTE).filter(pk=own.pk).exists()


def test_acting_needs_the_role_the_place_a_reason_and_a_second_factor(petra, ines, nina):
    row = give(ines, role(ids.SECURITY_READER))
    there = give(ines, role(ids.READER), tree("Root")[0])
    assert act(nina, row)[0] == 404
    assert act(petra, there)[0] == 404
    assert act(petra, row, world="resource")[0] == 404
    assert act(petra, row, reason=" ")[0] == 422
    assert act(petra)[0] == 422
    form = {"chosen": str(row.pk), "act": "remove", "reason": "less"}
    assert visiting(petra).post("/overview/directory/act/", form).status_code == 422
    assert set(Assignment.objects.in_effect(NOW + MINUTE).filter(principal=ines)) == {row, there}


@pytest.mark.parametrize("path", ["directory/no-such/", "group/all/", "no-such/all/", "group/requests/"])
def test_an_unknown_word_is_not_found(petra, path):
    assert visiting(petra).get(f"/overview/{path}").status_code == 404


def test_the_reviews_that_go_on_say_how_far_they_are(petra, adam, nina):
    started(role(ids.GLOBAL_READER), stages=[chosen(adam)], now=NOW)
    (one,) = worlds(Authority(petra, NOW))
    assert (one.reviews.reviews, one.reviews.answered, one.reviews.total) == (1, 0, 1)
    assert one.realm == Realm.DIRECTORY


LISTED = [*IN_EFFECT, *MORE, ACTIVATIONS]


def keys_on_all_pages(client: Client, path: str) -> list[Any]:
    found: list[Any] = []
    for number in range(1, 30):
        later = f"&page={number}" if number > 1 else ""  # as it is opened from elsewhere
        page = client.get(f"{path}{'&' if '?' in path else '?'}per_page=2{later}").context["table"].page
        found += [row.record.pk for row in page.object_list]
        if not page.has_next():
            return found
    raise AssertionError("The list never ends.")


@pytest.mark.parametrize("listed", LISTED)
def test_a_list_of_much_is_walked_in_its_order_and_misses_nothing(organisation, nina, monkeypatch, listed):
    many = [person(f"p{number}") for number in range(5)]
    for user in many:  # at one moment, so that their keys put them in order
        eligible = make_eligible(user, role(EXCHANGE_ADMINISTRATOR))
        give(user, role(ids.SECURITY_READER), ends_at=NOW + 5 * DAY)
        give(user, role(ids.USER_ADMINISTRATOR))
        request_activation(user, eligible, now=NOW - 10 * MINUTE, hours=0.5)
    for user in many[:2]:
        disable_person(user.pk, reason="left", actor=OPERATOR, clock=at(NOW))
    client = verified(nina)
    path = f"/overview/directory/{listed}/"
    of_little = keys_on_all_pages(client, path)
    for walked, at_once in ((3, 1), (3, 2), (3, 256), (50, 2)):
        _have_few_be_many(monkeypatch, walked, at_once)
        of_much = keys_on_all_pages(client, path)
        assert sorted(of_much) == sorted(of_little)
        if walked < len(of_little) and walking_of(listed):
            rows = Assignment.objects.filter(pk__in=of_little)
            assert of_much == [one.pk for one in rows.order_by(*walking_of(listed))]
        else:
            assert of_much == of_little
    if listed in {"all", "eligible", "permanent"}:
        assert len(of_little) > 4  # more than one of these pages


def _have_few_be_many(monkeypatch: pytest.MonkeyPatch, walked: int, at_once: int) -> None:
    _ = get_resolver().url_patterns  # all is imported by now: a module would else take these numbers for good
    monkeypatch.setattr("roles.tallies.MUCH", 1)
    for name in ("AT_FIRST", "AT_ONCE"):
        monkeypatch.setattr(f"roles.selectors.walking.{name}", at_once)
    monkeypatch.setattr("roles.list_rows.MOST_COUNTED", walked)
    monkeypatch.setattr("roles.list_rows.SIZES", (2,))
    monkeypatch.setattr("roles.lists.ListPaginator.SIZES", (2, 50))


@pytest.mark.parametrize("sort", ["name", "-role", "where", "-start", "end"])
@pytest.mark.parametrize("listed", ["all", "ending-soon", ACTIVATIONS])
def test_a_list_of_much_that_somebody_sorts_is_as_one_of_little(organisation, nina, monkeypatch, listed, sort):
    client = verified(nina)
    path = f"/overview/directory/{listed}/?sort={sort}"
    of_little = [row.record.pk for row in client.get(path).context["table"].page.object_list]
    _have_few_be_many(monkeypatch, 3, 2)
    assert keys_on_all_pages(client, path) == of_little
    assert of_little


@pytest.mark.parametrize("listed", LISTED)
def test_much_of_the_other_world_or_role_is_in_no_list(organisation, monkeypatch, listed):
    root = tree("Other")[0]
    reader, olga = person("rita"), person("olga")
    give(olga, role(ids.OWNER), root)
    for what in (ids.READER, ids.USER_ACCESS_ADMINISTRATOR):
        give(reader, role(what), root, ends_at=NOW + 30 * MINUTE)
    _have_few_be_many(monkeypatch, 2, 2)
    at_root = set(keys_on_all_pages(verified(olga), f"/overview/resource/{listed}/"))
    assert set(Assignment.objects.filter(pk__in=at_root).values_list("resource", flat=True)) <= {root.pk}
    directory_role = role(EXCHANGE_ADMINISTRATOR)
    of_role = client_keys(organisation, f"/overview/directory/{listed}/?role={directory_role.pk}")
    assert set(Assignment.objects.filter(pk__in=of_role).values_list("role", flat=True)) <= {directory_role.pk}
    if listed in {"all", "activated"}:
        assert of_role
        assert at_root or listed == "activated"


def client_keys(user: User, path: str) -> list[Any]:
    return [row.record.pk for row in verified(user).get(path).context["table"].page.object_list]
