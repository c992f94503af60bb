"""Saved profiles, the roles used most, and activating them again with one click."""

from __future__ import annotations

import re
import uuid

import pytest
import time_machine
from django.urls import reverse

from approvals.models import Profile, Request, Status
from approvals.rules.profiles import MOST_PROFILES
from approvals.selectors.profiles import kept_profiles, most_used
from approvals.services.profiles import delete_profile, pin_profile, rename_profile
from audit.models import Event
from roles import ids
from roles.actors import Actor
from roles.authority import Authority
from roles.models import Assignment
from roles.refusals import Refused
from roles.services.assignments import deactivate, remove
from tests.keeping import kept_by
from tests.people import (
    DAY,
    HOUR,
    MINUTE,
    NOW,
    OPERATOR,
    at,
    configure,
    group,
    make_eligible,
    request_activation,
    role,
    tree,
)
from tests.stepping import code_of, errors_in, rows_of_everything, verified
from tests.visitors import visiting

pytestmark = pytest.mark.django_db

PROFILES = "/tasks/roles/profiles/"
ACTIVATE = "/tasks/roles/activate/"


@pytest.fixture(autouse=True)
def _now():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def second(ines) -> Assignment:
    return make_eligible(ines, role(ids.SECURITY_READER))


def html_of(user, path: str) -> str:
    answer = visiting(user).get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def taken_away(assignment: Assignment) -> None:
    remove(assignment.pk, reason="no longer", actor=OPERATOR, clock=at(NOW))


# Keeping


def test_a_profile_keeps_the_roles_the_duration_and_the_reason(ines, eligibility, second):
    profile = kept_by(ines, eligibility, second)
    assert (profile.duration, profile.reason, profile.pinned) == (2 * HOUR, "daily checks", True)
    assert [item.role_id for item in profile.items.all()] == [eligibility.role_id, second.role_id]


def refused(call) -> set[str]:
    with pytest.raises(Refused) as raised:
        call()
    return raised.value.codes


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"name": " "}, "nameless"),
        ({"name": "x" * 201}, "name_too_long"),
        ({"duration": 0 * HOUR}, "no_time"),
        ({"reason": "x" * 2001}, "reason_too_long"),
    ],
)
def test_what_is_wrong_with_a_profile_is_refused(ines, eligibility, wrong, code):
    assert refused(lambda: kept_by(ines, eligibility, **wrong)) == {code}
    assert not Profile.objects.exists()


def test_what_somebody_else_is_eligible_for_is_in_no_profile(zoe, ines, eligibility):
    assert refused(lambda: kept_by(zoe, eligibility)) == {"empty"}


def test_a_name_is_taken_once_per_person_whatever_its_case(ines, zoe, eligibility):
    kept_by(ines, eligibility, name="Ärger")
    assert refused(lambda: kept_by(ines, eligibility, name="äRGER")) == {"name_taken"}
    kept_by(zoe, make_eligible(zoe, eligibility.role), name="Ärger")


def test_nobody_keeps_more_than_twenty(ines, eligibility):
    for number in range(MOST_PROFILES):
        kept_by(ines, eligibility, name=f"Profile {number}")
    assert refused(lambda: kept_by(ines, eligibility, name="One more")) == {"too_many"}
    delete_profile(Profile.objects.earliest("name_key").pk, actor=Actor(ines), clock=at(NOW))
    kept_by(ines, eligibility, name="One more")
    # Renaming makes no further one.
    rename_profile(Profile.objects.get(name="One more").pk, "The last", actor=Actor(ines), clock=at(NOW))


def test_the_services_know_no_profile_of_somebody_else(ines, zoe, eligibility):
    profile = kept_by(ines, eligibility)
    by = {"actor": Actor(zoe), "clock": at(NOW)}
    for call in (
        lambda: rename_profile(profile.pk, "Mine", **by),
        lambda: pin_profile(profile.pk, pinned=False, **by),
        lambda: delete_profile(profile.pk, **by),
    ):
        with pytest.raises(Profile.DoesNotExist):
            call()
    profile.refresh_from_db()
    assert (profile.name, profile.pinned) == ("Morning", True)


# As it stands now


def gone(user) -> list[uuid.UUID]:
    (kept,) = kept_profiles(Authority(user, NOW), Profile.objects.filter(owner=user))
    return [item.role_id for item in kept.gone]


def test_what_is_no_longer_eligible_is_told(ines, eligibility, second):
    kept_by(ines, eligibility, second)
    assert gone(ines) == []
    taken_away(second)
    assert gone(ines) == [second.role_id]


def test_an_eligibility_that_was_given_anew_is_the_same_to_the_profile(ines, eligibility, second):
    kept_by(ines, eligibility, second)
    taken_away(second)
    make_eligible(ines, second.role, starts_at=NOW)
    assert gone(ines) == []


