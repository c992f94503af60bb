"""Leavers and movers: everything on one page, ended at once; and two people side by side."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from audit.kinds import Kind, Outcome
from audit.models import Event
from roles import ids
from roles.models import Assignment, Purpose, Resource, RoleSettings, StageApprover, User
from roles.refusals import Refused
from roles.services.approvers import remove_approver
from roles.services.assignments import remove
from tests.people import (
    DAY,
    EXCHANGE_ADMINISTRATOR,
    MINUTE,
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
from tests.races import race
from tests.stepping import code_of, give_step_up, verified

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _now(petra: User, paul: User):
    """Petra and Paul administer the portal."""
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def gina() -> User:
    """A Groups Administrator."""
    user = person("gina")
    give(user, role(ids.GROUPS_ADMINISTRATOR))
    return user


@pytest.fixture
def contoso() -> Resource:
    return tree("Contoso")[0]


def page(user: User) -> str:
    return reverse("person_leave", args=[user.pk])


def found(by: User, user: User) -> Any:
    answer = verified(by).get(page(user))
    assert answer.status_code == 200
    return answer.context["found"]


def names(items: list[Any]) -> list[str]:
    return [one.name for one in items]


def end(client: Client, user: User, *chosen: uuid.UUID, reason: str = "leaves", **more: str) -> Any:
    return client.post(page(user), {"chosen": [str(one) for one in chosen], "reason": reason, **more})


def end_all(by: User, user: User, **more: str) -> list[dict[str, str]]:
    """Send the form as it is offered: with everything chosen that may be ended."""
    client = verified(by)
    answer = end(client, user, *client.get(page(user)).context["found"].endable, **more)
    assert answer.status_code == 302, answer.context["form"].errors
    results: list[dict[str, str]] = client.get(answer["Location"]).context["results"]
    return results


# What is shown


def test_all_of_it_stands_on_one_page(petra: User, ines: User, adam: User):
    give(ines, role(SECURITY_READER))
    eligibility = make_eligible(ines, role(EXCHANGE_ADMINISTRATOR))
    request_activation(ines, eligibility)
    planned = give(ines, role(ids.GLOBAL_READER), ends_at=NOW + 9 * DAY)
    Assignment.objects.filter(pk=planned.pk).update(starts_at=NOW + DAY)
    team = group("Blue", ines)
    give(ines, role(ids.GROUP_OWNER), team.resource)
    asked = make_eligible(adam, role(ids.SECURITY_ADMINISTRATOR))
    configure(asked.role, approvers=[ines, petra])
    request_activation(adam, asked)
    User.objects.filter(pk=adam.pk).update(manager=ines)

    all_of_it = found(petra, ines)

    assert names(all_of_it.activations) == ["Exchange Administrator"]
    assert names(all_of_it.roles) == ["Exchange Administrator", "Global Reader", "Security Reader"]
    assert names(all_of_it.groups) == ["Member", "Owner"]
    assert names(all_of_it.seats) == ["Approves Security Administrator"]
    assert [one.principal.pk for one in all_of_it.to_decide] == [adam.pk]
    assert [one.pk for one in all_of_it.reports] == [adam.pk]
    assert all_of_it.endable == {one.key for one in all_of_it.items}


def test_what_is_over_is_not_shown(petra: User, ines: User):
    give(ines, role(SECURITY_READER), ends_at=NOW)
    assert list(found(petra, ines).items) == []


def test_what_is_suspended_is_shown_and_ended_too(petra: User, ines: User, eligibility: Assignment):
    User.objects.filter(pk=ines.pk).update(enabled=False)
    assert names(found(petra, ines).roles) == ["Exchange Administrator"]
    end_all(petra, ines)
    eligibility.refresh_from_db()
    assert eligibility.ended_at == NOW


def test_what_the_viewer_may_not_see_does_not_exist(petra: User, ines: User, adam: User, contoso: Resource):
    hidden = give(ines, role(ids.OWNER), contoso)
    configure(role(ids.READER), contoso, approvers=[ines, adam])
    seat = StageApprover.objects.get(principal=ines).stage.settings_id
    client = verified(petra)
    assert "Contoso" not in client.get(page(ines)).content.decode()
    for key in (hidden.pk, seat, uuid.uuid4()):
        answer = end(client, ines, key)
        assert answer.status_code == 422
        assert "Nothing is chosen" in answer.content.decode()
    hidden.refresh_from_db()
    assert hidden.ended_at is None
    assert StageApprover.objects.filter(principal=ines).exists()


def test_nothing_of_somebody_else_is_ended_by_this_form(petra: User, ines: User, eligibility: Assignment, zoe: User):
    assert end(verified(petra), zoe, eligibility.pk).status_code == 422
    eligibility.refresh_from_db()
    assert eligibility.ended_at is None


def test_what_may_be_seen_and_not_ended_says_so(gina: User, nina: User, ines: User):
    give(group("Plain", ines), role(SECURITY_READER))
    group("Club", ines)
    reader = found(nina, ines)
    assert reader.endable == set()
    assert {one.why_not for one in reader.groups} == {"You may not end this."}
    may_end_one = found(gina, ines)
    assert [one.sub for one in may_end_one.groups if not one.why_not] == ["Club"]
    assert "holds roles that you may not assign" in next(one for one in may_end_one.groups if one.why_not).why_not
    assert "End what is chosen" not in verified(nina).get(page(ines)).content.decode()


# Ending it


def test_all_of_it_ends_with_one_reason_and_one_second_factor(petra: User, ines: User, adam: User):
    give(ines, role(SECURITY_READER))
    eligibility = make_eligible(ines, role(EXCHANGE_ADMINISTRATOR))
    request_activation(ines, eligibility)
    group("Blue", ines)
    configure(role(ids.SECURITY_ADMINISTRATOR), approvers=[ines, adam])

    results = end_all(petra, ines)

    assert [one["label"] for one in results] == ["Ended"] * 5
    assert not Assignment.objects.open().filter(principal=ines).exists()
    assert not StageApprover.objects.filter(principal=ines).exists()
    assert StageApprover.objects.filter(principal=adam).exists()
    removed = Event.objects.filter(kind=Kind.ASSIGNMENT_REMOVED, target_id=ines.pk).select_related("text")
    assert {one.text.fields["reason"] for one in removed} == {"leaves"}
    ines.refresh_from_db()
    assert ines.enabled


def test_only_what_is_chosen_ends(petra: User, ines: User, eligibility: Assignment):
    kept = give(ines, role(SECURITY_READER))
    assert end(verified(petra), ines, eligibility.pk).status_code == 302
    assert list(Assignment.objects.open().filter(principal=ines)) == [kept]


def test_the_account_is_disabled_last(petra: User, ines: User, eligibility: Assignment):
    results = end_all(petra, ines, disable_too="on")
    assert [one["label"] for one in results] == ["Ended", "Disabled"]
    ines.refresh_from_db()
    assert not ines.enabled


def test_who_may_not_disable_people_is_not_offered_it(gina: User, ines: User):
    group("Club", ines)
    results = end_all(gina, ines, disable_too="on")
    assert [one["label"] for one in results] == ["Ended"]
    ines.refresh_from_db()
    assert ines.enabled


def test_one_code_serves_the_whole_form_and_no_other(petra: User, ines: User, adam: User, zoe: User):
    give(ines, role(SECURITY_READER))
    configure(role(ids.SECURITY_ADMINISTRATOR), approvers=[ines, adam])
    client = verified(petra)
    keys = client.get(page(ines)).context["found"].endable
    # The second factor of the sign-in goes into another form.
    assert client.post(reverse("person_disable", args=[zoe.pk]), {"reason": "x"}).status_code == 302
    assert "code" in end(client, ines, *keys).context["form"].errors
    answer = end(client, ines, *keys, disable_too="on", **code_of(petra))
    assert answer.status_code == 302
    assert {one["label"] for one in client.get(answer["Location"]).context["results"]} == {"Ended", "Disabled"}
    assert end(client, ines, *keys).status_code == 422


def test_a_code_for_this_form_opens_no_other(petra: User, zoe: User):
    client = verified(petra)
    client.post(reverse("person_disable", args=[zoe.pk]), {"reason": "x"})  # spends that of the sign-in
    give_step_up(client, petra, Purpose.LEAVE)
    answer = client.post(reverse("person_enable", args=[zoe.pk]))
    assert "code" in answer.context["form"].errors


def test_without_a_reason_nothing_ends(petra: User, ines: User, eligibility: Assignment):
    answer = end(verified(petra), ines, eligibility.pk, reason="")
    assert answer.status_code == 422
    eligibility.refresh_from_db()
    assert eligibility.ended_at is None


def test_the_last_administrator_is_refused_and_the_rest_is_done(petra: User, paul: User):
    remove(
        Assignment.objects.get(principal=paul).pk,
        reason="x",
        actor=acting(petra, Purpose.ASSIGN, Assignment.objects.get(principal=paul).pk),
        clock=at(NOW),
    )
    give(petra, role(SECURITY_READER))
    sven = person("sven")
    give(sven, role(ids.PRIVILEGED_ROLE_ADMINISTRATOR), ends_at=NOW + DAY)
    results = end_all(sven, petra, disable_too="on")
    assert [one["label"] for one in results] == ["Refused", "Ended", "Refused"]
    petra.refresh_from_db()
    assert petra.enabled


def test_the_only_approver_is_not_merely_taken_out(petra: User, ines: User, adam: User):
    settings = configure(role(EXCHANGE_ADMINISTRATOR), approvers=[[adam, ines], [ines]])
    results = end_all(petra, ines)
    assert [one["label"] for one in results] == ["Refused"]
    assert "Nobody else is named" in results[0]["sentence"]
    assert StageApprover.objects.filter(principal=ines, stage__settings=settings).count() == 2


def named_in(settings: RoleSettings) -> set[uuid.UUID]:
    return set(StageApprover.objects.filter(stage__settings=settings).values_list("principal", flat=True))


def test_whoever_is_taken_out_of_the_default_leaves_what_the_directory_says(petra: User, ines: User, adam: User):
    default = configure(role(EXCHANGE_ADMINISTRATOR), approvers=[adam, ines])
    there = configure(role(EXCHANGE_ADMINISTRATOR), directory(), approvers=[petra, ines])
    actor = acting(petra, Purpose.SETTINGS, default.role_id)
    remove_approver(default.pk, principal_id=ines.pk, actor=actor, clock=at(NOW))
    assert (named_in(default), named_in(there)) == ({adam.pk}, {petra.pk, ines.pk})


def test_an_approver_is_taken_out_while_no_approval_is_asked_for(petra: User, ines: User, adam: User):
    settings = configure(role(EXCHANGE_ADMINISTRATOR), approvers=[adam, ines], approval_required=False)
    assert [one["label"] for one in end_all(petra, ines)] == ["Ended"]
    assert named_in(settings) == {adam.pk}


def test_too_few_approvers_are_refused(petra: User, ines: User, adam: User):
    settings = configure(role(EXCHANGE_ADMINISTRATOR), approvers=[adam, ines], quorum=2)
    actor = acting(petra, Purpose.SETTINGS, settings.role_id)
    with pytest.raises(Refused, match="too_few_approvers"):
        remove_approver(settings.pk, principal_id=ines.pk, actor=actor, clock=at(NOW))
    with pytest.raises(Refused, match="no_approver"):
        remove_approver(settings.pk, principal_id=petra.pk, actor=actor, clock=at(NOW))
    assert Event.objects.filter(kind=Kind.ROLE_SETTINGS_CHANGED, outcome=Outcome.REFUSED).count() == 2


def test_who_may_not_change_settings_takes_no_approver_out(nina: User, ines: User, adam: User):
    settings = configure(role(EXCHANGE_ADMINISTRATOR), approvers=[adam, ines])
    actor = acting(nina, Purpose.SETTINGS, settings.role_id)
    with pytest.raises(Refused, match="not_allowed"):
        remove_approver(settings.pk, principal_id=ines.pk, actor=actor, clock=at(NOW))


@pytest.mark.django_db(transaction=True)
def test_two_at_once_end_it_once(petra: User, paul: User, ines: User, adam: User):
    row = give(ines, role(SECURITY_READER))
    acts = [
        lambda by=by: remove(row.pk, reason="x", actor=acting(by, Purpose.LEAVE, row.pk), clock=at(NOW + MINUTE))
        for by in (petra, paul)
    ]
    first, second = race(*acts)
    assert first.error is None
    assert isinstance(second.error, Refused)
    assert second.error.codes == {"over"}
    assert Event.objects.filter(kind=Kind.ASSIGNMENT_REMOVED, outcome=Outcome.DONE, target_id=ines.pk).count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_approvers_taken_out_at_once_leave_one(petra: User, paul: User, ines: User, adam: User):
    settings = configure(role(EXCHANGE_ADMINISTRATOR), approvers=[adam, ines])
    pairs = ((petra, ines), (paul, adam))
    acts = [
        lambda by=by, who=who: remove_approver(
            settings.pk,
            principal_id=who.pk,
            actor=acting(by, Purpose.SETTINGS, settings.role_id),
            clock=at(NOW + MINUTE),
        )
        for by, who in pairs
    ]
    first, second = race(*acts)
    assert first.error is None
    assert isinstance(second.error, Refused)
    assert second.error.codes == {"only_approver"}
    assert [one.principal_id for one in StageApprover.objects.all()] == [adam.pk]


# Two people side by side


def side_by_side(by: User, first: User, second: User, query: str = "") -> Any:
    answer = verified(by).get(reverse("person_compare", args=[first.pk]) + f"?with={second.pk}{query}")
    assert answer.status_code == 200
    return answer


def lines(answer: Any) -> dict[str, tuple[str, str]]:
    """What each of the two has, by the name of the role."""

    def state(has: Any) -> str:
        return has.state if has else ""

    rows = [row.record for row in answer.context["table"].rows]
    return {row["line"].role.name: (state(row["first"]), state(row["second"])) for row in rows}


def test_what_both_have_and_what_only_one_of_them(nina: User, ines: User, adam: User):
    give(ines, role(SECURITY_READER))
    give(group("Blue", adam), role(SECURITY_READER))
    eligibility = make_eligible(ines, role(EXCHANGE_ADMINISTRATOR))
    request_activation(ines, eligibility)
    give(adam, role(ids.GLOBAL_READER))
    everything = side_by_side(nina, ines, adam)
    assert lines(everything) == {
        "Exchange Administrator": ("eligible", ""),
        "Global Reader": ("", "assigned"),
        "Security Reader": ("assigned", "assigned"),
        "Member": ("", "assigned"),
    }
    assert [one.count for one in everything.context["list_tabs"]] == [4, 1, 1, 2]
    assert set(lines(side_by_side(nina, ines, adam, "&show=first"))) == {"Exchange Administrator"}
    assert "through Blue" in everything.content.decode()


def test_the_same_is_given_by_a_form_that_is_filled_in(petra: User, nina: User, ines: User, adam: User):
    make_eligible(ines, role(EXCHANGE_ADMINISTRATOR))
    assert "Give to" not in side_by_side(nina, ines, adam).content.decode()
    answer = side_by_side(petra, ines, adam)
    give_it = next(row.record["give"] for row in answer.context["table"].rows)
    form = verified(petra).get(give_it).context["form"]
    assert form["role"].value() == str(EXCHANGE_ADMINISTRATOR)
    assert form["principal"].value() == [str(adam.pk)]
    assert form["type"].value() == "eligible"


def test_a_place_out_of_sight_is_not_compared(petra: User, ines: User, adam: User, contoso: Resource):
    give(ines, role(ids.READER), contoso)
    assert lines(side_by_side(petra, ines, adam)) == {}


@pytest.mark.parametrize("other", ["x", "3b0b1f0e-6f0a-4d9e-8f43-0c2a2f6a7d55", "%00"])
def test_an_unknown_other_is_not_compared_with(petra: User, ines: User, other: str):
    answer = verified(petra).get(reverse("person_compare", args=[ines.pk]) + f"?with={other}&q=%00")
    assert answer.status_code in (200, 404)


def test_the_other_is_found_by_name(petra: User, ines: User, adam: User):
    group("Adamants")
    html = verified(petra).get(reverse("person_compare", args=[ines.pk]) + "?q=adam").content.decode()
    assert f"?with={adam.pk}" in html
    assert "Adamants" not in html
