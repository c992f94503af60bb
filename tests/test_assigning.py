"""Giving and taking assignments: authority, limits, the last administrator, the settings that rule."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, transaction

from audit.kinds import Kind, Outcome
from audit.models import Event
from roles import ids
from roles.actors import Actor
from roles.models import Assignment, AssignmentType, Purpose, Resource, ResourceKind, TotpDevice
from roles.refusals import Refused
from roles.selectors.administrators import lasting_administrators
from roles.selectors.settings import settings_of
from roles.services.assignments import assign, remove
from roles.services.groups import add_group
from roles.services.principals import disable_person
from roles.services.resources import add_resource
from roles.services.settings import change_settings
from tests.people import (
    DAY,
    EXCHANGE_ADMINISTRATOR,
    HOUR,
    MINUTE,
    NOW,
    OPERATOR,
    acting,
    at,
    configure,
    directory,
    give,
    group,
    make_eligible,
    person,
    role,
    tree,
    unit,
)

pytestmark = pytest.mark.django_db


def assign_as(actor_user, principal, what, where, **kwargs):
    kwargs.setdefault("type", AssignmentType.ELIGIBLE)
    kwargs.setdefault("ends_at", NOW + 30 * DAY)
    kwargs.setdefault("reason", "needed")
    return assign(
        principal.pk,
        role=what,
        resource=where,
        actor=acting(actor_user, Purpose.ASSIGN, principal.pk),
        clock=at(NOW),
        **kwargs,
    )


def test_an_administrator_assigns_and_the_event_names_by_what_authority(petra, zoe):
    made = assign_as(petra, zoe, role(EXCHANGE_ADMINISTRATOR), directory())
    event = Event.objects.get(kind=Kind.ASSIGNMENT_ADDED, actor_id=petra.pk)
    assert event.assignment_id == made.pk
    assert event.authority_id == Assignment.objects.get(principal=petra).pk


@pytest.mark.parametrize("who", ["zoe", "nina"])
def test_others_do_not(who, ines, request):
    with pytest.raises(Refused, match="not_allowed"):
        assign_as(request.getfixturevalue(who), ines, role(EXCHANGE_ADMINISTRATOR), directory())


class TestIsolation:
    def test_a_privileged_role_administrator_assigns_no_resource_role(self, petra, zoe):
        root = tree("Root")[0]
        with pytest.raises(Refused, match="not_allowed"):
            assign_as(petra, zoe, role(ids.READER), root)

    def test_an_owner_assigns_there_and_below_and_no_directory_role(self, zoe, ines):
        root, prod, rg = tree("Root", "prod", "rg")
        give(zoe, role(ids.OWNER), prod)
        for place in (prod, rg):
            assign_as(zoe, ines, role(ids.READER), place)
        with pytest.raises(Refused, match="not_allowed"):
            assign_as(zoe, ines, role(ids.READER), root)
        with pytest.raises(Refused, match="not_allowed"):
            assign_as(zoe, ines, role(EXCHANGE_ADMINISTRATOR), directory())


@pytest.mark.parametrize(("what", "where"), [(ids.OWNER, "directory"), (EXCHANGE_ADMINISTRATOR, "root")])
def test_a_role_stands_only_in_its_own_world(what, where, zoe):
    place = directory() if where == "directory" else tree("Root")[0]
    with pytest.raises(Refused, match="wrong_place"):
        give(zoe, role(what), place)


def test_a_group_joins_no_group(db):
    outer, inner = group("Outer"), group("Inner")
    with pytest.raises(Refused, match="nested_group"):
        give(inner, role(ids.GROUP_MEMBER), outer.resource)


def test_joining_a_group_that_holds_roles_is_a_grant_of_each(zoe, ines, petra):
    team = group("Team")
    give(zoe, role(ids.GROUPS_ADMINISTRATOR))
    assign_as(zoe, ines, role(ids.GROUP_MEMBER), team.resource, type=AssignmentType.ACTIVE)
    make_eligible(team, role(EXCHANGE_ADMINISTRATOR))
    other = person("other")
    with pytest.raises(Refused, match="group_holds_more"):
        assign_as(zoe, other, role(ids.GROUP_MEMBER), team.resource, type=AssignmentType.ACTIVE)
    assign_as(petra, other, role(ids.GROUP_MEMBER), team.resource, type=AssignmentType.ACTIVE)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"starts_at": NOW - HOUR}, "start_in_past"),
        ({"starts_at": NOW + 4000 * DAY, "ends_at": NOW + 4001 * DAY}, "start_too_far"),
        ({"ends_at": NOW}, "end_too_early"),
        ({"starts_at": NOW + 2 * DAY, "ends_at": NOW + DAY}, "end_too_early"),
        ({"reason": "\u200b", "type": AssignmentType.ACTIVE}, "reason_missing"),
        ({"reason": "x" * 2001}, "reason_too_long"),
    ],
)
def test_what_cannot_be(fields, code, petra, zoe):
    with pytest.raises(Refused) as refused:
        assign_as(petra, zoe, role(EXCHANGE_ADMINISTRATOR), directory(), **fields)
    assert refused.value.codes == {code}


def test_permanent_eligibility_of_a_resource_role_waits_until_the_settings_allow_it(zoe):
    root = tree("Root")[0]
    with pytest.raises(Refused, match="permanent_not_allowed"):
        give(zoe, role(ids.READER), root, type=AssignmentType.ELIGIBLE)
    with pytest.raises(Refused, match="too_long"):
        give(zoe, role(ids.READER), root, type=AssignmentType.ELIGIBLE, starts_at=NOW, ends_at=NOW + 366 * DAY)
    give(zoe, role(ids.READER), root, type=AssignmentType.ELIGIBLE, starts_at=NOW, ends_at=NOW + 365 * DAY)


def test_a_night_of_25_hours_makes_no_day_longer(petra, zoe):
    configure(role(EXCHANGE_ADMINISTRATOR), permanent_active_allowed=False, expire_active_after=DAY)
    noon = datetime(2027, 10, 30, 12, 0, tzinfo=ZoneInfo("Europe/Berlin"))  # the clock is put back that night
    given = {"type": AssignmentType.ACTIVE, "starts_at": noon}
    with pytest.raises(Refused, match="too_long"):
        give(zoe, role(EXCHANGE_ADMINISTRATOR), ends_at=noon.replace(day=31), **given)
    give(zoe, role(EXCHANGE_ADMINISTRATOR), ends_at=noon.replace(day=31, hour=11), **given)


def test_the_same_is_not_given_twice_but_again_at_its_very_end(petra, zoe):
    assign_as(petra, zoe, role(EXCHANGE_ADMINISTRATOR), directory(), ends_at=NOW + HOUR)
    with pytest.raises(Refused, match="already_assigned"):
        assign_as(petra, zoe, role(EXCHANGE_ADMINISTRATOR), directory())
    later = NOW + HOUR
    give(zoe, role(EXCHANGE_ADMINISTRATOR), type=AssignmentType.ELIGIBLE, starts_at=later, now=later)
    assert Event.objects.filter(kind=Kind.ASSIGNMENT_EXPIRED, target_id=zoe.pk).count() == 1


def test_a_start_of_a_moment_ago_is_now(petra, zoe):
    made = assign_as(petra, zoe, role(EXCHANGE_ADMINISTRATOR), directory(), starts_at=NOW - 4 * MINUTE)
    assert made.starts_at == NOW


def test_ending_one_assignment_touches_no_other(zoe, petra):
    direct = give(zoe, role(ids.GLOBAL_READER))
    give(group("Readers", zoe), role(ids.GLOBAL_READER))
    remove(direct.pk, actor=OPERATOR, clock=at(NOW))
    assert Assignment.objects.held_by(zoe.pk, NOW).filter(role=ids.GLOBAL_READER).exists()


def test_removing_needs_authority_and_a_second_factor(petra, nina, zoe):
    made = give(zoe, role(EXCHANGE_ADMINISTRATOR))
    with pytest.raises(Refused, match="not_allowed"):
        remove(made.pk, actor=acting(nina, Purpose.ASSIGN, made.pk), clock=at(NOW))
    with pytest.raises(Refused, match="second_factor"):
        remove(made.pk, actor=Actor(user=petra), clock=at(NOW))
    remove(made.pk, actor=acting(petra, Purpose.ASSIGN, made.pk), clock=at(NOW))


class TestTheLastAdministrator:
    """Rule 7, in each way to lose one that this release has."""

    def test_is_not_removed(self, petra):
        row = Assignment.objects.get(principal=petra)
        with pytest.raises(Refused, match="last_administrator"):
            remove(row.pk, actor=OPERATOR, clock=at(NOW))
        row.refresh_from_db()
        assert row.ended_at is None
        refusal = Event.objects.get(kind=Kind.ASSIGNMENT_REMOVED)
        assert refusal.outcome == Outcome.REFUSED

    def test_is_not_disabled(self, petra):
        with pytest.raises(Refused, match="last_administrator"):
            disable_person(petra.pk, reason="left", actor=OPERATOR, clock=at(NOW))

    def test_is_not_taken_out_of_the_group_that_holds_it(self, ines):
        team = group("Administrators", ines)
        give(team, role(ids.PRIVILEGED_ROLE_ADMINISTRATOR))
        membership = Assignment.objects.get(principal=ines)
        with pytest.raises(Refused, match="last_administrator"):
            remove(membership.pk, actor=OPERATOR, clock=at(NOW))

    def test_with_a_second_one_the_first_goes(self, petra, paul):
        remove(Assignment.objects.get(principal=petra).pk, actor=OPERATOR, clock=at(NOW))
        assert lasting_administrators(NOW) == {paul.pk}

    @pytest.mark.parametrize("kind", ["time-bound", "without a factor", "disabled", "elsewhere"])
    def test_these_do_not_count_as_a_second(self, kind, petra, zoe):
        if kind == "time-bound":
            give(zoe, role(ids.PRIVILEGED_ROLE_ADMINISTRATOR), ends_at=NOW + DAY)
        elif kind == "elsewhere":
            give(zoe, role(ids.PRIVILEGED_ROLE_ADMINISTRATOR), unit("Lyon"))
        else:
            make_eligible(zoe, role(ids.PRIVILEGED_ROLE_ADMINISTRATOR))
        if kind == "without a factor":
            TotpDevice.objects.filter(user=zoe).delete()
        if kind == "disabled":
            disable_person(zoe.pk, reason="left", actor=OPERATOR, clock=at(NOW - MINUTE))
        assert lasting_administrators(NOW) == {petra.pk}

    def test_eligible_counts_only_where_no_approval_is_needed(self, petra, zoe):
        make_eligible(zoe, role(ids.PRIVILEGED_ROLE_ADMINISTRATOR))
        assert lasting_administrators(NOW) == {petra.pk, zoe.pk}
        configure(role(ids.PRIVILEGED_ROLE_ADMINISTRATOR), approvers=[petra])
        assert lasting_administrators(NOW) == {petra.pk}


class TestSettings:
    def test_the_nearest_row_rules_as_a_whole(self, petra):
        owner = role(ids.OWNER)
        root, prod, rg = tree("Root", "prod", "rg")
        other = tree("Other")[0]
        configure(owner, None, max_activation=6 * HOUR, ticket_required=True)
        configure(owner, root, max_activation=4 * HOUR, ticket_required=False)
        configure(owner, rg, max_activation=2 * HOUR)
        longest = [settings_of(owner, one).max_activation for one in (other, root, prod, rg)]
        assert longest == [6 * HOUR, 4 * HOUR, 4 * HOUR, 2 * HOUR]
        assert not settings_of(owner, prod).ticket_required
        assert settings_of(owner, prod).source_id == root.pk

    def test_a_sibling_with_a_similar_path_does_not_rule(self, petra):
        """Tree paths are fixed-length steps: no node's path is the beginning of a sibling's."""
        root = tree("Root")[0]
        paths = list(Resource.objects.filter(depth=1).values_list("path", flat=True))
        assert all(len(path) == len(root.path) for path in paths)

    def test_without_rows_the_defaults_of_the_kind_rule(self, petra):
        assert settings_of(role(EXCHANGE_ADMINISTRATOR), directory()).permanent_eligible_allowed
        settings = settings_of(role(ids.READER), tree("Root")[0])
        assert (settings.is_default, settings.permanent_eligible_allowed) == (True, False)


def test_a_retired_role_or_resource_ends_what_is_held_there(zoe, petra):
    root, prod, rg = tree("Root", "prod", "rg")
    for place in (root, rg):
        give(zoe, role(ids.READER), place)
    Resource.objects.filter(pk=prod.pk).update(retired_at=NOW)
    assert set(Assignment.objects.held_by(zoe.pk, NOW).values_list("resource", flat=True)) == {root.pk}
    with pytest.raises(Refused, match="retired"):
        give(zoe, role(ids.OWNER), rg)


def test_saving_a_stale_node_never_moves_it(db):
    root, prod = tree("Root", "prod")
    stale = Resource.objects.get(pk=prod.pk)
    Resource.objects.filter(pk=prod.pk).update(path=root.path + "00ZZ")
    stale.name = "renamed"
    stale.save()
    assert Resource.objects.get(pk=prod.pk).path == root.path + "00ZZ"


@pytest.mark.parametrize(
    "fields",
    [
        {"ends_at": NOW - 366 * DAY},
        {"ended_at": NOW},
        {"end_reason": "removed"},
        {"type": "eligible", "activated_from": "itself"},
        {"activated_from": "itself"},
    ],
)
def test_the_database_refuses_what_cannot_be(fields, petra):
    row = Assignment.objects.get(principal=petra)
    fields = {name: row.pk if value == "itself" else value for name, value in fields.items()}
    renamed = {("activated_from_id" if name == "activated_from" else name): value for name, value in fields.items()}
    with pytest.raises(IntegrityError), transaction.atomic():
        Assignment.objects.filter(pk=row.pk).update(**renamed)


class TestWhatElseNeedsAFreshSecondFactor:
    def test_settings(self, petra):
        exchange = role(EXCHANGE_ADMINISTRATOR)
        change = {"resource": None, "values": {"max_activation": HOUR}, "clock": at(NOW)}
        with pytest.raises(Refused, match="second_factor"):
            change_settings(exchange, actor=Actor(user=petra), **change)
        change_settings(exchange, actor=acting(petra, Purpose.SETTINGS, exchange.pk), **change)

    def test_groups(self, zoe):
        give(zoe, role(ids.GROUPS_ADMINISTRATOR))
        with pytest.raises(Refused, match="second_factor"):
            add_group("Team", actor=Actor(user=zoe), clock=at(NOW))
        add_group("Team", actor=acting(zoe, Purpose.PEOPLE, zoe.pk), clock=at(NOW))

    def test_resources(self, zoe):
        root = tree("Root")[0]
        give(zoe, role(ids.OWNER), root)
        new = {"name": "prod", "parent": root, "clock": at(NOW)}
        with pytest.raises(Refused, match="second_factor"):
            add_resource(ResourceKind.SUBSCRIPTION, actor=Actor(user=zoe), **new)
        add_resource(ResourceKind.SUBSCRIPTION, actor=acting(zoe, Purpose.ASSIGN, zoe.pk), **new)
