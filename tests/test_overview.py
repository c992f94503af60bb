"""The Overview: what I hold, what waits for me, how the worlds stand, and what the set-up still lacks."""

from __future__ import annotations

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from approvals.selectors.my_roles import eligible_roles, held_roles
from audit.kinds import Kind, Outcome, Realm
from audit.models import Event
from pim_portal.models import SetUp
from pim_portal.overview.selectors.checklist import Step, checklist
from pim_portal.overview.selectors.figures import Figures, mine, worlds
from roles import ids
from roles.actors import Actor
from roles.authority import Authority
from roles.models import TotpDevice, User
from roles.plots import HEIGHT, WIDTH, plot
from roles.services.assignments import deactivate
from tests.people import (
    DAY,
    EXCHANGE_ADMINISTRATOR,
    HOUR,
    MINUTE,
    NOW,
    at,
    give,
    group,
    make_eligible,
    person,
    request_activation,
    role,
    tree,
    unit,
)
from tests.visitors import visiting


@pytest.fixture
def _now():
    with time_machine.travel(NOW, tick=False):
        yield


pages = pytest.mark.usefixtures("_now")


def authority(user: User, now=NOW) -> Authority:
    return Authority(user, now)


def figures(user: User, realm: Realm = Realm.DIRECTORY, now=NOW) -> Figures:
    titles = {Realm.DIRECTORY: "Directory roles", Realm.RESOURCE: "Resources"}
    return next(one for one in worlds(authority(user, now)) if str(one.title) == titles[realm])


def html_of(user: User) -> str:
    response = visiting(user).get(reverse("overview"))
    assert response.status_code == 200
    return response.content.decode()


# For everyone


@pages
def test_it_shows_what_i_hold_with_the_time_left(ines, eligibility):
    request_activation(ines, eligibility, hours=2)
    html = html_of(ines)
    assert "Exchange Administrator" in html
    assert "2 h left" in html


@pages
def test_it_says_that_no_role_is_active_and_what_to_do(ines, eligibility):
    html = html_of(ines)
    assert "No role is active" in html
    assert reverse("approvals:my_roles") in html


@pages
def test_a_stranger_has_an_overview_of_their_own(zoe, petra, with_approval):
    html = html_of(zoe)
    assert "Good afternoon, Zoe." in html
    assert "Directory roles" not in html
    assert "Finish the set-up" not in html


def test_membership_of_a_group_is_not_a_role_that_i_hold(ines):
    team = group("Blue team", ines)
    give(team, role(ids.SECURITY_READER))
    held = mine(authority(ines)).held
    assert [(one.role_name, one.holder_name) for one in held] == [("Security Reader", "Blue team")]


def test_a_membership_that_is_activated_or_ends_is_counted_as_my_roles_does(ines, adam):
    blue, red = group("Blue team"), group("Red team")
    row = make_eligible(ines, role(ids.GROUP_MEMBER), blue.resource)
    give(adam, role(ids.GROUP_MEMBER), red.resource, ends_at=NOW + DAY)
    assert mine(authority(ines)).eligible == eligible_roles(authority(ines)).count() == 1
    request_activation(ines, row)
    assert len(mine(authority(ines)).held) == held_roles(authority(ines)).count() == 1
    assert len(mine(authority(adam)).held) == held_roles(authority(adam)).count() == 1


def test_what_waits_for_me_counts_with_the_first_lapse(ines, adam, with_approval):
    request_activation(ines, with_approval, now=NOW)
    waiting = mine(authority(adam, NOW + HOUR)).to_decide
    assert (waiting.count, waiting.lapses_at) == (1, NOW + 24 * HOUR)
    asked = mine(authority(ines, NOW + HOUR)).asked
    assert (asked.count, asked.lapses_at) == (1, NOW + 24 * HOUR)


def test_what_lapsed_waits_for_nobody(ines, adam, with_approval):
    request_activation(ines, with_approval)
    later = NOW + 24 * HOUR
    assert mine(authority(adam, later)).to_decide.count == 0
    assert mine(authority(ines, later)).asked.count == 0


def test_eligible_roles_are_counted_while_they_are_in_effect(ines, eligibility):
    make_eligible(ines, role(ids.SECURITY_READER), ends_at=NOW + DAY)
    assert mine(authority(ines)).eligible == 2
    assert mine(authority(ines, NOW + DAY)).eligible == 1


