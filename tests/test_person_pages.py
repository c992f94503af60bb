"""The pages of people: what somebody holds and why, what happened, editing, and what disabling them does."""

from __future__ import annotations

import pytest
import time_machine
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from audit.kinds import Kind
from audit.models import Event
from pim_portal.people.selectors.people import recent_activity
from roles import ids
from roles.actors import Actor
from roles.authority import Authority
from roles.models import Assignment, Purpose, User
from roles.service import record
from roles.services.assignments import assign
from tests.alerting import scanned
from tests.people import (
    EXCHANGE_ADMINISTRATOR,
    NOW,
    SECURITY_READER,
    acting,
    at,
    configure,
    directory,
    give,
    group,
    make_eligible,
    person,
    request_activation,
    role,
    tree,
)
from tests.stepping import verified

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _now(petra: User):
    """Petra administers the portal."""
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def uma() -> User:
    """A User Administrator: she sees people, and nothing of roles."""
    user = person("uma")
    give(user, role(ids.USER_ADMINISTRATOR))
    return user


def shown(by: User, name: str, user: User, query: str = "") -> str:
    answer = verified(by).get(reverse(name, args=[user.pk]) + query)
    assert answer.status_code == 200
    return answer.content.decode()


def given_by(by: User, user: User, reason: str) -> Assignment:
    return assign(
        user.pk,
        role=role(SECURITY_READER),
        resource=directory(),
        type="active",
        reason=reason,
        actor=acting(by, Purpose.ASSIGN, user.pk),
        clock=at(NOW),
    )


# Why somebody has a role


def test_who_gave_it_and_why_is_said(petra: User, nina: User, ines: User):
    given_by(petra, ines, "covers for Berta")
    for name in ("person", "person_access"):
        html = shown(nina, name, ines)
        assert "by Petra" in html
        assert "covers for Berta" in html


def test_through_which_group_and_since_when_is_said(nina: User, ines: User):
    team = group("Blue", ines)
    give(team, role(SECURITY_READER))
    html = shown(nina, "person_access", ines)
    assert reverse("group", args=[team.pk]) in html
    assert "Member since" in html
    assert "23 Nov 2025" in html


def test_an_activation_below_its_eligibility_names_the_place_above_to_whom_may_see_it(nina: User, ines: User):
    root, prod = tree("Contoso", "prod")
    eligibility = make_eligible(ines, role(ids.READER), root)
    request_activation(ines, eligibility, resource_id=prod.pk)
    give(nina, role(ids.READER), prod)
    html = shown(nina, "person_access", ines)
    assert "a place that you may not see" in html
    assert "Contoso" not in html
    give(nina, role(ids.READER), root)
    assert "Contoso" in shown(nina, "person_access", ines)


def test_who_sees_people_only_sees_groups_and_no_roles_nor_reasons(uma: User, petra: User, ines: User):
    given_by(petra, ines, "a secret reason")
    team = group("Blue", ines)
    for name in ("person", "person_access", "person_activity", "person_leave"):
        html = shown(uma, name, ines)
        assert "Security Reader" not in html
        assert "a secret reason" not in html
        assert "for the test" not in html
    assert team.name in shown(uma, "person", ines)


def test_of_many_groups_the_page_says_how_many_it_leaves_out(uma: User, ines: User):
    for number in range(1, 11):
        group(f"Team {number:02}", ines)
    html = shown(uma, "person", ines)
    assert "Team 08" in html
    assert f'<a href="{reverse("person_access", args=[ines.pk])}?kind=group">and 2 more</a>' in html
    assert "Team 10" in shown(uma, "person_access", ines, "?kind=group")


