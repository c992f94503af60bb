"""The pages of settings that wait for a second administrator: told beforehand, listed, decided, made alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from approvals.models import Action, Request, Status
from approvals.selectors.showing import shown_digest
from approvals.services.settings_changes import move_or_ask
from audit.kinds import Kind, Outcome
from audit.models import Event
from roles import ids
from roles.models import Purpose, Resource, Role, User
from roles.places import address
from roles.selectors.moves import preview_of_move
from roles.selectors.settings import settings_of
from tests.people import (
    DAY,
    EXCHANGE_ADMINISTRATOR,
    HOUR,
    MINUTE,
    NOW,
    acting,
    at,
    configure,
    directory,
    give,
    make_eligible,
    person,
    request_activation,
    role,
    tree,
)
from tests.stepping import give_step_up, rows_of_everything, verified
from tests.test_role_settings_pages import as_shown, page, save, url
from tests.test_second_administrator import change, two_subscriptions
from tests.visitors import visiting

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _now(time_machine: Any) -> None:
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def exchange(petra: User, paul: User) -> Role:
    """Petra and Paul administer roles; Petra may activate this one herself."""
    make_eligible(petra, role(EXCHANGE_ADMINISTRATOR))
    return role(EXCHANGE_ADMINISTRATOR)


@pytest.fixture
def waiting(exchange: Role, petra: User) -> Request:
    request = change(petra, exchange, max_activation=9 * HOUR)
    assert isinstance(request, Request)
    return request


def later(time_machine: Any, by: timedelta) -> None:
    time_machine.move_to(NOW + by, tick=False)


def fresh(user: User, now: Any) -> Client:
    """A client of somebody who gave their second factor a minute before `now`."""
    client = visiting(user)
    row = give_step_up(client, user)
    row.verified_at, row.until = now - MINUTE, now + 4 * MINUTE
    row.save()
    return client


def html(answer: Any) -> str:
    assert answer.status_code == 200, answer.status_code
    return str(answer.content.decode())


class TestBeforehand:
    def test_the_form_says_that_loosening_will_wait_and_for_whom(self, exchange, petra, paul):
        sentence = "What loosens its settings waits until Paul agrees."
        assert sentence in page(petra, directory(), exchange, "edit")
        assert sentence not in page(paul, directory(), exchange, "edit")
        assert sentence not in page(petra, directory(), role(ids.SECURITY_READER), "edit")

    def test_it_names_a_change_that_waits_already(self, waiting, paul, exchange):
        assert "A change of these settings by Petra waits" in page(paul, directory(), exchange, "edit")

    def test_a_reset_says_so_only_where_it_loosens(self, exchange, petra):
        configure(exchange, directory(), max_activation=HOUR)
        assert "waits until Paul agrees" in page(petra, directory(), exchange, "reset")
        configure(exchange, directory(), max_activation=10 * HOUR)
        assert "waits until Paul agrees" not in page(petra, directory(), exchange, "reset")


class TestAsking:
    def test_saving_leads_to_the_request_and_changes_nothing(self, exchange, petra):
        answer = save(petra, directory(), exchange, max_activation="9")
        request = Request.objects.get(action=Action.CHANGE_SETTINGS)
        assert answer.status_code == 302
        assert answer.url == reverse("approvals:request", args=[request.pk])
        assert settings_of(exchange, directory()).max_activation == 8 * HOUR
        assert "Nothing has changed yet. It loosens settings of a role of yours" in html(answer.client.get(answer.url))

    def test_a_stricter_change_is_saved_as_ever(self, exchange, petra):
        assert save(petra, directory(), exchange, max_activation="1").status_code == 302
        assert not Request.objects.exists()
        assert settings_of(exchange, directory()).max_activation == HOUR

    def test_a_copy_to_ones_own_role_waits_and_the_others_are_made(self, exchange, petra):
        source, other = role(ids.SECURITY_READER), role(ids.USER_ADMINISTRATOR)
        configure(source, directory(), max_activation=10 * HOUR)
        client = verified(petra)
        targets = [str(exchange.pk), str(other.pk)]
        preview = client.post(url(directory(), source, "copy"), {"preview": "1", "to": targets})
        assert "waits until Paul agrees" in html(preview)
        sent = {"copy": "1", "seen": preview.context["seen"], "to": targets}
        sent |= {f"seen_{one.role.pk}": one.now.seen for one in preview.context["targets"]}
        done = html(client.post(url(directory(), source, "copy"), sent, follow=True))
        assert "It loosens settings of a role of yours, so it waits until Paul agrees." in done
        assert settings_of(other, directory()).max_activation == 10 * HOUR
        assert settings_of(exchange, directory()).max_activation == 8 * HOUR

    def test_a_reset_waits(self, exchange, petra):
        configure(exchange, directory(), max_activation=HOUR)
        seen = settings_of(exchange, directory()).seen
        answer = verified(petra).post(url(directory(), exchange, "reset"), {"seen": seen})
        assert answer.status_code == 302
        assert settings_of(exchange, directory()).max_activation == HOUR
        assert Request.objects.filter(action=Action.CHANGE_SETTINGS).exists()

    def test_a_move_waits(self, db):
        forest = two_subscriptions()
        place, client = Resource.objects.get(pk=forest["rg"].pk), verified(forest["olga"])
        shown = client.get(address(place, "place_move"), {"to": str(forest["loose"].pk)})
        assert "It waits for a second administrator." in html(shown)
        sent = {"to": str(forest["loose"].pk), "seen": shown.context["preview"].digest, "reason": "reorganised"}
        answer: Any = client.post(address(place, "place_move"), sent)
        assert answer.status_code == 302
        request = Request.objects.get(action=Action.CHANGE_SETTINGS)
        assert answer.url == reverse("approvals:request", args=[request.pk])
        body = html(visiting(forest["oscar"]).get(answer.url))
        assert "move rg below loose, where other settings rule" in body

    def test_who_agrees_to_a_move_sees_who_gains_and_loses_by_it(self, db):
        forest = two_subscriptions()
        zoe, adam = person("zoe"), person("adam")
        give(zoe, role(ids.OWNER), forest["loose"])
        give(adam, role(ids.READER), forest["strict"])
        seen = preview_of_move(forest["rg"], forest["loose"], NOW).digest
        actor = acting(forest["olga"], Purpose.ASSIGN, forest["rg"].pk)
        asked = move_or_ask(forest["rg"].pk, forest["loose"].pk, seen=seen, reason="so", actor=actor, clock=at(NOW))
        address_of = reverse("approvals:request", args=[asked.pk])
        for who in ("oscar", "olga"):
            body = html(visiting(forest[who]).get(address_of))
            assert body.index("Reaches this place from now on") < body.index("<b>Zoe</b>")
            assert body.index("No longer reaches this place") < body.index("<b>Adam</b>")
        rita = person("rita")
        give(rita, role(ids.READER), forest["rg"])
        assert "Zoe" not in html(visiting(rita).get(address_of))


class TestDeciding:
    def test_it_is_decided_on_its_own_page_and_not_among_others(self, waiting, paul):
        client = verified(paul)
        own = reverse("approvals:request", args=[waiting.pk])
        selected = reverse("approvals:decide_selected")
        assert client.get(selected, {"request": str(waiting.pk)})["Location"] == own
        seen = f"{waiting.pk}:{shown_digest(waiting)}"
        sent = {"request": str(waiting.pk), "seen": seen, "verdict": "approve", "justification": "unread"}
        assert client.post(selected, sent)["Location"] == own
        waiting.refresh_from_db()
        assert waiting.status == Status.PENDING

    def test_it_is_listed_for_the_other_administrator_alone(self, waiting, petra, paul):
        tab = reverse("approvals:approvals")
        assert "Petra" in html(visiting(paul).get(tab))
        assert visiting(paul).get(tab).context["tab"] == "changes"
        rows = visiting(petra).get(tab, {"tab": "changes"}).context["table"].page.object_list
        assert len(rows) == 0

    def test_its_page_sets_old_beside_new_and_looking_changes_nothing(self, waiting, paul):
        client = visiting(paul)
        client.get("/")
        before = rows_of_everything()
        body = html(client.get(reverse("approvals:request", args=[waiting.pk])))
        assert "<del>8 h</del>" in body
        assert "<ins>9 h</ins>" in body
        assert "Your decision" in body
        assert rows_of_everything() == before

    def test_its_author_sees_it_and_no_form(self, waiting, petra):
        body = html(visiting(petra).get(reverse("approvals:request", args=[waiting.pk])))
        assert "Your decision" not in body
        assert "you can make the change alone" in body
        assert "Make the change alone" not in body

    def decide(self, user: User, request: Request, verdict: str, seen: str | None = None) -> Any:
        fields = {"verdict": verdict, "justification": "looked at it", "seen": seen or shown_digest(request)}
        return verified(user).post(reverse("approvals:decide", args=[request.pk]), fields)

    def test_it_is_approved(self, waiting, paul, exchange):
        assert self.decide(paul, waiting, "approve").status_code == 302
        assert settings_of(exchange, directory()).max_activation == 9 * HOUR
        body = html(visiting(paul).get(reverse("approvals:request", args=[waiting.pk])))
        assert "The change is made." in body

    def test_its_author_is_refused_and_the_attempt_is_in_the_history(self, waiting, petra, exchange):
        assert self.decide(petra, waiting, "approve").status_code == 302
        assert settings_of(exchange, directory()).max_activation == 8 * HOUR
        refused = Event.objects.get(kind=Kind.REQUEST_APPROVED, outcome=Outcome.REFUSED)
        assert refused.details["refused"][0] == "own_request"

    def test_settings_that_changed_meanwhile_are_said(self, waiting, paul, exchange):
        configure(exchange, directory(), ticket_required=True)
        answer = self.decide(paul, waiting, "approve")
        assert answer.status_code == 422
        assert "Ticket: Required (was Not required)" in answer.content.decode()

    def test_all_lists_show_it(self, waiting, petra, paul, nina):
        assert "Change settings" in html(visiting(petra).get(reverse("approvals:my_requests")))
        assert "Change settings" in html(visiting(nina).get(address(directory(), "requests")))
        self.decide(paul, waiting, "deny")
        assert "Change settings" in html(visiting(paul).get(reverse("approvals:approvals"), {"tab": "decided"}))


class TestAlone:
    def path(self, request: Request) -> str:
        return reverse("approvals:change_alone", args=[request.pk])

    def test_before_a_day_it_leads_back(self, waiting, petra, time_machine):
        later(time_machine, DAY - timedelta(microseconds=1))
        answer = visiting(petra).get(self.path(waiting), follow=True)
        assert "Another administrator can still answer." in html(answer)

    def test_after_a_day_it_is_made_with_a_reason(self, waiting, petra, exchange, time_machine):
        later(time_machine, DAY)
        client = fresh(petra, NOW + DAY)
        assert "Make the change alone" in html(client.get(reverse("approvals:request", args=[waiting.pk])))
        shown = client.get(self.path(waiting))
        assert "All administrators here are told" in html(shown)
        seen = shown.context["form"].initial["seen"]
        assert client.post(self.path(waiting), {"seen": seen, "reason": ""}).status_code == 422
        assert client.post(self.path(waiting), {"seen": seen, "reason": "nobody is there"}).status_code == 302
        assert settings_of(exchange, directory()).max_activation == 9 * HOUR
        waiting.refresh_from_db()
        assert waiting.status == Status.GRANTED

    def test_nobody_else_finds_it(self, waiting, paul, nina, zoe, time_machine):
        later(time_machine, DAY)
        for one in (paul, nina, zoe):
            assert visiting(one).get(self.path(waiting)).status_code == 404
            assert fresh(one, NOW + DAY).post(self.path(waiting), {"reason": "mine"}).status_code == 404

    def test_a_request_for_a_role_has_no_such_page(self, exchange, ines, adam):
        configure(exchange, approvers=[adam])
        request = request_activation(ines, make_eligible(ines, exchange))
        assert visiting(ines).get(self.path(request)).status_code == 404


def test_the_default_of_the_form_is_what_rules_so_nothing_waits_by_itself(exchange, petra):
    assert verified(petra).post(url(directory(), exchange, "edit"), as_shown(directory(), exchange)).status_code == 302
    assert not Request.objects.exists()


def test_an_owner_sees_nothing_of_a_change_in_the_directory(waiting):
    olga = person("olga")
    give(olga, role(ids.OWNER), tree("Root")[0])
    assert visiting(olga).get(reverse("approvals:request", args=[waiting.pk])).status_code == 404