def test_eligible_twice_for_one_role_stands_once_in_a_profile(ines, eligibility):
    team = group("Team", ines)
    through_team = make_eligible(team, eligibility.role)
    assert kept_by(ines, eligibility, through_team).items.count() == 1


# Activating


def form_of(profile: Profile) -> str:
    return f"{PROFILES}{profile.pk}/activate/"


def test_the_form_is_filled_in_as_the_last_time_and_changes_nothing(ines, eligibility, second):
    profile = kept_by(ines, eligibility, second)
    client = visiting(ines)
    before = rows_of_everything()
    html = client.get(form_of(profile)).content.decode()
    assert "daily checks" in html
    assert re.search(r'name="duration" value="2"', html)
    assert rows_of_everything() == before


def send(user, profile: Profile, *eligibilities: Assignment, **fields):
    form = {"eligibility": [str(one.pk) for one in eligibilities], "profile": str(profile.pk)}
    form |= {"duration": "1", "when": "now", "reason": "incident 7"} | fields
    return verified(user).post(ACTIVATE, form, follow=True)


def test_each_role_is_asked_for_on_its_own_and_what_became_of_it_is_said(ines, adam, eligibility, second):
    configure(second.role, approvers=[adam])
    profile = kept_by(ines, eligibility, second)
    html = send(ines, profile, eligibility, second).content.decode()
    assert {one.role_id: one.status for one in Request.objects.all()} == {
        eligibility.role_id: Status.GRANTED,
        second.role_id: Status.PENDING,
    }
    assert "What became of the 2 roles" in html
    profile.refresh_from_db()
    assert (profile.duration, profile.reason) == (HOUR, "incident 7")


def test_what_is_no_longer_eligible_is_skipped_and_told(ines, eligibility, second):
    third = make_eligible(ines, role(ids.GLOBAL_READER))
    profile = kept_by(ines, eligibility, second, third)
    taken_away(third)
    assert "Left out: Global Reader at Directory." in html_of(ines, form_of(profile))
    html = send(ines, profile, eligibility, second).content.decode()
    assert Request.objects.filter(status=Status.GRANTED).count() == 2
    assert "You are no longer eligible for it there." in html


def test_a_profile_of_which_nothing_is_left_asks_for_nothing(ines, eligibility):
    profile = kept_by(ines, eligibility)
    taken_away(eligibility)
    html = html_of(ines, form_of(profile))
    assert "You are eligible for none of its roles any more." in html
    assert 'name="duration"' not in html


def test_a_profile_needs_the_second_factor_of_any_activation(ines, eligibility, second):
    profile = kept_by(ines, eligibility, second)
    form = {"eligibility": [str(eligibility.pk), str(second.pk)], "profile": str(profile.pk)}
    form |= {"duration": "1", "when": "now", "reason": "incident 7"}
    client = visiting(ines)
    assert client.post(ACTIVATE, form).status_code == 422
    assert not Request.objects.exists()
    profile.refresh_from_db()
    assert profile.reason == "daily checks"
    assert client.post(ACTIVATE, form | code_of(ines)).status_code == 302
    assert Request.objects.count() == 2


def test_somebody_elses_profile_is_unknown_to_the_form(ines, zoe, eligibility):
    profile = kept_by(zoe, make_eligible(zoe, eligibility.role))
    for unknown in (str(profile.pk), str(uuid.UUID(int=7)), "x"):
        answer = verified(ines).post(ACTIVATE, {"eligibility": str(eligibility.pk), "profile": unknown})
        assert answer.status_code == 404


def test_a_profile_of_one_role_keeps_the_smaller_scope(ines):
    _root, below = tree("Root", "Below")
    reader = make_eligible(ines, role(ids.READER), _root)
    answer = verified(ines).post(
        ACTIVATE,
        {"eligibility": str(reader.pk), "duration": "1", "resource": str(below.pk), "name": "Look", "save": "1"},
    )
    profile = Profile.objects.get()
    assert answer["Location"] == form_of(profile)
    assert profile.items.get().scope_id == below.pk
    assert re.search(rf'<option value="{below.pk}" selected', html_of(ines, form_of(profile)))


# Saving from the form


def save(user, *eligibilities: Assignment, **fields):
    form = {"eligibility": [str(one.pk) for one in eligibilities], "save": "1", "name": "Morning"}
    return visiting(user).post(ACTIVATE, form | {"duration": "1", "reason": "checks"} | fields)


def test_saving_activates_nothing_and_leads_to_the_filled_in_form(ines, eligibility, second):
    events = Event.objects.count()
    answer = save(ines, eligibility, second)
    profile = Profile.objects.get()
    assert answer["Location"] == form_of(profile)
    assert (profile.duration, profile.reason, profile.items.count()) == (HOUR, "checks", 2)
    assert not Request.objects.exists()
    assert Event.objects.count() == events


