"""The pages of role settings: what they list, what they refuse beside which field, and that looking changes nothing."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.html import escape

from audit.kinds import Kind, Outcome
from audit.models import Event
from roles import ids
from roles.actors import Actor
from roles.models import Audience, NotifiedAct, Resource, Role, RoleSettings, User
from roles.places import address
from roles.selectors.settings import Cell, settings_of
from roles.services.assignments import deactivate
from roles.services.principals import disable_person
from roles.services.settings import change_settings
from tests.people import (
    DAY,
    EXCHANGE_ADMINISTRATOR,
    HOUR,
    MINUTE,
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
    request_activation,
    role,
    tree,
    unit,
)
from tests.stepping import code_of, errors_in, rows_of_everything, verified
from tests.visitors import visiting

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _now(time_machine: Any) -> None:
    time_machine.move_to(NOW, tick=False)


@pytest.fixture(autouse=True)
def _set_up(petra: User) -> None:
    """The portal is set up: Petra administers it."""


@pytest.fixture
def exchange(db: None) -> Role:
    return role(EXCHANGE_ADMINISTRATOR)


@pytest.fixture
def nodes(db: None) -> list[Resource]:
    """A root that Olga does not see, a subscription and a resource group."""
    return tree("Hidden root", "prod", "rg")


@pytest.fixture
def olga(nodes: list[Resource]) -> User:
    """Owner of the subscription."""
    user = person("olga")
    give(user, role(ids.OWNER), nodes[1])
    return user


def url(place: Resource, what: Role, act: str = "") -> str:
    return address(place, f"role_settings_{act}" if act else "role_settings", pk=what.pk)


def page(user: User, place: Resource, what: Role, act: str = "", **query: str) -> str:
    answer = visiting(user).get(url(place, what, act), query)
    assert answer.status_code == 200
    return str(answer.content.decode())


def as_shown(place: Resource, what: Role, **changes: Any) -> dict[str, Any]:
    """What a browser sends of the form as it is shown, with these changes; None takes a field away."""
    settings = settings_of(what, place)
    sent: dict[str, Any] = {
        "seen": settings.seen,
        "max_activation": "8",
        "second_factor": str(settings.second_factor),
        "approval_window": "24",
        "break_glass_max": "1",
        "break_glass_review_within": "24",
        "expire_eligible_after": "31536000",
        "expire_active_after": "15552000",
        "stage_count": "1",
        "quorum_1": "1",
        "q_1": "",
        "reason_required": "on",
        "permanent_active_allowed": "on",
        "reason_on_assign": "on",
    }
    if settings.permanent_eligible_allowed:
        sent["permanent_eligible_allowed"] = "on"
    sent |= {f"default_{act}_{audience}": "on" for act in NotifiedAct for audience in Audience}
    sent |= changes
    return {name: value for name, value in sent.items() if value is not None}


def save(user: User, place: Resource, what: Role, **changes: Any) -> Any:
    return verified(user).post(url(place, what, "edit"), as_shown(place, what, **changes))


class TestTheList:
    def rows(self, user: User, place: Resource, **query: str) -> list[Any]:
        answer = visiting(user).get(address(place, "settings"), query)
        assert answer.status_code == 200
        return [row.record for row in answer.context["table"].page.object_list]

    def names(self, user: User, place: Resource, **query: str) -> list[str]:
        return [row.name for row in self.rows(user, place, **query)]

    def test_it_says_where_settings_come_from(self, olga, nodes):
        configure(role(ids.READER), nodes[1], max_activation=HOUR)
        configure(role(ids.OWNER), nodes[0], ticket_required=True)
        configure(role(ids.USER_ACCESS_ADMINISTRATOR), None, ticket_required=True)
        assert self.names(olga, nodes[1], set="own") == ["Reader"]
        assert self.names(olga, nodes[2], set="inherited") == ["Owner", "Reader"]
        assert self.names(olga, nodes[2], set="everywhere") == ["User Access Administrator"]
        assert len(self.names(olga, nodes[2], set="default", per_page="100")) == 100

    def test_it_filters_what_differs_and_what_needs_approval_and_finds_by_name(self, petra, adam, exchange):
        configure(exchange, directory(), approvers=[adam])
        configure(role(ids.USER_ADMINISTRATOR), directory())
        assert self.names(petra, directory(), changed="yes") == ["Exchange Administrator"]
        assert self.names(petra, directory(), approval="yes") == ["Exchange Administrator"]
        assert self.names(petra, directory(), set="own") == ["Exchange Administrator", "User Administrator"]
        assert "Exchange Administrator" in self.names(petra, directory(), q="exchange")

    def test_it_sorts_by_the_longest_activation(self, petra, exchange):
        configure(exchange, directory(), max_activation=5 * MINUTE)
        assert self.names(petra, directory(), sort="longest")[0] == "Exchange Administrator"

    def test_who_changed_them_out_of_sight_is_not_told(self, olga, petra, nodes):
        boss = person("boss", name="Hidden Boss")
        give(boss, role(ids.OWNER), nodes[0])
        save(boss, nodes[0], role(ids.READER), ticket_required="on")
        body = visiting(olga).get(address(nodes[1], "settings"), {"set": "inherited"}).content.decode()
        assert "From above" in body
        for hidden in ("Hidden Boss", str(nodes[0].pk)):
            assert hidden not in body
            assert hidden not in page(olga, nodes[1], role(ids.READER))

    def test_it_can_be_downloaded(self, petra, exchange):
        save(petra, directory(), exchange, ticket_required="on")
        answer = visiting(petra).get(address(directory(), "settings"), {"download": "csv", "set": "own"})
        body = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
        assert "Exchange Administrator" in body
        assert "Petra" in body

    def test_it_asks_the_database_as_often_for_many_settings_as_for_none(self, olga, nodes):
        client, where = visiting(olga), address(nodes[1], "settings") + "?per_page=100"
        client.get(where)
        with CaptureQueriesContext(connection) as few:
            client.get(where)
        RoleSettings.objects.bulk_create(
            RoleSettings(role=one, resource=nodes[1]) for one in Role.objects.filter(kind="resource")
        )
        with CaptureQueriesContext(connection) as many:
            client.get(where)
        assert len(many) <= len(few) + 4


class TestThePage:
    def test_it_says_that_nobody_has_set_anything(self, petra, exchange):
        assert "nobody has set anything" in page(petra, directory(), exchange)

    def test_inherited_ones_link_to_where_they_come_from(self, petra, exchange):
        configure(exchange, directory(), ticket_required=True)
        body = page(petra, unit("Berlin"), exchange)
        assert f'Inherited from <a href="{url(directory(), exchange)}">Directory</a>' in body
        assert "Editing them gives this place its own" in body

    def test_whoever_only_sees_gets_no_way_to_change(self, nina, exchange):
        configure(exchange, directory(), ticket_required=True)
        body = page(nina, directory(), exchange)
        for act in ("edit", "reset", "copy"):
            assert url(directory(), exchange, act) not in body
            assert visiting(nina).get(url(directory(), exchange, act)).status_code == 404
            assert visiting(nina).post(url(directory(), exchange, act), {}).status_code == 404

    def test_it_names_every_stage_and_every_cell(self, petra, exchange, adam, berta):
        told = Cell(NotifiedAct.ACTIVATED, Audience.HOLDER, additional=("a@example.org",), critical_only=True)
        configure(exchange, directory(), approvers=[[adam], [berta]], approval_window=2 * HOUR)
        change_settings(exchange, resource=directory(), values={}, cells=(told,), actor=OPERATOR, clock=at(NOW))
        body = page(petra, directory(), exchange)
        for words in ("Adam: 1 must agree", "Berta: 1 must agree", "2 h", "Sent only where something must be done"):
            assert words in body
        assert "a@example.org" in body

    def test_it_counts_how_often_it_is_used_without_what_has_its_own_below(self, olga, ines, adam, nodes):
        reader = role(ids.READER)
        mine = make_eligible(ines, reader, nodes[1])
        make_eligible(adam, reader, nodes[2])
        request_activation(ines, mine)
        assert "1 eligible assignment obeys" in page(olga, nodes[1], reader)
        assert "1 activation began" in page(olga, nodes[1], reader)

    def test_what_was_called_off_before_its_start_never_began(self, olga, ines, nodes):
        mine = make_eligible(ines, role(ids.READER), nodes[1])
        planned = request_activation(ines, mine, now=NOW - 2 * DAY, start=NOW)
        deactivate(planned.outcome_id, actor=Actor(ines), clock=at(NOW - DAY))
        assert "0 activations began" in page(olga, nodes[1], role(ids.READER))

    def test_it_says_for_whom_nobody_else_could_approve(self, petra, ines, adam, berta, exchange):
        make_eligible(ines, exchange)
        make_eligible(berta, exchange)
        configure(exchange, directory(), approvers=[ines])
        body = page(petra, directory(), exchange)
        assert "For Ines nobody else could approve in stage 1." in body
        assert "For Berta" not in body
        configure(exchange, directory(), approvers=[ines, adam])
        assert "nobody else could approve" not in page(petra, directory(), exchange)

    def test_also_where_they_are_eligible_and_approve_through_groups(self, petra, ines, exchange):
        team = group("Team", ines)
        make_eligible(team, exchange)
        configure(exchange, directory(), approvers=[group("Approvers", ines)])
        assert "For Ines nobody else could approve" in page(petra, directory(), exchange)

    def test_it_says_that_too_few_are_left_to_approve(self, petra, adam, berta, exchange):
        configure(exchange, directory(), approvers=[adam, berta], quorum=2)
        disable_person(adam.pk, reason="left", actor=OPERATOR, clock=at(NOW))
        assert "Nobody can be approved now" in page(petra, directory(), exchange)

    def test_recent_changes_stand_there_with_old_and_new(self, petra, exchange, adam):
        save(petra, directory(), exchange, max_activation="1", approval_required="on", approvers_1=[str(adam.pk)])
        body = page(petra, directory(), exchange)
        assert "Petra changed the settings of Exchange Administrator" in body
        assert "<del>8 h</del>" in body
        assert "<ins>1 h</ins>" in body
        assert "<ins>Adam: 1 must agree</ins>" in body

    def test_a_role_of_the_other_world_or_another_branch_is_not_there(self, petra, olga, nodes):
        elsewhere = custom_role(tree("Other")[0], "Elsewhere")
        client = visiting(olga)
        for what in (role(EXCHANGE_ADMINISTRATOR), role(ids.GROUP_MEMBER), elsewhere):
            for act in ("", "edit", "reset", "copy", "difference"):
                assert client.get(url(nodes[1], what, act)).status_code == 404
        assert visiting(petra).get(url(directory(), role(ids.READER))).status_code == 404

    def test_the_role_and_the_form_of_assigning_lead_there(self, petra, exchange):
        for where in (
            address(directory(), "role", pk=exchange.pk),
            f"{address(directory(), 'assignments_add')}?role={exchange.pk}",
        ):
            assert url(directory(), exchange) in visiting(petra).get(where).content.decode()


class TestEditing:
    def test_looking_and_arranging_change_no_row(self, petra, adam, exchange):
        client = verified(petra)
        where = url(directory(), exchange, "edit")
        client.get(where)
        before = rows_of_everything()
        client.get(where)
        sent = as_shown(directory(), exchange)
        for button in ("find", "add_stage", "remove_stage", "earlier_stage"):
            assert client.post(where, sent | {button: "1", "q_1": "adam"}).status_code == 200
        assert rows_of_everything() == before

    def test_all_of_it_is_saved(self, petra, adam, berta, exchange):
        team = group("Team", person("carla"))
        answer = save(
            petra,
            directory(),
            exchange,
            max_activation="1:45",
            second_factor="every_time",
            reason_required=None,
            ticket_required="on",
            approval_required="on",
            approval_window="72",
            stage_count="2",
            approvers_1=[str(adam.pk), str(berta.pk)],
            quorum_1="2",
            approvers_2=[str(team.pk)],
            quorum_2="1",
            permanent_eligible_allowed=None,
            expire_eligible_after=str(30 * 86400),
            permanent_active_allowed=None,
            expire_active_after=str(15 * 86400),
            second_factor_on_assign="on",
            reason_on_assign=None,
            default_activated_holder=None,
            critical_activated_approvers="on",
            additional_assigned_eligible_administrators="a@example.org; b@example.org,  a@example.org",
        )
        assert answer["Location"] == url(directory(), exchange)
        found = settings_of(exchange, directory())
        assert (found.max_activation, found.approval_window) == (HOUR + 45 * MINUTE, 72 * HOUR)
        assert (found.expire_eligible_after, found.expire_active_after) == (30 * DAY, 15 * DAY)
        assert (found.second_factor, found.reason_required, found.ticket_required) == ("every_time", False, True)
        assert not found.permanent_eligible_allowed
        assert not found.permanent_active_allowed
        assert (found.second_factor_on_assign, found.reason_on_assign) == (True, False)
        assert [(one.quorum, one.approvers) for one in found.stages] == [
            (2, frozenset({adam.pk, berta.pk})),
            (1, frozenset({team.pk})),
        ]
        assert set(found.cells) == {
            Cell(NotifiedAct.ACTIVATED, Audience.HOLDER, default_recipients=False),
            Cell(NotifiedAct.ACTIVATED, Audience.APPROVERS, critical_only=True),
            Cell(
                NotifiedAct.ASSIGNED_ELIGIBLE,
                Audience.ADMINISTRATORS,
                additional=("a@example.org", "b@example.org"),
            ),
        }

    def test_the_form_shows_what_it_saves(self, petra, adam, exchange):
        """Sent as it is shown, it makes the same settings of the place's own."""
        told = Cell(NotifiedAct.ACTIVATED, Audience.HOLDER, additional=("a@example.org",))
        configure(exchange, None, approvers=[adam], max_activation=90 * MINUTE, expire_eligible_after=10 * DAY)
        change_settings(exchange, resource=None, values={}, cells=(told,), actor=OPERATOR, clock=at(NOW))
        before = settings_of(exchange, directory())
        client = verified(petra)
        form = client.get(url(directory(), exchange, "edit")).context["form"]
        sent: dict[str, Any] = {}
        for bound in form:
            value = form.get_initial_for_field(bound.field, bound.name)
            value = bound.field.prepare_value(value)
            if value is True:
                sent[bound.name] = "on"
            elif value not in (None, False):
                sent[bound.name] = value
        assert client.post(url(directory(), exchange, "edit"), sent).status_code == 302
        after = settings_of(exchange, directory())
        assert after.source_id == directory().pk
        assert (after.digest, after.cells, after.expire_eligible_after) == (before.digest, before.cells, 10 * DAY)

    def test_a_place_gets_its_own(self, petra, exchange):
        berlin = unit("Berlin")
        configure(exchange, directory(), ticket_required=True)
        save(petra, berlin, exchange, ticket_required="on", max_activation="2")
        assert settings_of(exchange, berlin).source_id == berlin.pk
        assert settings_of(exchange, directory()).max_activation == 8 * HOUR

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"max_activation": "0:04"}, "max_activation"),
            ({"max_activation": "24:01"}, "max_activation"),
            ({"max_activation": "long"}, "max_activation"),
            ({"max_activation": ""}, "max_activation"),
            ({"approval_window": "72:01"}, "approval_window"),
            ({"break_glass_max": "4:01"}, "break_glass_max"),
            ({"break_glass_max": ""}, "break_glass_max"),
            ({"break_glass_review_within": "0:59"}, "break_glass_review_within"),
            ({"second_factor": "sometimes"}, "second_factor"),
            ({"expire_eligible_after": "1"}, "expire_eligible_after"),
            ({"expire_active_after": "many"}, "expire_active_after"),
            ({"quorum_1": "0"}, "quorum_1"),
            ({"quorum_1": "many"}, "quorum_1"),
            ({"quorum_1": "99999999999999999999"}, "quorum_1"),
            ({"approval_required": "on", "quorum_1": "9"}, "quorum_1"),
            ({"approvers_1": ["nobody"]}, "approvers_1"),
            ({"approvers_1": [str(EXCHANGE_ADMINISTRATOR)]}, "approvers_1"),
            ({"additional_activated_holder": "a@example.org; nobody"}, "additional_activated_holder"),
            (
                {"additional_activated_holder": "; ".join(f"a{n}@b.org" for n in range(51))},
                "additional_activated_holder",
            ),
        ],
    )
    def test_a_refusal_stands_beside_its_field(self, petra, exchange, changes, field):
        answer = save(petra, directory(), exchange, **changes)
        assert answer.status_code == 422
        form = answer.context["form"]
        assert set(form.errors) == {field}
        assert escape(form.errors[field][0]) in errors_in(answer.content.decode())
        assert settings_of(exchange, directory()).is_default

    def test_requests_to_approve_take_no_addresses_however_they_are_sent(self, petra, exchange):
        save(petra, directory(), exchange, additional_activated_approvers="a@example.org")
        assert settings_of(exchange, directory()).cells == ()

    def test_a_resource_role_says_which_stage_lacks_its_approvers(self, olga, adam, nodes):
        changes = {"approval_required": "on", "stage_count": "2", "quorum_2": "1", "approvers_1": [str(adam.pk)]}
        answer = save(olga, nodes[1], role(ids.READER), **changes)
        assert set(answer.context["form"].errors) == {"approvers_2"}

    def test_what_somebody_changed_meanwhile_is_not_overwritten(self, petra, exchange):
        sent = as_shown(directory(), exchange, max_activation="1")
        configure(exchange, directory(), ticket_required=True)
        answer = verified(petra).post(url(directory(), exchange, "edit"), sent)
        assert answer.status_code == 422
        assert "Somebody changed these settings meanwhile" in answer.content.decode()
        assert settings_of(exchange, directory()).max_activation == 8 * HOUR

    def test_without_a_digest_of_what_was_seen_nothing_is_saved(self, petra, exchange):
        configure(exchange, directory(), ticket_required=True)
        assert save(petra, directory(), exchange, seen="").status_code == 422

    def test_without_a_fresh_second_factor_it_asks_for_a_code(self, petra, exchange):
        client = visiting(petra)
        sent = as_shown(directory(), exchange, ticket_required="on")
        assert client.post(url(directory(), exchange, "edit"), sent).status_code == 422
        wrong = client.post(url(directory(), exchange, "edit"), sent | code_of(petra) | {"code": "000000"})
        assert wrong.status_code == 422
        assert settings_of(exchange, directory()).is_default

    def test_after_saving_it_says_for_whom_nobody_could_approve(self, petra, ines, exchange):
        make_eligible(ines, exchange)
        client = verified(petra)
        sent = as_shown(directory(), exchange, approval_required="on", approvers_1=[str(ines.pk)])
        answer = client.post(url(directory(), exchange, "edit"), sent, follow=True)
        said = [str(one) for one in answer.context["messages"]]
        assert said[0].startswith("The settings are changed: Approval, Stage 1")
        assert "For Ines nobody else could approve in stage 1." in said


