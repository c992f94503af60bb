"""The pages of assignments at a place: the lists, adding, changing, ending; what each viewer sees of them."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from audit.kinds import Kind
from audit.models import Event
from roles import ids
from roles.models import Assignment, AssignmentType, EndReason, Resource
from roles.places import address
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
    tree,
    unit,
)
from tests.stepping import code_of, verified

pytestmark = pytest.mark.django_db

ELIGIBLE = AssignmentType.ELIGIBLE


@pytest.fixture(autouse=True)
def _now():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def client(petra) -> Client:
    return verified(petra)


@pytest.fixture
def resources() -> list[Resource]:
    return tree("Root", "prod", "rg", "vault")


@pytest.fixture
def olga(resources) -> Any:
    """Owner at the subscription, below the root."""
    user = person("olga")
    give(user, role(ids.OWNER), resources[1])
    return user


def names_in(client: Client, place: Resource, query: str = "") -> list[str]:
    answer = client.get(f"{address(place, 'assignments')}?{query}")
    assert answer.status_code == 200
    return [row.record.principal.name for row in answer.context["table"].page.object_list]


def add(client: Client, place: Resource, *principals: Any, **given: Any):
    fields = {"type": "eligible", "duration": "permanent", "reason": "needed", **given}
    return client.post(address(place, "assignments_add"), {"principal": [str(one.pk) for one in principals], **fields})


class TestTheLists:
    def test_each_tab_shows_its_own_and_counts_it(self, client, ines, zoe, adam, petra, eligibility):
        give(zoe, role(ids.SECURITY_READER), type=ELIGIBLE, starts_at=NOW, ends_at=NOW + DAY)
        planned = give(adam, role(ids.SECURITY_READER), ends_at=NOW + 9 * DAY)
        Assignment.objects.filter(pk=planned.pk).update(starts_at=NOW + DAY)
        give(adam, role(EXCHANGE_ADMINISTRATOR), starts_at=NOW - 9 * DAY, ends_at=NOW - DAY)
        give(ines, role(ids.GLOBAL_READER), starts_at=NOW - 99 * DAY, ends_at=NOW - 31 * DAY)
        assert names_in(client, directory()) == ["Ines", "Zoe"]
        assert names_in(client, directory(), "tab=active") == ["Petra"]
        assert names_in(client, directory(), "tab=scheduled") == ["Adam"]
        assert names_in(client, directory(), "tab=expired") == ["Adam"]
        tabs = client.get(address(directory(), "assignments")).context["list_tabs"]
        assert [one.count for one in tabs] == [2, 1, 1, 1]

    def test_the_filters_narrow_by_state_membership_duration_and_kind(self, client, ines, eligibility):
        team = group("Team", ines)
        shared = make_eligible(team, role(ids.SECURITY_READER))
        request_activation(ines, shared)
        request_activation(ines, eligibility)
        place = directory()
        assert names_in(client, place, "tab=active&state=assigned") == ["Petra"]
        assert names_in(client, place, "tab=active&state=activated") == ["Ines", "Ines"]
        assert names_in(client, place, "tab=active&state=activated&membership=direct") == ["Ines"]
        assert names_in(client, place, "tab=active&membership=group") == ["Ines"]
        assert names_in(client, place, "tab=active&duration=permanent") == ["Petra"]
        assert names_in(client, place, "holder=group") == ["Team"]
        assert names_in(client, place, "q=exchange") == ["Ines"]
        assert names_in(client, place, f"role={ids.SECURITY_READER}") == ["Team"]

    def test_the_end_says_permanent_once_and_of_an_end_for_what_it_was_given(self, client, ines, zoe):
        make_eligible(ines, role(EXCHANGE_ADMINISTRATOR))
        make_eligible(zoe, role(EXCHANGE_ADMINISTRATOR), ends_at=NOW + 9 * DAY)
        html = client.get(address(directory(), "assignments")).content.decode()
        ends = re.findall(r'data-label="End">(.*?)</td>', html, re.DOTALL)
        said = [" ".join(re.sub(r"<[^>]+>", " ", one).split()) for one in ends]
        assert said == ["Permanent", "in 9 days Expire eligible"]

    def test_a_list_of_one_role_says_so_and_leads_to_all(self, client, eligibility):
        everything = f'href="{address(directory(), "assignments")}?tab=eligible">Show every role'
        body = client.get(address(directory(), "assignments"), {"role": ids.SECURITY_READER}).content.decode()
        assert "Only Security Reader." in body
        assert everything in body
        assert "No assignment of this role stands here." in body
        assert "Show every role" not in client.get(address(directory(), "assignments")).content.decode()

    def test_memberships_of_groups_are_no_assignments_here(self, client, ines):
        group("Team", ines)
        assert names_in(client, directory(), "tab=active") == ["Petra"]

    def test_what_stands_above_is_inherited_and_what_stands_beside_is_unseen(self, olga, resources, ines, zoe, adam):
        root, prod, rg, vault = resources
        other = tree("Elsewhere")[0]
        give(ines, role(ids.READER), root)
        give(zoe, role(ids.READER), other)
        give(adam, role(ids.READER), vault)
        client = verified(olga)
        assert set(names_in(client, rg, "tab=active&membership=inherited")) == {"Ines", "Olga"}
        assert names_in(client, rg, "tab=active&membership=direct") == []
        html = client.get(address(rg, "assignments") + "?tab=active").content.decode()
        assert address(prod, "assignments") in html
        assert address(root, "assignments") not in html

    def test_an_inherited_one_has_no_page_here_and_none_where_one_may_not_look(self, olga, resources, ines):
        root, prod, _rg, _vault = resources
        row = give(ines, role(ids.READER), root)
        client = verified(olga)
        for place in (prod, root):
            assert client.get(address(place, "assignment", pk=row.pk)).status_code == 404
            assert client.post(address(place, "assignment_remove", pk=row.pk), {"reason": "x"}).status_code == 404
        assert client.post(address(prod, "assignments_end"), {"chosen": [row.pk], "reason": "x"}).status_code == 404

    def test_who_may_only_look_is_offered_nothing(self, nina, ines, eligibility):
        html = verified(nina).get(address(directory(), "assignments")).content.decode()
        assert "Add assignments" not in html
        assert 'name="chosen"' not in html

    def test_names_lead_to_people_only_for_whom_may_see_them(self, client, olga, resources, ines, eligibility):
        give(ines, role(ids.READER), resources[1])
        assert f"/manage/people/{ines.pk}/" in client.get(address(directory(), "assignments")).content.decode()
        html = verified(olga).get(address(resources[1], "assignments") + "?tab=active").content.decode()
        assert "Ines" in html
        assert f"/manage/people/{ines.pk}/" not in html

    def test_the_number_of_queries_does_not_grow_with_the_rows(self, client, adam):
        def queries() -> int:
            with CaptureQueriesContext(
                connection,
            ) as seen:
                names_in(client, directory())
            return len(seen)

        make_eligible(adam, role(ids.SECURITY_READER))
        queries()  # what all pages show is kept from here on
        few = queries()
        for number in range(8):
            make_eligible(person(f"extra{number}"), role(EXCHANGE_ADMINISTRATOR))
        assert queries() == few


class TestAdding:
    def test_several_users_and_groups_at_once(self, client, ines, zoe):
        team = group("Team")
        answer = add(client, directory(), ines, zoe, team, role=ids.SECURITY_READER)
        assert answer.headers["Location"] == "/tasks/results/"
        assert Assignment.objects.filter(role=ids.SECURITY_READER, type=ELIGIBLE).count() == 3
        assert Event.objects.filter(kind=Kind.ASSIGNMENT_ADDED, actor_id__isnull=False).count() == 3

    def test_one_refusal_keeps_no_other_from_it(self, client, ines, zoe):
        make_eligible(ines, role(ids.SECURITY_READER))
        page = client.get(add(client, directory(), zoe, ines, role=ids.SECURITY_READER).headers["Location"])
        assert "Ines already has Security Reader at" in page.content.decode()
        assert Assignment.objects.filter(role=ids.SECURITY_READER, principal=zoe).exists()

    def test_a_refusal_of_one_stands_beside_its_field(self, client, ines):
        configure(role(ids.SECURITY_READER), permanent_eligible_allowed=False)
        answer = add(client, directory(), ines, role=ids.SECURITY_READER)
        assert answer.status_code == 422
        assert "ends_at" in answer.context["form"].errors

    def test_finding_changes_nothing_and_keeps_what_was_chosen_and_typed(self, client, ines, zoe):
        answer = add(client, directory(), ines, q="zo", find="1", role=ids.SECURITY_READER, reason="to read")
        html = answer.content.decode()
        assert answer.status_code == 200
        assert "Zoe (zoe)" in html
        assert "to read" in html
        assert "checked" in html.split("Ines (ines)")[0].rsplit("<label", 1)[1]
        assert not Assignment.objects.filter(role=ids.SECURITY_READER).exists()

    def test_times_are_those_of_the_viewer(self, client, petra, ines):
        petra.time_zone = "Europe/Berlin"
        petra.save()
        add(
            client,
            directory(),
            ines,
            role=ids.SECURITY_READER,
            duration="until",
            starts_at="2026-11-24T09:00",
            ends_at="2026-11-25T09:00",
        )
        made = Assignment.objects.get(role=ids.SECURITY_READER)
        assert (made.starts_at, made.ends_at) == (NOW + 20 * HOUR, NOW + 44 * HOUR)

    def test_a_year_is_proposed_for_a_resource_role(self, olga, resources):
        form = verified(olga).get(address(resources[1], "assignments_add") + f"?role={ids.READER}").context["form"]
        assert form["duration"].value() == "until"
        assert 'value="2027-11-23T12:00"' in str(form["ends_at"])

    def test_a_role_of_the_other_world_cannot_be_chosen(self, client, olga, resources, ines):
        assert add(client, directory(), ines, role=ids.READER).status_code == 422
        assert add(verified(olga), resources[1], ines, role=ids.SECURITY_READER).status_code == 422

    def test_an_active_one_asks_for_a_code_of_its_own_where_the_settings_do(self, client, petra, ines):
        configure(role(ids.SECURITY_READER), second_factor_on_assign=True)
        assert add(client, directory(), ines, role=ids.SECURITY_READER).status_code == 302
        answer = add(client, directory(), ines, role=ids.SECURITY_READER, type="active")
        assert answer.status_code == 422
        assert "code" in answer.context["form"].errors
        answer = add(client, directory(), ines, role=ids.SECURITY_READER, type="active", **code_of(petra))
        assert answer.status_code == 302


class TestActingOnThem:
    def test_the_end_is_changed(self, client, ines):
        row = make_eligible(ines, role(EXCHANGE_ADMINISTRATOR), ends_at=NOW + 9 * DAY)
        page = address(directory(), "assignment_change", pk=row.pk)
        answer = client.post(page, {"duration": "until", "ends_at": "2026-12-24T12:00:00+00:00", "reason": "longer"})
        assert answer.status_code == 302
        row.refresh_from_db()
        assert row.ends_at == NOW + 31 * DAY
        html = client.get(answer.headers["Location"]).content.decode()
        assert "extended the assignment" in html
        assert "longer" in html

    def test_the_form_shows_the_end_on_the_clock_of_the_viewer(self, client, petra, ines):
        petra.time_zone = "Europe/Berlin"
        petra.save()
        row = make_eligible(ines, role(EXCHANGE_ADMINISTRATOR), ends_at=NOW + 9 * DAY)
        html = client.get(address(directory(), "assignment_change", pk=row.pk)).content.decode()
        assert 'value="2026-12-02T13:00"' in html

    def test_saving_the_same_minute_changes_nothing(self, client, ines):
        row = make_eligible(ines, role(EXCHANGE_ADMINISTRATOR), ends_at=NOW + 9 * DAY + HOUR / 100)
        page = address(directory(), "assignment_change", pk=row.pk)
        answer = client.post(page, {"duration": "until", "ends_at": "2026-12-02T12:00:00+00:00", "reason": "x"})
        assert answer.status_code == 422
        assert "the times that it has already" in answer.content.decode()

    def test_it_is_renewed(self, client, ines):
        row = make_eligible(ines, role(EXCHANGE_ADMINISTRATOR), starts_at=NOW - 9 * DAY, ends_at=NOW - DAY)
        assert "Renew" in client.get(address(directory(), "assignment", pk=row.pk)).content.decode()
        page = address(directory(), "assignment_renew", pk=row.pk)
        answer = client.post(page, {"type": "eligible", "duration": "permanent", "reason": "still"})
        assert answer.status_code == 302
        assert Assignment.objects.get(renewed_from=row).ends_at is None

    def test_removing_needs_a_reason(self, client, eligibility):
        page = address(directory(), "assignment_remove", pk=eligibility.pk)
        assert client.post(page, {"reason": ""}).status_code == 422
        assert client.post(page, {"reason": "left the team"}).status_code == 302
        eligibility.refresh_from_db()
        assert eligibility.end_reason == EndReason.REMOVED

    def test_several_are_ended_with_one_reason_each_on_its_own(self, client, petra, ines, eligibility):
        activation = request_activation(ines, eligibility).outcome
        last = Assignment.objects.get(principal=petra)
        page = address(directory(), "assignments_end")
        chosen = [str(one.pk) for one in (eligibility, last, activation)]
        answer = client.get(client.post(page, {"chosen": chosen, "reason": "clean-up"}).headers["Location"])
        html = answer.content.decode()
        assert [one["label"] for one in answer.context["results"]] == ["Removed", "Refused", "Ended"]
        assert "leave nobody who can administer roles" in html
        assert Event.objects.get(kind=Kind.ACTIVATION_ENDED).text.fields["reason"] == "clean-up"

    def test_with_nothing_chosen_nothing_is_offered(self, client):
        html = client.get(address(directory(), "assignments_end")).content.decode()
        assert "<h1>Remove assignments</h1>" in html
        assert "Nothing is chosen." in html
        assert 'name="reason"' not in html

    def test_a_reader_changes_nothing(self, nina, eligibility):
        client = verified(nina)
        for page in ("change", "renew", "remove"):
            address_of_page = address(directory(), f"assignment_{page}", pk=eligibility.pk)
            assert client.post(address_of_page, {"reason": "x"}).status_code == 404
        assert client.post(address(directory(), "assignments_end"), {"chosen": [eligibility.pk]}).status_code == 403

    def test_a_unit_has_its_own(self, client, ines):
        berlin = unit("Berlin")
        row = make_eligible(ines, role(EXCHANGE_ADMINISTRATOR), berlin)
        assert client.get(address(berlin, "assignment", pk=row.pk)).status_code == 200
        assert client.get(address(directory(), "assignment", pk=row.pk)).status_code == 404


def test_a_download_names_no_place_above_the_viewers_sight(resources, olga, ines):
    give(ines, role(ids.READER), resources[0])
    give(ines, role(ids.READER), resources[2])
    address_here = f"{address(resources[2], 'assignments')}?tab=active&download=csv"
    answer: Any = verified(olga).get(address_here)
    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))
    places = {(row["Role Name"], row["Member Type"], row["Scope Path"]) for row in rows}
    assert places == {
        ("Reader", "Inherited", ""),
        ("Owner", "Inherited", resources[1].scope_path),
        ("Reader", "Direct", resources[2].scope_path),
    }


class TestTheJustification:
    """Its label says whether it is required, as the settings have it."""

    def label(self, client: Client, place: Resource, assignment: Assignment, page: str) -> str:
        html = client.get(address(place, page, pk=assignment.pk)).content.decode()
        return str(re.findall(r'Justification <span class="mark-of-need">\(([^)]+)\)', html)[0])

    def test_of_an_active_assignment_that_is_changed(self, client, ines):
        held = give(ines, role(ids.SECURITY_READER))
        assert self.label(client, directory(), held, "assignment_change") == "required"
        configure(role(ids.SECURITY_READER), reason_on_assign=False)
        assert self.label(client, directory(), held, "assignment_change") == "optional"

    def test_of_an_eligible_one(self, client, eligibility):
        assert self.label(client, directory(), eligibility, "assignment_change") == "optional"

    def test_of_one_that_is_renewed_as_either(self, client, ines):
        over = give(ines, role(ids.SECURITY_READER), starts_at=NOW - 9 * DAY, ends_at=NOW - DAY)
        assert self.label(client, directory(), over, "assignment_renew") == "required for an active one"


class TestIdsOfOthers:
    """What no select of the form offers is no choice when it is sent all the same."""

    def test_a_role_of_the_other_world_is_not_given(self, olga, resources, zoe):
        for what in (ids.PRIVILEGED_ROLE_ADMINISTRATOR, ids.GROUP_OWNER):
            answer = add(verified(olga), resources[1], zoe, role=str(what), q="zoe", reason="x", **code_of(olga))
            assert answer.status_code == 422
        assert not Assignment.objects.filter(principal=zoe).exists()

    def test_a_field_that_the_form_does_not_have_changes_nothing(self, olga, resources, zoe):
        fields = {"resource": str(resources[0].pk), "activated_from": str(zoe.pk)}
        fields |= {"ended_at": "2026-11-23T12:00", "principal_id": str(olga.pk), "granted_by": str(zoe.pk)}
        end = {"duration": "until", "ends_at": "2026-12-23T12:00"}
        add(verified(olga), resources[1], zoe, role=str(ids.READER), q="zoe", **fields, **end, **code_of(olga))
        made = Assignment.objects.get(principal=zoe)
        assert (made.resource_id, made.activated_from_id, made.ended_at) == (resources[1].pk, None, None)

    @pytest.mark.parametrize("page", ["assignment_change", "assignment_renew", "assignment_remove"])
    def test_an_assignment_of_another_place_is_not_there(self, page, olga, resources, ines):
        above = give(ines, role(ids.READER), resources[0])
        beyond = give(ines, role(ids.SECURITY_READER))
        client = verified(olga)
        for one in (above, beyond):
            fields = {"reason": "x", "duration": "permanent", "type": "active", **code_of(olga)}
            assert client.post(address(resources[1], page, pk=one.pk), fields).status_code == 404
        assert Assignment.objects.filter(principal=ines, ended_at=None).count() == 2

    def test_nor_ended_among_others(self, olga, resources, ines):
        here, above = give(ines, role(ids.READER), resources[1]), give(ines, role(ids.READER), resources[0])
        fields = {"chosen": [str(here.pk), str(above.pk)], "reason": "x", **code_of(olga)}
        assert verified(olga).post(address(resources[1], "assignments_end"), fields).status_code == 404
        assert Assignment.objects.filter(principal=ines, ended_at=None).count() == 2
