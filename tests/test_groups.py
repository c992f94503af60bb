"""Groups: who may change, disable and enable them, and what ends with them."""

from __future__ import annotations

import pytest

from audit.kinds import Kind, Outcome
from audit.models import Event
from reviews.models import Frequency
from reviews.services.series import delete_review
from roles import ids
from roles.authority import Authority
from roles.models import Assignment, EndReason, Group, Purpose, User
from roles.refusals import Refused
from roles.selectors.groups import gives
from roles.services.assignments import assign
from roles.services.groups import change_group, disable_group, enable_group
from tests.people import (
    DAY,
    EXCHANGE_ADMINISTRATOR,
    MINUTE,
    NOW,
    OPERATOR,
    acting,
    at,
    configure,
    give,
    group,
    make_eligible,
    person,
    request_activation,
    role,
    tree,
)
from tests.reviewing import chosen, make_review, turn

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _set_up(petra: User) -> None:
    """Petra administers the portal."""


@pytest.fixture
def gina() -> User:
    """A Groups Administrator."""
    user = person("gina")
    give(user, role(ids.GROUPS_ADMINISTRATOR))
    return user


def disable(team: Group, by: User) -> Group:
    actor = acting(by, Purpose.PEOPLE, by.pk)
    return disable_group(team.pk, reason="dissolved", actor=actor, clock=at(NOW + MINUTE))


def enable(team: Group, by: User) -> Group:
    return enable_group(team.pk, actor=acting(by, Purpose.PEOPLE, by.pk), clock=at(NOW + 2 * MINUTE))


def test_a_groups_administrator_and_its_owner_rename_a_group_and_its_node(gina: User, zoe: User):
    team = group("Blue")
    give(zoe, role(ids.GROUP_OWNER), team.resource)
    for by, name in ((gina, "Green"), (zoe, "Red")):
        actor = acting(by, Purpose.PEOPLE, by.pk)
        changed = change_group(team.pk, name=name, description="", actor=actor, clock=at(NOW))
        assert changed.name == changed.resource.name == name
    assert Event.objects.filter(kind=Kind.GROUP_CHANGED, outcome=Outcome.DONE).count() == 2


def test_two_groups_never_share_a_name(gina: User):
    group("Blue")
    team = group("Green")
    actor = acting(gina, Purpose.PEOPLE, gina.pk)
    with pytest.raises(Refused, match="name_taken"):
        change_group(team.pk, name="BLUE", description="", actor=actor, clock=at(NOW))


@pytest.mark.parametrize("who", ["zoe", "nina"])
def test_nobody_else_disables_a_group(who: str, request: pytest.FixtureRequest):
    team = group("Blue")
    with pytest.raises(Refused, match="not_allowed"):
        disable(team, request.getfixturevalue(who))
    assert Group.objects.get(pk=team.pk).enabled


def test_a_group_that_holds_roles_is_disabled_only_by_who_may_assign_them(gina: User, petra: User):
    team = group("Blue")
    give(team, role(EXCHANGE_ADMINISTRATOR))
    with pytest.raises(Refused, match="group_holds_more"):
        disable(team, gina)
    assert not disable(team, petra).enabled


def test_disabling_a_group_ends_what_it_held_and_enabling_gives_nothing_of_it_back(ines: User, petra: User):
    team = group("Blue", ines)
    held = give(team, role(ids.SECURITY_READER))
    eligibility = make_eligible(team, role(EXCHANGE_ADMINISTRATOR))
    activation = request_activation(ines, eligibility).outcome
    assert Authority(ines, NOW + MINUTE).held

    disable(team, petra)

    held.refresh_from_db()
    activation.refresh_from_db()
    assert (held.end_reason, activation.end_reason) == (EndReason.GROUP_DISABLED, EndReason.ELIGIBILITY_ENDED)
    assert not Assignment.objects.eligible_for(ines.pk, NOW + MINUTE).exists()
    enable(team, petra)
    later = NOW + 2 * MINUTE
    assert list(Assignment.objects.eligible_for(ines.pk, later)) == [eligibility]
    assert Assignment.objects.memberships(later).filter(principal=ines).exists()
    assert not Assignment.objects.held_by(ines.pk, later).exclude(role__kind="group").exists()


def test_the_group_of_the_last_administrator_is_not_disabled(petra: User):
    paul = person("paul")
    tier = group("Tier 0", paul)
    give(tier, role(ids.PRIVILEGED_ROLE_ADMINISTRATOR))
    Assignment.objects.filter(principal=petra).update(ended_at=NOW, end_reason=EndReason.EXPIRED)
    with pytest.raises(Refused, match="last_administrator"):
        disable(tier, paul)
    assert Group.objects.get(pk=tier.pk).enabled


def test_who_lets_others_into_a_group_of_approvers_must_be_able_to_change_those_settings(
    gina: User, petra: User, adam: User, berta: User
):
    deciders = group("Deciders", berta)
    configure(role(EXCHANGE_ADMINISTRATOR), approvers=[deciders])
    with pytest.raises(Refused, match="group_holds_more"):
        let_in(adam, deciders, gina)
    assert let_in(adam, deciders, petra)


def test_who_lets_others_into_a_group_of_reviewers_must_be_able_to_say_who_reviews(
    gina: User, petra: User, adam: User, berta: User, ines: User
):
    auditors = group("Auditors", berta)
    review = make_review(role(EXCHANGE_ADMINISTRATOR), stages=[chosen(auditors)], name="Who may open mailboxes")
    with pytest.raises(Refused, match="group_holds_more") as refused:
        let_in(adam, auditors, gina)
    assert "Who may open mailboxes" not in refused.value.sentence, "Gina sees no reviews of the directory."
    assert let_in(adam, auditors, petra)
    delete_review(review.pk, reason="over", actor=OPERATOR, clock=at(NOW))
    assert let_in(ines, auditors, gina)


def test_a_series_that_is_over_is_in_nobodys_way(gina: User, berta: User, ines: User):
    auditors = group("Auditors", berta)
    make_review(role(EXCHANGE_ADMINISTRATOR), stages=[chosen(auditors)], frequency=Frequency.MONTHLY, occurrences=1)
    turn(NOW)
    with pytest.raises(Refused, match="group_holds_more"):
        let_in(ines, auditors, gina)
    turn(NOW + 7 * DAY)
    assert let_in(ines, auditors, gina)


def let_in(user: User, team: Group, by: User) -> Assignment:
    return assign(
        user.pk,
        role=role(ids.GROUP_MEMBER),
        resource=team.resource,
        type="active",
        reason="joins",
        actor=acting(by, Purpose.ASSIGN, user.pk),
        clock=at(NOW),
    )


def test_what_a_group_gives_is_told_within_sight_only(petra: User):
    root = tree("Contoso")[0]
    team = group("Blue")
    give(team, role(EXCHANGE_ADMINISTRATOR))
    give(team, role(ids.READER), root)
    assert gives(team.resource, Authority(petra, NOW)) == ["Exchange Administrator at Directory"]