def test_nothing_of_the_other_world_shows_on_any_page(nina: User, ines: User, adam: User):
    root = tree("Contoso")[0]
    team = group("Blue", ines)
    give(ines, role(ids.OWNER), root)
    give(team, role(ids.READER), root)
    eligibility = make_eligible(adam, role(ids.READER), root)
    configure(eligibility.role, root, approvers=[ines])
    request_activation(adam, eligibility)
    pages = [
        reverse(name, args=[ines.pk])
        for name in ("person", "person_access", "person_activity", "person_leave", "person_compare")
    ]
    pages += [reverse("person_compare", args=[ines.pk]) + f"?with={adam.pk}", reverse("group", args=[team.pk])]
    client = verified(nina)
    for url in pages:
        html = client.get(url).content.decode()
        assert "Contoso" not in html, url
        assert "Owner" not in html.replace("Members and owners", ""), url


def test_the_activity_is_that_of_the_places_within_sight(nina: User, ines: User):
    root = tree("Contoso")[0]
    request_activation(ines, make_eligible(ines, role(EXCHANGE_ADMINISTRATOR)), reason="mail is down")
    request_activation(ines, make_eligible(ines, role(ids.READER), root), reason="the vault is down")
    html = shown(nina, "person_activity", ines)
    assert "mail is down" in html
    assert "vault" not in html
    assert "Nothing matches" in shown(nina, "person_activity", ines, "?q=vault")
    give(nina, role(ids.READER), root)
    assert "the vault is down" in shown(nina, "person_activity", ines)


def test_ones_own_page_does_not_tell_what_was_found_about_one(uma: User):
    make_eligible(uma, role(EXCHANGE_ADMINISTRATOR))
    scanned("unused_roles")
    raised = Event.objects.filter(kind=Kind.INCIDENT_RAISED, target_id=uma.pk)
    assert raised.exists()
    assert not recent_activity(uma, viewer=Authority(uma, NOW)).filter(pk__in=raised).exists()


def test_on_ones_own_page_the_address_of_whoever_acted_is_not_found_piece_by_piece(uma: User, petra: User):
    actor = Actor(petra, address="198.51.100.7")
    with transaction.atomic():
        record(Kind.PERSON_CHANGED, actor=actor, at=NOW, target=uma, reason="married")
    assert "married" in shown(uma, "person_activity", uma, "?q=Petra")
    assert "married" not in shown(uma, "person_activity", uma, "?q=198.51")


def test_a_disabled_person_shows_what_comes_back(nina: User, ines: User, eligibility: Assignment):
    User.objects.filter(pk=ines.pk).update(enabled=False)
    assert "Exchange Administrator" in shown(nina, "person_access", ines, "?tab=suspended")
    assert "Suspended while disabled" in shown(nina, "person", ines)
    assert "Exchange Administrator" not in shown(nina, "person_access", ines, "?tab=eligible")


def test_somebody_without_anything_and_with_much(nina: User, ines: User):
    assert "Nothing that you may see." in shown(nina, "person", ines)
    client, url = verified(nina), reverse("person_access", args=[ines.pk])

    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert client.get(url).status_code == 200
        return len(seen)

    teams = [group(f"Team {number}", ines) for number in range(3)]
    give(teams[0], role(SECURITY_READER))
    few = queries()
    for number in range(10):
        give(group(f"More {number}", ines), role(EXCHANGE_ADMINISTRATOR))
    assert queries() == few
    assert "All 24" in shown(nina, "person", ines)


@pytest.mark.parametrize("page", ["person", "person_access"])
def test_what_somebody_has_is_looked_up_before_what_is_shown_of_it(nina: User, ines: User, eligibility, page):
    """With all tables in one question PostgreSQL looks at what everybody has: twelve seconds of a hundred thousand."""
    client, url = verified(nina), reverse(page, args=[ines.pk])
    with CaptureQueriesContext(connection) as seen:
        assert client.get(url).status_code == 200
    asked = [one["sql"] for one in seen.captured_queries if " UNION " in one["sql"]]
    assert asked
    assert not [sql for sql in asked if '"roles_role"."description"' in sql]


# Editing