class TestArrangingStages:
    def shown(self, user: User, what: Role, **changes: Any) -> Any:
        answer = visiting(user).post(url(directory(), what, "edit"), as_shown(directory(), what, **changes))
        assert answer.status_code == 200
        return answer.context["form"]

    def test_approvers_are_found_by_name_and_what_was_typed_stays(self, petra, adam, exchange):
        form = self.shown(
            petra, exchange, find="1", q_1="ada", max_activation="3", ticket_required="on", reason_required=None
        )
        assert [key for key, _name in form.fields["approvers_1"].choices] == [str(adam.pk)]
        assert (form["max_activation"].value(), form["ticket_required"].value()) == ("3", True)
        assert form["reason_required"].value() is False

    def test_who_was_chosen_stays_when_others_are_looked_for(self, petra, adam, berta, exchange):
        form = self.shown(petra, exchange, find="1", q_1="bert", approvers_1=[str(adam.pk)])
        assert form["approvers_1"].value() == [str(adam.pk)]
        assert {key for key, _name in form.fields["approvers_1"].choices} == {str(adam.pk), str(berta.pk)}

    def test_a_stage_is_added_up_to_five(self, petra, exchange):
        assert len(self.shown(petra, exchange, add_stage="1").typed) == 2
        full = {"stage_count": "5"} | {f"quorum_{number}": "1" for number in range(1, 6)}
        form = self.shown(petra, exchange, add_stage="1", **full)
        assert (len(form.typed), form.may_add_stage) == (5, False)

    def test_a_stage_is_taken_away_and_one_moved_before_the_other(self, petra, adam, berta, exchange):
        two = {"stage_count": "2", "approvers_1": [str(adam.pk)], "approvers_2": [str(berta.pk)], "quorum_2": "2"}
        form = self.shown(petra, exchange, remove_stage="1", **two)
        assert [(one.quorum, one.approvers) for one in form.typed] == [("2", [berta.pk])]
        form = self.shown(petra, exchange, earlier_stage="2", **two)
        assert [one.approvers for one in form.typed] == [[berta.pk], [adam.pk]]

    @pytest.mark.parametrize("count", ["", "0", "-1", "99", "²", "x"])
    def test_a_count_of_stages_that_is_none_is_no_error(self, petra, exchange, count):
        form = self.shown(petra, exchange, stage_count=count, find="1")
        assert 1 <= len(form.typed) <= 5