@pages
@pytest.mark.parametrize(
    ("zone", "greeting"),
    [("UTC", "Good afternoon"), ("America/Sao_Paulo", "Good morning"), ("Asia/Tokyo", "Good evening")],
)
def test_it_greets_by_the_clock_of_the_reader(db, zone, greeting):
    assert f"{greeting}, Maria." in html_of(person("maria", time_zone=zone))


# For administrators


def test_who_may_see_no_assignments_of_others_sees_no_figures(ines, eligibility):
    assert worlds(authority(ines)) == []


def test_an_auditor_sees_the_directory_and_nothing_of_resources(nina):
    tree("Root")
    assert [str(one.title) for one in worlds(authority(nina))] == ["Directory roles"]


def test_an_owner_sees_their_part_of_the_tree_and_nothing_of_the_directory(ines, db):
    _root, production, _group = tree("Root", "Production", "Payments")
    olga = person("olga")
    give(olga, role(ids.OWNER), production)
    give(ines, role(ids.READER), production)
    give(ines, role(ids.READER), tree("Other")[0])
    assert [str(one.title) for one in worlds(authority(olga))] == ["Resources"]
    assert figures(olga, Realm.RESOURCE).active == 2


def test_an_administrator_of_one_unit_sees_the_figures_of_that_unit(ines, petra):
    lagos = unit("Lagos")
    sam = person("sam")
    give(sam, role(ids.SECURITY_READER), lagos)
    give(ines, role(EXCHANGE_ADMINISTRATOR))
    assert figures(sam).active == 1


def test_active_now_counts_who_ends_within_the_hour(ines, petra, eligibility):
    request_activation(ines, eligibility, hours=2)
    assert (figures(petra).active, figures(petra).ending) == (2, 0)
    soon = figures(petra, now=NOW + HOUR)
    assert (soon.active, soon.ending) == (2, 1)
    assert figures(petra, now=NOW + 2 * HOUR).active == 1


def test_permanent_active_assignments_are_a_share_of_all_in_effect(ines, petra, eligibility):
    give(ines, role(ids.SECURITY_READER), ends_at=NOW + DAY)
    give(ines, role(ids.GLOBAL_READER), starts_at=NOW + DAY)
    one = figures(petra)
    assert (one.permanent, one.assignments) == (1, 3)
    assert one.permanent_share == pytest.approx(100 / 3)


def test_waiting_requests_are_counted_with_the_oldest(ines, petra, with_approval):
    request_activation(ines, with_approval)
    later = figures(petra, now=NOW + HOUR)
    assert (later.waiting, later.oldest) == (1, NOW)
    assert figures(petra, now=NOW + 24 * HOUR).waiting == 0


def days(user: User, now) -> list[int]:
    return [one.count for one in figures(user, now=now).days]


def test_activations_are_counted_by_the_day_they_began(ines, petra, eligibility):
    request_activation(ines, eligibility, now=NOW, hours=1)
    request_activation(ines, eligibility, now=NOW + DAY, hours=1)
    request_activation(ines, eligibility, now=NOW + DAY + 2 * HOUR, hours=1)
    assert days(petra, NOW + DAY + 3 * HOUR) == [0, 0, 0, 0, 0, 1, 2]
    assert days(petra, NOW + 7 * DAY) == [2, 0, 0, 0, 0, 0, 0]


def test_what_was_called_off_before_its_start_was_never_active(ines, petra, eligibility):
    request = request_activation(ines, eligibility, start=NOW + HOUR)
    assert days(petra, NOW) == [0] * 7
    deactivate(request.outcome_id, actor=Actor(ines), clock=at(NOW + MINUTE))
    assert days(petra, NOW + 2 * HOUR) == [0] * 7


def test_a_day_is_one_of_the_readers_calendar(ines, petra, eligibility):
    request_activation(ines, eligibility, now=NOW + 11 * HOUR)  # 23:00 in UTC
    with timezone.override(ZoneInfo("Asia/Tokyo")):
        last = figures(petra, now=NOW + 11 * HOUR).days[-1]
    assert (last.day, last.count) == (date(2026, 11, 24), 1)


def test_the_week_in_which_the_clock_changes_has_seven_days(petra):
    with timezone.override(ZoneInfo("America/Sao_Paulo")):
        assert len(figures(petra, now=NOW).days) == 7
    spring = NOW.replace(month=3, day=30, hour=1)
    with timezone.override(ZoneInfo("Europe/Paris")):
        found = [one.day for one in figures(petra, now=spring).days]
    assert found == [date(2026, 3, 24) + timedelta(days=one) for one in range(7)]