def test_a_manager_is_found_and_chosen(uma: User, ines: User, adam: User):
    client, page = verified(uma), reverse("person_change", args=[ines.pk])
    fields = {"name": "Ines K.", "username": "ines", "email": "ines@example.org"}
    answer = client.post(page, fields | {"q": "ada", "find": "1"})
    assert answer.status_code == 200
    assert "Adam (adam)" in answer.content.decode()
    assert "Ines K." in answer.content.decode()
    ines.refresh_from_db()
    assert (ines.name, ines.manager_id) == ("Ines", None)

    assert client.post(page, fields | {"manager": str(adam.pk)}).status_code == 302

    ines.refresh_from_db()
    assert (ines.name, ines.manager_id) == ("Ines K.", adam.pk)
    assert f'<a href="{reverse("person", args=[adam.pk])}">Adam</a>' in shown(uma, "person", ines)
    assert "Ines K." in shown(uma, "person", adam)


def test_a_user_administrator_does_not_move_the_mail_of_an_administrator(uma: User, petra: User):
    fields = {"name": "Petra", "username": "petra", "email": "uma+petra@example.org"}
    answer = verified(uma).post(reverse("person_change", args=[petra.pk]), fields)
    assert answer.status_code == 422
    assert "email" in answer.context["form"].errors
    petra.refresh_from_db()
    assert petra.email == "petra@example.org"


def test_an_auditor_edits_nobody(nina: User, ines: User):
    page = reverse("person_change", args=[ines.pk])
    assert verified(nina).post(page, {"name": "X", "username": "ines"}).status_code == 404
    assert reverse("person_change", args=[ines.pk]) not in shown(nina, "person", ines)


@pytest.mark.parametrize("manager", ["x", "00000000-0000-0000-0000-000000000000"])
def test_an_unknown_manager_is_refused(uma: User, ines: User, manager: str):
    fields = {"name": "Ines", "username": "ines", "manager": manager}
    assert verified(uma).post(reverse("person_change", args=[ines.pk]), fields).status_code in (404, 422)
    ines.refresh_from_db()
    assert ines.manager_id is None


# Disabling


def test_the_form_says_beforehand_what_ends_what_waits_and_what_comes_back(
    petra: User, paul: User, ines: User, adam: User
):
    give(ines, role(SECURITY_READER))
    waiting = make_eligible(ines, role(EXCHANGE_ADMINISTRATOR))
    configure(waiting.role, approvers=[adam])
    request_activation(ines, waiting)
    group("Blue", ines)
    effect = verified(petra).get(reverse("person_disable", args=[ines.pk])).context["effect"]
    assert [row.role.name for row in effect.ends] == ["Security Reader"]
    assert [row.role.name for row in effect.suspended] == ["Exchange Administrator", "Member"]
    assert [row.role.name for row in effect.cancelled] == ["Exchange Administrator"]
    assert not effect.last_administrator


def test_what_the_form_says_is_what_happens(petra: User, paul: User, ines: User):
    give(ines, role(SECURITY_READER))
    eligibility = make_eligible(ines, role(EXCHANGE_ADMINISTRATOR))
    request_activation(ines, eligibility)
    team = group("Blue", ines)
    give(ines, role(ids.GROUP_OWNER), team.resource)
    client, page = verified(petra), reverse("person_disable", args=[ines.pk])
    effect = client.get(page).context["effect"]
    assert client.post(page, {"reason": "left"}).status_code == 302
    still = set(Assignment.objects.open().filter(principal=ines).values_list("pk", flat=True))
    assert still == {row.pk for row in effect.suspended}
    ended = Assignment.objects.filter(principal=ines, ended_at__isnull=False).values_list("pk", flat=True)
    assert set(ended) == {row.pk for row in effect.ends}


def test_of_the_last_administrator_it_is_said(petra: User, uma: User):
    html = shown(uma, "person_disable", petra)
    assert "the last person who can administer roles" in html
    answer = verified(uma).post(reverse("person_disable", args=[petra.pk]), {"reason": "x"})
    assert answer.status_code == 422
    assert Event.objects.filter(kind=Kind.PERSON_DISABLED, outcome="done").count() == 0