class TestResetting:
    def test_it_shows_what_will_rule_then(self, petra, exchange):
        berlin = unit("Berlin")
        configure(exchange, directory(), max_activation=2 * HOUR)
        configure(exchange, berlin, max_activation=HOUR)
        body = page(petra, berlin, exchange, "reset")
        assert "Then the settings of Directory rule here." in body
        assert "<del>1 h</del>" in body
        assert "<ins>2 h</ins>" in body

    def test_it_resets(self, petra, exchange):
        configure(exchange, directory(), max_activation=HOUR)
        sent = {"seen": settings_of(exchange, directory()).seen}
        answer = verified(petra).post(url(directory(), exchange, "reset"), sent)
        assert answer["Location"] == url(directory(), exchange)
        assert settings_of(exchange, directory()).is_default

    def test_not_what_was_changed_since(self, petra, exchange):
        configure(exchange, directory(), max_activation=HOUR)
        sent = {"seen": settings_of(exchange, directory()).seen}
        configure(exchange, directory(), max_activation=2 * HOUR)
        assert verified(petra).post(url(directory(), exchange, "reset"), sent).status_code == 422
        assert settings_of(exchange, directory()).max_activation == 2 * HOUR


class TestComparing:
    def test_two_roles_stand_side_by_side(self, petra, exchange):
        configure(exchange, directory(), max_activation=HOUR)
        body = page(petra, directory(), exchange, "difference", **{"with": str(ids.USER_ADMINISTRATOR)})
        assert "1 difference<" in body
        assert "User Administrator</th>" in body

    def test_one_stands_beside_what_would_rule_and_the_default(self, petra, exchange):
        berlin = unit("Berlin")
        configure(exchange, directory(), max_activation=2 * HOUR, ticket_required=True)
        configure(exchange, berlin, max_activation=HOUR, ticket_required=True)
        assert "1 difference<" in page(petra, berlin, exchange, "difference", **{"with": "above"})
        assert "2 differences<" in page(petra, berlin, exchange, "difference", **{"with": "default"})

    def test_what_stands_beside_them_first_is_said_and_shown(self, petra, exchange):
        berlin = unit("Berlin")
        body = page(petra, berlin, exchange, "difference")
        assert '<option value="default" selected>' in body
        assert "Portal’s default</th>" in body
        configure(exchange, berlin, max_activation=HOUR)
        body = page(petra, berlin, exchange, "difference")
        assert '<option value="above" selected>' in body
        assert "1 difference<" in body

    def test_namesakes_are_told_apart(self, petra, exchange):
        one, other = person("alex1", name="Alex"), person("alex2", name="Alex")
        configure(exchange, directory(), approvers=[one])
        configure(role(ids.USER_ADMINISTRATOR), directory(), approvers=[other])
        body = page(petra, directory(), exchange, "difference", **{"with": str(ids.USER_ADMINISTRATOR)})
        assert "Alex (alex1)" in body
        assert "1 difference<" in body

    @pytest.mark.parametrize("other", ["nonsense", str(ids.READER), "00000000-0000-0000-0000-000000000000"])
    def test_what_is_not_there_is_not_found(self, petra, exchange, other):
        answer = visiting(petra).get(url(directory(), exchange, "difference"), {"with": other})
        assert answer.status_code == 404