@pytest.mark.parametrize(
    ("wrong", "told"), [({"name": ""}, "Give the profile a name."), ({"duration": "long"}, "Write a number of hours")]
)
def test_what_is_wrong_is_said_beside_the_field_and_nothing_else(ines, eligibility, second, wrong, told):
    answer = save(ines, eligibility, second, **wrong)
    assert answer.status_code == 422
    # The last one says above the form that something is marked below.
    beside = errors_in(answer.content.decode())[:-1]
    assert [told in one for one in beside] == [True]
    assert not Profile.objects.exists()


# The pages


def test_the_list_renames_pins_and_deletes_and_get_does_neither(ines, eligibility):
    profile = kept_by(ines, eligibility)
    client = visiting(ines)
    address = f"{PROFILES}{profile.pk}/"
    assert client.get(f"{address}pin/").status_code == 405
    assert client.get(f"{address}delete/").status_code == 200
    assert "Morning" in html_of(ines, PROFILES)
    assert client.post(f"{address}rename/", {"name": "Evening"}).status_code == 302
    assert client.post(f"{address}pin/").status_code == 302
    profile.refresh_from_db()
    assert (profile.name, profile.pinned) == ("Evening", False)
    assert client.post(f"{address}delete/").status_code == 302
    assert not Profile.objects.exists()
    assert client.post(f"{address}delete/").status_code == 404


def test_a_taken_name_is_said_beside_the_field(ines, eligibility):
    kept_by(ines, eligibility, name="Evening")
    profile = kept_by(ines, eligibility)
    answer = visiting(ines).post(f"{PROFILES}{profile.pk}/rename/", {"name": "evening"})
    assert answer.status_code == 422
    assert "You keep a profile of this name already." in answer.content.decode()


def test_the_overview_shows_what_is_pinned_only(ines, zoe, eligibility):
    profile = kept_by(ines, eligibility)
    assert form_of(profile) in html_of(ines, reverse("overview"))
    assert "Morning" not in html_of(zoe, reverse("overview"))
    pin_profile(profile.pk, pinned=False, actor=Actor(ines), clock=at(NOW))
    assert form_of(profile) not in html_of(ines, reverse("overview"))


# Used most


def used(user, now=NOW) -> list[tuple[uuid.UUID, int]]:
    return [(one.eligibility.pk, one.times) for one in most_used(Authority(user, now))]


def used_at(user, eligibility: Assignment, now, **fields) -> None:
    made = request_activation(user, eligibility, now=now, **fields)
    deactivate(made.outcome_id, actor=Actor(user), clock=at(now + 10 * MINUTE))


def test_the_roles_used_most_stand_first(ines, eligibility, second):
    used_at(ines, eligibility, NOW - 3 * DAY)
    for days in (1, 2):
        used_at(ines, second, NOW - days * DAY)
    assert used(ines) == [(second.pk, 2), (eligibility.pk, 1)]


def test_thirty_days_ago_to_the_microsecond_is_not_counted(ines, eligibility):
    used_at(ines, eligibility, NOW - 30 * DAY)
    assert used(ines) == []
    assert used(ines, NOW - 0.000001 * DAY / 86400) != []


def test_what_was_not_granted_or_is_no_longer_eligible_is_not_used(ines, adam, eligibility, second):
    used_at(ines, eligibility, NOW - DAY)
    configure(second.role, approvers=[adam])
    request_activation(ines, second, now=NOW)
    taken_away(eligibility)
    assert used(ines) == []


def test_what_was_called_off_before_its_start_or_is_planned_is_not_used(ines, eligibility, second):
    planned = request_activation(ines, eligibility, now=NOW - DAY, start=NOW - HOUR)
    deactivate(planned.outcome_id, actor=Actor(ines), clock=at(NOW - 2 * HOUR))
    request_activation(ines, second, now=NOW - DAY, start=NOW + HOUR)
    assert used(ines) == []


def test_the_form_of_a_used_role_says_the_same_as_the_last_time(ines, zoe, eligibility):
    used_at(ines, eligibility, NOW - DAY, hours=1.5, reason="patching")
    page = html_of(ines, reverse("overview"))
    (address,) = re.findall(r'href="([^"]+like=last)"', page)
    html = html_of(ines, address.replace("&amp;", "&"))
    assert "patching" in html
    assert re.search(r'name="duration" value="1.5"', html)
    assert "patching" not in html_of(ines, f"{ACTIVATE}?eligibility={eligibility.pk}")
    assert visiting(zoe).get(address.replace("&amp;", "&")).status_code == 404
