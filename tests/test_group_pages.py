"""The pages of groups: who reaches them, what they say beforehand, and who may let whom in."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from audit.kinds import Kind, Outcome, Realm
from audit.models import Event
from roles import ids
from roles.models import Assignment, AssignmentType, EndReason, Group, User
from tests.people import (
    DAY,
    EXCHANGE_ADMINISTRATOR,
    NOW,
    configure,
    give,
    group,
    make_eligible,
    person,
    role,
    tree,
)
from tests.stepping import code_of, verified

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _now(petra: User):
    """Petra administers the portal."""
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def gina() -> User:
    """A Groups Administrator."""
    user = person("gina")
    give(user, role(ids.GROUPS_ADMINISTRATOR))
    return user


@pytest.fixture
def team(ines: User) -> Group:
    """Ines is its member."""
    return group("Blue", ines)


@pytest.fixture
def greta(team: Group) -> User:
    """The Owner of the team, who holds nothing else."""
    user = person("greta")
    give(user, role(ids.GROUP_OWNER), team.resource)
    return user


def page(name: str, team: Group, **more: Any) -> str:
    return reverse(name, kwargs={"place": team.pk, **more})


def join(by: User, team: Group, *people: User, what: uuid.UUID = ids.GROUP_MEMBER, **given: str) -> Any:
    fields = {"role": str(what), "type": "active", "duration": "permanent", "reason": "joins", **given}
    chosen = {"principal": [str(one.pk) for one in people]}
    return verified(by).post(page("group:assignments_add", team), fields | chosen)


def members(team: Group) -> set[str]:
    rows = Assignment.objects.memberships(NOW).filter(resource=team.resource)
    return set(rows.values_list("principal__name", flat=True))


# Who reaches them


def test_an_owner_reaches_their_own_group_from_the_menu_and_no_other(greta: User, team: Group):
    other = group("Green")
    client = verified(greta)
    html = client.get("/").content.decode()
    assert f'href="{reverse("groups")}"' in html
    assert f'href="{reverse("people")}"' not in html
    listed = client.get(reverse("groups")).content.decode()
    assert "Blue" in listed
    assert "Green" not in listed
    assert client.get(reverse("group", args=[team.pk])).status_code == 200
    assert client.get(reverse("group", args=[other.pk])).status_code == 404
    assert client.get(page("group:assignments", other)).status_code == 404
    assert client.get(reverse("people")).status_code == 403


def test_an_owner_whose_time_is_over_reaches_nothing(team: Group):
    user = person("former")
    give(user, role(ids.GROUP_OWNER), team.resource, ends_at=NOW)
    client = verified(user)
    assert client.get(reverse("groups")).status_code == 403
    assert client.get(reverse("group", args=[team.pk])).status_code == 404


def test_an_owner_sees_who_belongs_to_it_without_the_way_to_people(greta: User, team: Group, ines: User):
    html = verified(greta).get(reverse("group", args=[team.pk])).content.decode()
    assert "Ines" in html
    assert reverse("person", args=[ines.pk]) not in html


def test_an_owner_sees_nothing_of_the_roles_that_their_group_holds(greta: User, team: Group):
    root = tree("Contoso")[0]
    give(team, role(EXCHANGE_ADMINISTRATOR))
    give(team, role(ids.READER), root)
    client = verified(greta)
    for url in (reverse("group", args=[team.pk]), page("group:assignments_add", team), reverse("groups")):
        html = client.get(url).content.decode()
        assert "Exchange Administrator" not in html
        assert "Contoso" not in html


NUMBERED = ["", "?sort=name", "?sort=-members", "?sort=name&sort=holds", "?q=blue", "?holds=some&sort=holds"]


@pytest.mark.parametrize("query", NUMBERED)
def test_the_list_counts_members_and_the_roles_within_sight(
    gina: User, nina: User, ines: User, zoe: User, team: Group, query: str
):
    """Sorted, searched or narrowed."""
    node = tree("Contoso")[0]
    for one in (role(EXCHANGE_ADMINISTRATOR), role(ids.SECURITY_READER)):
        give(team, one)
    give(team, role(ids.READER), node)
    make_eligible(team, role(ids.READER), node)
    group("Blue and empty")
    other = group("Blue and late", ines)
    give(zoe, role(ids.GROUP_MEMBER), other.resource, starts_at=NOW + DAY, ends_at=NOW + 2 * DAY)
    give(other, role(ids.GLOBAL_READER), starts_at=NOW + DAY, ends_at=NOW + 2 * DAY)
    give(other, role(ids.READER), node, ends_at=NOW + DAY)
    for by, sees in ((gina, [0, 0, 0]), (nina, [2, 0, 0])):
        rows = verified(by).get(reverse("groups") + query).context["table"].paginated_rows
        told = {row.record.name: (row.record.members, row.record.holds) for row in rows}
        of_all = dict(zip(("Blue", "Blue and empty", "Blue and late"), zip((1, 0, 1), sees, strict=True), strict=True))
        assert told == {name: one for name, one in of_all.items() if "holds=some" not in query or one[1]}


def test_a_list_of_groups_is_narrowed_to_those_that_hold_roles(nina: User, team: Group):
    give(team, role(EXCHANGE_ADMINISTRATOR))
    client = verified(nina)
    assert "Blue" not in client.get(reverse("groups") + "?holds=none").content.decode()
    assert "Blue" in client.get(reverse("groups") + "?holds=some").content.decode()


# Adding, changing, disabling


def test_a_groups_administrator_adds_a_group_and_nobody_else_does(gina: User, greta: User, nina: User):
    fields = {"name": "Green", "description": "for plants"}
    for by in (greta, nina):
        assert verified(by).post(reverse("group_add"), fields).status_code == 403
    assert not Group.objects.filter(name="Green").exists()
    answer = verified(gina).post(reverse("group_add"), fields)
    assert answer["Location"] == reverse("group", args=[Group.objects.get(name="Green").pk])


def test_a_group_is_changed_disabled_and_enabled_by_its_owner(greta: User, team: Group):
    assert verified(greta).post(reverse("group_change", args=[team.pk]), {"name": "Navy"}).status_code == 302
    assert verified(greta).post(reverse("group_disable", args=[team.pk]), {"reason": ""}).status_code == 422
    assert verified(greta).post(reverse("group_disable", args=[team.pk]), {"reason": "over"}).status_code == 302
    team.refresh_from_db()
    assert (team.name, team.enabled) == ("Navy", False)
    assert verified(greta).post(reverse("group_enable", args=[team.pk])).status_code == 302


def test_a_taken_name_is_said_beside_the_field(gina: User, team: Group):
    answer = verified(gina).post(reverse("group_add"), {"name": "BLUE"})
    assert answer.status_code == 422
    assert "name" in answer.context["form"].errors


def test_a_second_form_needs_a_second_factor_of_its_own(gina: User):
    client = verified(gina)
    assert client.post(reverse("group_add"), {"name": "One"}).status_code == 302
    answer = client.post(reverse("group_add"), {"name": "Two"})
    assert "code" in answer.context["form"].errors
    assert client.post(reverse("group_add"), {"name": "Two", **code_of(gina)}).status_code == 302


# Letting people in


def test_several_people_join_at_once_and_it_is_in_the_history(greta: User, team: Group, zoe: User, adam: User):
    assert join(greta, team, zoe, adam).status_code == 302
    assert members(team) == {"Ines", "Zoe", "Adam"}
    joined = Event.objects.filter(kind=Kind.ASSIGNMENT_ADDED, actor_id=greta.pk, realm=Realm.GROUP)
    assert {one.target_id for one in joined} == {zoe.pk, adam.pk}
    assert all(one.authority_id for one in joined)


def test_somebody_joins_for_a_time_or_as_eligible(gina: User, team: Group, zoe: User, adam: User):
    assert join(gina, team, zoe, duration="until", ends_at="2026-11-25T12:00").status_code == 302
    assert Assignment.objects.get(principal=zoe).ends_at == NOW + 2 * DAY
    # Group roles refuse permanent eligibility until somebody allows it.
    assert join(gina, team, adam, type="eligible").status_code == 422
    assert join(gina, team, adam, type="eligible", duration="until", ends_at="2026-12-25T12:00").status_code == 302
    assert Assignment.objects.get(principal=adam).type == AssignmentType.ELIGIBLE
    assert "Adam" not in members(team)


def test_the_name_of_a_member_heads_their_card(petra: User, team: Group, zoe: User):
    assert join(petra, team, zoe).status_code == 302
    html = verified(petra).get(reverse("group", args=[team.pk])).content.decode()
    assert re.search(r'<td class="main" data-label="Name"><b><a [^>]*>Zoe</a>', html)


def test_no_group_can_be_chosen_for_a_group(gina: User, team: Group):
    other = group("Green")
    html = verified(gina).get(page("group:assignments_add", team) + "?q=green").content.decode()
    assert str(other.pk) not in html
    assert join(gina, team, other).status_code == 422
    assert not Assignment.objects.filter(principal=other).exists()


def test_no_role_of_another_world_is_given_at_a_group(gina: User, team: Group, zoe: User):
    assert join(gina, team, zoe, what=EXCHANGE_ADMINISTRATOR).status_code == 422
    assert not Assignment.objects.filter(principal=zoe).exists()


def test_the_form_says_beforehand_what_joining_gives(nina: User, petra: User, team: Group):
    give(team, role(EXCHANGE_ADMINISTRATOR))
    html = verified(petra).get(page("group:assignments_add", team)).content.decode()
    assert "Members get:" in html
    assert "Exchange Administrator at Directory" in html
    assert verified(nina).get(page("group:assignments_add", team)).status_code == 404


@pytest.mark.parametrize("what", [ids.GROUP_MEMBER, ids.GROUP_OWNER])
@pytest.mark.parametrize("type", ["active", "eligible"])
def test_a_groups_administrator_does_not_let_themselves_into_a_group_of_administrators(
    gina: User, what: uuid.UUID, type: str
):
    tier = group("Tier 0")
    give(tier, role(ids.PRIVILEGED_ROLE_ADMINISTRATOR))
    html = verified(gina).get(page("group:assignments_add", tier)).content.decode()
    assert "holds roles that you may not assign" in html

    answer = join(gina, tier, gina, what=what, type=type, duration="until", ends_at="2026-11-25T12:00")

    assert answer.status_code == 422
    assert not Assignment.objects.filter(principal=gina, resource=tier.resource).exists()
    refused = Event.objects.get(kind=Kind.ASSIGNMENT_ADDED, outcome=Outcome.REFUSED)
    assert refused.details == {"refused": ["group_holds_more"]}


def test_an_owner_of_a_group_that_came_to_hold_roles_lets_nobody_in_any_more(greta: User, team: Group, zoe: User):
    make_eligible(team, role(EXCHANGE_ADMINISTRATOR))
    for what in (ids.GROUP_MEMBER, ids.GROUP_OWNER):
        answer = join(greta, team, zoe, what=what, duration="until", ends_at="2026-11-25T12:00")
        assert answer.status_code == 422
    assert not Assignment.objects.filter(principal=zoe).exists()


def test_an_eligible_owner_may_nothing_before_activating(greta: User, team: Group, zoe: User, adam: User):
    answer = join(greta, team, zoe, what=ids.GROUP_OWNER, type="eligible", duration="until", ends_at="2026-12-25T12:00")
    assert answer.status_code == 302
    assert join(zoe, team, adam).status_code == 404
    assert verified(zoe).get(reverse("group", args=[team.pk])).status_code == 404


# Changing and removing


def test_the_times_of_a_membership_are_changed_and_it_is_renewed(greta: User, team: Group, zoe: User):
    row = give(zoe, role(ids.GROUP_MEMBER), team.resource, ends_at=NOW + DAY)
    change = page("group:assignment_change", team, pk=row.pk)
    answer = verified(greta).post(change, {"duration": "until", "ends_at": "2026-11-30T12:00", "reason": "stays"})
    assert answer["Location"] == page("group:assignment", team, pk=row.pk)
    row.refresh_from_db()
    assert row.ends_at == NOW + 7 * DAY

    over = give(person("old"), role(ids.GROUP_MEMBER), team.resource, starts_at=NOW - 9 * DAY, ends_at=NOW - DAY)
    renew = page("group:assignment_renew", team, pk=over.pk)
    answer = verified(greta).post(renew, {"type": "active", "duration": "permanent", "reason": "back"})
    assert answer.status_code == 302
    assert Assignment.objects.get(renewed_from=over).ends_at is None


def test_several_members_leave_with_one_reason(greta: User, team: Group, zoe: User):
    rows = [Assignment.objects.get(resource=team.resource, role=ids.GROUP_MEMBER)]
    rows.append(give(zoe, role(ids.GROUP_MEMBER), team.resource))
    end = page("group:assignments_end", team)
    chosen = {"chosen": [str(one.pk) for one in rows]}
    assert verified(greta).post(end, chosen | {"reason": ""}).status_code == 422
    assert verified(greta).post(end, chosen | {"reason": "reorganised"}).status_code == 302
    assert members(team) == set()
    assert {one.end_reason for one in Assignment.objects.filter(pk__in=[one.pk for one in rows])} == {EndReason.REMOVED}


def test_a_membership_of_another_group_is_unknown_here(greta: User, team: Group, zoe: User):
    other = group("Green", zoe)
    row = Assignment.objects.get(resource=other.resource)
    for name in ("assignment", "assignment_change", "assignment_renew", "assignment_remove"):
        assert verified(greta).get(page(f"group:{name}", team, pk=row.pk)).status_code == 404
        assert verified(greta).post(page(f"group:{name}", team, pk=row.pk), {"reason": "x"}).status_code in (404, 405)
    answer = verified(greta).post(page("group:assignments_end", team), {"chosen": [row.pk], "reason": "x"})
    assert answer.status_code == 404
    row.refresh_from_db()
    assert row.ended_at is None


def test_an_id_of_another_kind_of_place_is_no_group(petra: User, team: Group):
    client = verified(petra)
    assert client.get(reverse("group:assignments", args=[team.resource_id])).status_code == 404
    assert client.get(reverse("group:assignments", args=[ids.DIRECTORY])).status_code == 404
    assert client.get(reverse("resource:assignments", args=[team.resource_id])).status_code == 404
    assert client.get(reverse("unit:assignments", args=[team.pk])).status_code == 404


def test_an_auditor_reads_and_changes_nothing(nina: User, team: Group, zoe: User):
    row = Assignment.objects.get(resource=team.resource)
    html = verified(nina).get(page("group:assignments", team)).content.decode()
    assert "Ines" in html
    assert "Add members" not in html
    assert join(nina, team, zoe).status_code == 404
    assert verified(nina).post(page("group:assignment_remove", team, pk=row.pk), {"reason": "x"}).status_code == 404
    assert verified(nina).post(reverse("group_disable", args=[team.pk]), {"reason": "x"}).status_code == 404


# What the pages look like with few and with many


def test_a_group_without_anybody_says_so(gina: User):
    empty = group("Empty")
    client = verified(gina)
    assert "Nobody is a member now." in client.get(reverse("group", args=[empty.pk])).content.decode()
    assert "Nobody is a member or owner" in client.get(page("group:assignments", empty)).content.decode()


def test_a_large_group_is_paged_and_costs_as_many_queries_as_a_small_one(gina: User, team: Group):
    client = verified(gina)
    urls = [reverse("group", args=[team.pk]), page("group:assignments", team)]

    def queries() -> list[int]:
        counts = []
        for url in urls:
            with CaptureQueriesContext(connection) as seen:
                assert client.get(url).status_code == 200
            counts.append(len(seen))
        return counts

    configure(role(ids.GROUP_MEMBER), team.resource, permanent_eligible_allowed=True)
    few = queries()
    for number in range(20):
        give(person(f"member{number}", factor=False), role(ids.GROUP_MEMBER), team.resource)
    assert queries() == few
    html = client.get(urls[0]).content.decode()
    assert "All 21 members and owners" in html


@pytest.mark.parametrize("tab", ["eligible", "active", "scheduled", "expired"])
@pytest.mark.parametrize("who", ["gina", "sven"])
def test_every_tab_opens_for_who_may_change_it_and_for_who_only_looks(tab, who, gina, team):
    sven = person("sven")
    give(sven, role(ids.SECURITY_ADMINISTRATOR))
    answer = verified({"gina": gina, "sven": sven}[who]).get(page("group:assignments", team), {"tab": tab})
    assert answer.status_code == 200
    assert "membership" not in answer.context["table"].columns.names()
    assert ("chosen" in answer.context["table"].columns.names()) == (who == "gina" and tab != "expired")
