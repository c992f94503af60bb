"""The pages of the tree: what they show of it and to whom, and that what is confirmed is what was shown."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from roles import ids
from roles.models import Purpose, Resource, ResourceKind, StepUp, User
from roles.selectors import trees
from roles.selectors.trees import MOST_LEFT_OUT, MOST_SHOWN
from roles.services.resources import add_resource
from roles.services.retirements import retire_resource
from tests.people import DAY, HOUR, NOW, OPERATOR, at, give, person, role, tree, unit
from tests.stepping import give_step_up
from tests.visitors import visiting

pytestmark = pytest.mark.django_db
KIND = ResourceKind


def add(kind: ResourceKind, name: str, parent: Resource | None) -> Resource:
    return add_resource(kind, name=name, parent=parent, actor=OPERATOR, clock=at(NOW - 300 * DAY))


@pytest.fixture
def nodes(petra: User) -> dict[str, Resource]:
    """Contoso ⟩ Left ⟩ prod ⟩ rg, Contoso ⟩ Right ⟩ test, and another root."""
    made = {"root": add(KIND.ROOT, "Contoso", None)}
    made["left"] = add(KIND.MANAGEMENT_GROUP, "Left", made["root"])
    made["right"] = add(KIND.MANAGEMENT_GROUP, "Right", made["root"])
    made["prod"] = add(KIND.SUBSCRIPTION, "prod-sub", made["left"])
    made["test"] = add(KIND.SUBSCRIPTION, "test-sub", made["right"])
    made["rg"] = add(KIND.RESOURCE_GROUP, "rg-shop", made["prod"])
    made["other"] = tree("Fabrikam", "secret-sub")[0]
    return made


def holding(name: str, what, where: Resource) -> Client:
    user = person(name)
    give(user, role(what), where)
    return visiting(user)


def body(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, (address, answer.status_code)
    return answer.content.decode()


def post(client: Client, address: str, form: dict[str, str], **options: Any) -> Any:
    """Send a form right after a second factor was given."""
    user, now = User.objects.get(pk=client.session["_auth_user_id"]), timezone.now()
    row = give_step_up(client, user, Purpose.ASSIGN)
    StepUp.objects.filter(pk=row.pk).update(verified_at=now, until=now + HOUR)
    return client.post(address, form, **options)


def page_of(place: Resource, page: str = "") -> str:
    return f"/manage/resources/{place.pk}/{page}"


class TestWhatIsShown:
    def test_only_what_one_may_see_and_above_it_names(self, nodes):
        shown = body(holding("olga", ids.OWNER, nodes["prod"]), "/manage/resources/")
        assert page_of(nodes["prod"]) in shown
        assert page_of(nodes["rg"]) in shown
        assert "in Contoso / Left" in shown
        for hidden in ("root", "left", "right", "test", "other"):
            assert page_of(nodes[hidden]) not in shown
        for name in ("Right", "test-sub", "Fabrikam", "secret-sub"):
            assert name not in shown

    @pytest.mark.parametrize("query", ["sub", "Contoso", "secret", "?view=list"])
    def test_searching_shows_no_more(self, nodes, query):
        client = holding("olga", ids.OWNER, nodes["prod"])
        shown = body(client, f"/manage/resources/{query if query.startswith('?') else '?q=' + query}")
        for hidden in ("root", "left", "right", "test", "other"):
            assert page_of(nodes[hidden]) not in shown

    def test_a_match_says_what_it_stands_below(self, nodes):
        shown = body(holding("olga", ids.OWNER, nodes["root"]), "/manage/resources/?q=RG-SHOP")
        assert "Contoso / Left / prod-sub" in shown
        assert "test-sub" not in shown

    def test_a_directory_role_opens_it_not_at_all(self, nodes, petra, nina):
        for user in (petra, nina):
            assert visiting(user).get("/manage/resources/").status_code == 403

    def test_two_thousand_places_take_as_many_queries_as_seven(self, nodes):
        client = holding("olga", ids.OWNER, nodes["root"])
        client.get("/manage/resources/")
        with CaptureQueriesContext(
            connection,
        ) as few:
            client.get("/manage/resources/")
        rows = [
            Resource(
                kind=KIND.RESOURCE_GROUP,
                name=f"rg {number}",
                name_key=f"rg {number}",
                scope_path=f"/subscriptions/x/resourceGroups/rg{number}",
                path=f"{nodes['test'].path}{number:04d}",
                depth=nodes["test"].depth + 1,
            )
            for number in range(1, 2001)
        ]
        Resource.objects.bulk_create(rows)
        Resource.objects.filter(pk=nodes["test"].pk).update(numchild=2000)
        with CaptureQueriesContext(connection) as many:
            shown = body(client, "/manage/resources/")
        assert len(many) <= len(few) + 3  # of a long list, the keys are put in order first
        assert shown.count("rg ") <= MOST_SHOWN
        assert f"More than {MOST_LEFT_OUT} places further down are not shown" in shown
        assert f"{2006 - MOST_SHOWN} more" in re.sub(r"<[^>]+>", "", shown)  # right below one of them, which knows

    @pytest.mark.parametrize(
        ("shown", "said"),
        [
            (6, None),
            (5, "1 place further down is not shown"),
            (3, "3 places further down are not shown"),
            (2, "More than 3 places further down are not shown"),
        ],
    )
    def test_it_says_how_many_places_are_not_shown(self, nodes, monkeypatch, shown, said):
        monkeypatch.setattr(trees, "MOST_SHOWN", shown)
        monkeypatch.setattr(trees, "MOST_LEFT_OUT", 3)
        page = body(holding("olga", ids.OWNER, nodes["root"]), "/manage/resources/")
        assert ("further down" in page) is (said is not None)
        assert said is None or said in page

    def test_what_is_retired_says_so_and_offers_nothing_but_its_return(self, nodes):
        client = holding("olga", ids.OWNER, nodes["root"])
        retire_resource(nodes["left"].pk, seen=None, actor=OPERATOR, clock=timezone.now)
        for place, offered in ((nodes["left"], True), (nodes["prod"], False)):
            shown = body(client, page_of(place))
            assert "Retired." in shown
            assert (page_of(place, "restore/") in shown) is offered
            for act in ("rename/", "move/", "retire/", "assignments/add/"):
                assert page_of(place, act) not in shown


class TestActing:
    def test_a_place_is_added_below(self, nodes):
        client = holding("olga", ids.OWNER, nodes["root"])
        address = page_of(nodes["left"], "below/add/")
        assert post(client, address, {"kind": "resource_group", "name": "x"}).status_code == 422
        answer = post(client, address, {"kind": "subscription", "name": "new-sub"})
        assert answer.status_code == 302
        assert Resource.objects.get(name="new-sub").path.startswith(nodes["left"].path)

    def test_a_unit_is_added_renamed_retired_and_restored(self, petra):
        assert (
            post(
                visiting(petra), "/manage/directory/below/add/", {"kind": "administrative_unit", "name": "Berlin"}
            ).status_code
            == 302
        )
        berlin = Resource.objects.get(name="Berlin")
        address = f"/manage/directory/units/{berlin.pk}/"
        assert post(visiting(petra), f"{address}rename/", {"name": "Hamburg"}).status_code == 302
        seen = seen_on(body(visiting(petra), f"{address}retire/"))
        assert post(visiting(petra), f"{address}retire/", {"seen": seen, "reason": "closed"}).status_code == 302
        assert post(visiting(petra), f"{address}restore/", {"reason": ""}).status_code == 302
        berlin.refresh_from_db()
        assert (berlin.name, berlin.retired_at) == ("Hamburg", None)

    def test_a_move_is_looked_at_and_confirmed(self, nodes, ines):
        client = holding("olga", ids.OWNER, nodes["root"])
        address = page_of(nodes["prod"], "move/")
        choice = body(client, f"{address}?q=rig")
        assert f"?to={nodes['right'].pk}" in choice
        assert f"?to={nodes['root'].pk}" not in choice
        seen = seen_on(body(client, f"{address}?to={nodes['right'].pk}"))
        give(ines, role(ids.READER), nodes["left"], now=timezone.now())
        form = {"to": str(nodes["right"].pk), "seen": seen, "reason": "reorganised"}
        refused = post(client, address, form)
        assert refused.status_code == 422
        shown = refused.content.decode()
        assert "no longer what you looked at" in shown
        assert "Ines" in shown
        assert post(client, address, form | {"seen": seen_on(shown)}).status_code == 302
        assert Resource.objects.get(pk=nodes["prod"].pk).path.startswith(nodes["right"].path)

    @pytest.mark.parametrize("to", ["other", "random", "nonsense"])
    def test_nothing_is_told_of_a_place_that_one_may_not_change(self, nodes, to):
        client = holding("olga", ids.OWNER, nodes["root"])
        pk = {"other": nodes["other"].pk, "random": unit("x").pk, "nonsense": "nonsense"}[to]
        assert client.get(page_of(nodes["prod"], f"move/?to={pk}")).status_code == 404
        assert post(client, page_of(nodes["prod"], "move/"), {"to": str(pk)}).status_code == 404

    def test_whoever_owns_only_the_place_is_not_offered_to_move_it(self, nodes):
        client = holding("olga", ids.OWNER, nodes["prod"])
        assert page_of(nodes["prod"], "move/") not in body(client, page_of(nodes["prod"]))
        assert client.get(page_of(nodes["prod"], "move/")).status_code == 404

    def test_an_owner_who_retires_their_own_place_is_led_home(self, nodes):
        client = holding("olga", ids.OWNER, nodes["prod"])
        seen = seen_on(body(client, page_of(nodes["prod"], "retire/")))
        answer = post(client, page_of(nodes["prod"], "retire/"), {"seen": seen, "reason": "closed"}, follow=True)
        assert (answer.status_code, answer.redirect_chain[-1][0]) == (200, "/")

    def test_a_root_is_made_for_a_person_who_exists(self, nodes, zoe):
        client = holding("olga", ids.OWNER, nodes["root"])
        form = {"name": "New", "owner": "nobody", "reason": "x"}
        assert post(client, "/manage/resources/add/", form).status_code == 422
        assert post(client, "/manage/resources/add/", form | {"owner": "zoe"}).status_code == 302
        assert page_of(Resource.objects.get(name="New")) in body(visiting(zoe), "/manage/resources/")


def seen_on(page: str) -> str:
    found = re.search(r'name="seen" value="([0-9a-f]{64})"', page)
    assert found, page
    return found[1]