@pages
def test_the_plot_says_the_same_in_words_and_in_a_table(ines, petra, eligibility):
    request_activation(ines, eligibility)
    html = html_of(petra)
    assert "Tue 0, Wed 0, Thu 0, Fri 0, Sat 0, Sun 0, Mon 1" in html
    assert "Mon 23 Nov" in html


def test_bars_stand_inside_the_drawing_and_nothing_has_no_height():
    bars = plot([("a", 0), ("b", 4), ("c", 1)]).bars
    assert [bar.height for bar in bars] == [0, HEIGHT, 11]
    assert all(0 <= bar.x < WIDTH and 0 <= bar.y <= HEIGHT for bar in bars)
    assert [bar.height for bar in plot([("a", 0)]).bars] == [0]
    assert plot([]).bars == ()


@pages
def test_the_number_of_queries_does_not_grow_with_the_organisation(petra, django_assert_max_num_queries):
    client = visiting(petra)
    with django_assert_max_num_queries(60) as first:
        client.get(reverse("overview"))
    for number in range(6):
        user = person(f"user{number}")
        request_activation(user, make_eligible(user, role(EXCHANGE_ADMINISTRATOR)))
        give(petra, role(ids.GLOBAL_READER), unit(f"unit {number}"))
    with django_assert_max_num_queries(len(first)) as second:
        client.get(reverse("overview"))
    assert len(second) <= len(first)


# The set-up checklist


def steps(user: User, *, mail: bool = False, url: str = "http://localhost") -> dict[Step, bool]:
    return {one.step: one.done for one in checklist(authority(user), mail_configured=mail, base_url=url)}


def test_the_checklist_is_for_who_looks_after_the_portal(ines, nina, petra, db):
    sven = person("sven")
    give(sven, role(ids.SECURITY_ADMINISTRATOR))
    assert steps(petra)
    assert steps(sven)
    assert not steps(ines)
    assert not steps(nina)


def test_a_second_administrator_is_done_with_two_that_last(petra):
    assert not steps(petra)[Step.ADMINISTRATOR]
    second = person("paul", factor=False)
    give(second, role(ids.PRIVILEGED_ROLE_ADMINISTRATOR))
    assert not steps(petra)[Step.ADMINISTRATOR]
    TotpDevice.objects.create(user=second, name="Phone", confirmed=True)
    assert steps(petra)[Step.ADMINISTRATOR]


def test_mail_address_and_resource_root_are_seen_by_the_portal(petra):
    assert steps(petra) == dict.fromkeys(Step, False)
    tree("Root")
    assert steps(petra, mail=True, url="https://pim.example.org") == {
        Step.ADMINISTRATOR: False,
        Step.MAIL: True,
        Step.BASE_URL: True,
        Step.BACKUP: False,
        Step.RESOURCE: True,
    }


def dismiss(user: User, step: str) -> int:
    return visiting(user).post(reverse("dismiss_step", args=[step])).status_code


@pages
def test_a_step_is_dismissed_once_for_everybody_and_recorded(petra, paul):
    assert dismiss(petra, "backup") == 302
    assert dismiss(paul, "backup") == 302
    assert Step.BACKUP not in steps(petra)
    event = Event.objects.get(kind=Kind.CHECKLIST_STEP_DISMISSED)
    assert (event.actor_id, event.details) == (petra.pk, {"step": "backup"})
    assert event.authority_id == petra.assignments.get().pk


@pages
def test_the_checklist_is_gone_when_everything_left_is_done(petra, paul):
    for step in ("mail", "base-url", "backup", "resource"):
        dismiss(petra, step)
    assert "Finish the set-up" not in html_of(petra)


@pages
def test_dismissing_needs_the_role_and_a_known_step(ines, petra):
    assert dismiss(ines, "backup") == 403
    assert dismiss(petra, "nothing") == 404
    assert visiting(petra).get(reverse("dismiss_step", args=["backup"])).status_code == 405
    assert not SetUp.objects.exclude(dismissed=[]).exists()
    assert Event.objects.get(kind=Kind.CHECKLIST_STEP_DISMISSED).outcome == Outcome.REFUSED


@pages
def test_opening_the_overview_changes_nothing(petra):
    client = visiting(petra)
    before = Event.objects.count()
    client.get(reverse("overview"))
    assert Event.objects.count() == before
    assert not SetUp.objects.exists()