class TestCopying:
    def preview(self, client: Any, place: Resource, source: Role, *to: Role) -> dict[str, Any]:
        """Send what the preview shows."""
        answer = client.post(url(place, source, "copy"), {"preview": "1", "to": [str(one.pk) for one in to]})
        assert answer.status_code == 200
        sent = {"copy": "1", "seen": answer.context["seen"], "to": [str(one.pk) for one in to]}
        return sent | {f"seen_{one.role.pk}": one.now.seen for one in answer.context["targets"]}

    def test_it_shows_for_each_what_would_change_and_changes_nothing(self, petra, exchange):
        configure(exchange, directory(), max_activation=HOUR)
        client, other = verified(petra), role(ids.USER_ADMINISTRATOR)
        client.get("/")
        before = rows_of_everything()
        answer = client.post(url(directory(), exchange, "copy"), {"preview": "1", "to": [str(other.pk)]})
        assert "<ins>1 h</ins>" in answer.content.decode()
        assert rows_of_everything() == before

    def test_each_is_copied_or_refused_on_its_own(self, petra, adam, exchange):
        configure(exchange, directory(), approval_required=True, max_activation=HOUR)
        same, pra = role(ids.SECURITY_READER), role(ids.PRIVILEGED_ROLE_ADMINISTRATOR)
        configure(same, directory(), approval_required=True, max_activation=HOUR)
        other, client = role(ids.USER_ADMINISTRATOR), verified(petra)
        sent = self.preview(client, directory(), exchange, other, pra, same)
        answer = client.post(url(directory(), exchange, "copy"), sent, follow=True)
        body = answer.content.decode()
        assert settings_of(other, directory()).max_activation == HOUR
        assert settings_of(pra, directory()).is_default
        assert "Privileged Role Administrators would decide who becomes one" in body
        assert "It had the same settings already." in body
        changed = Event.objects.filter(kind=Kind.ROLE_SETTINGS_CHANGED, outcome=Outcome.DONE, actor_id=petra.pk)
        assert [one.role_id for one in changed] == [other.pk]

    def test_one_that_was_changed_since_the_preview_is_refused(self, petra, exchange):
        configure(exchange, directory(), max_activation=HOUR)
        other, client = role(ids.USER_ADMINISTRATOR), verified(petra)
        sent = self.preview(client, directory(), exchange, other)
        configure(other, directory(), ticket_required=True)
        answer = client.post(url(directory(), exchange, "copy"), sent, follow=True)
        assert "Somebody changed these settings meanwhile" in answer.content.decode()
        assert settings_of(other, directory()).max_activation == 8 * HOUR

    def test_one_that_was_not_in_the_preview_is_refused(self, petra, exchange):
        configure(exchange, directory(), max_activation=HOUR)
        other, client = role(ids.USER_ADMINISTRATOR), verified(petra)
        sent = self.preview(client, directory(), exchange, role(ids.SECURITY_READER))
        client.post(url(directory(), exchange, "copy"), sent | {"to": [str(other.pk)]}, follow=True)
        assert settings_of(other, directory()).is_default

    def test_a_source_that_was_changed_since_is_shown_anew(self, petra, exchange):
        configure(exchange, directory(), max_activation=HOUR)
        other, client = role(ids.USER_ADMINISTRATOR), verified(petra)
        sent = self.preview(client, directory(), exchange, other)
        configure(exchange, directory(), max_activation=24 * HOUR)
        answer = client.post(url(directory(), exchange, "copy"), sent)
        assert answer.status_code == 422
        assert "<ins>24 h</ins>" in answer.content.decode()
        assert settings_of(other, directory()).is_default

    def test_only_roles_of_the_place_can_be_chosen(self, olga, nodes):
        elsewhere = custom_role(tree("Other")[0], "Elsewhere")
        client = verified(olga)
        for what in (elsewhere, role(EXCHANGE_ADMINISTRATOR), role(ids.READER)):
            answer = client.post(url(nodes[1], role(ids.READER), "copy"), {"preview": "1", "to": [str(what.pk)]})
            assert answer.status_code == 422
            assert "Elsewhere" not in answer.content.decode()

    def test_roles_in_use_are_offered_and_others_found(self, olga, nodes):
        where = url(nodes[1], role(ids.READER), "copy")
        client = visiting(olga)
        offered = dict(client.get(where).context["form"].fields["to"].choices)
        assert offered == {str(ids.OWNER): "Owner"}
        answer = client.post(where, {"find": "1", "q": "backup", "to": [str(ids.OWNER)]})
        assert "Backup Contributor" in dict(answer.context["form"].fields["to"].choices).values()
        assert answer.context["form"]["to"].value() == [str(ids.OWNER)]
