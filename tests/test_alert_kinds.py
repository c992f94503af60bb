"""Each alert, just below what it is set to and just there."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import transaction

from approvals.models import Verdict
from approvals.services.closing import lapse_overdue
from audit.kinds import Kind, Realm
from audit.models import Anchoring, Batch, Event, EventText
from audit.recording import Ids, write
from pim_portal.alerts.definitions import BY_KEY, KINDS
from pim_portal.alerts.definitions.base import Ground
from pim_portal.alerts.definitions.frequent import occasions
from pim_portal.models import Heartbeat, Notification, NotificationState
from pim_portal.operations import services
from pim_portal.operations.services import beat
from roles import ids
from roles.actors import Actor
from roles.models import Assignment, Audience, NotifiedAct, SecondFactor, User
from roles.selectors.settings import Cell, Stage
from roles.services.assignments import deactivate
from roles.services.custom_roles import retire_role
from roles.services.retirements import retire_resource
from roles.services.settings import change_settings
from tests.alerting import found, people_found, set_alert
from tests.emergencies import break_it, glass_allowed, review
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
    custom_role,
    decide,
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
from tests.sealed import happen, key_in, seal_all
from tests.separating import kept_apart

pytestmark = pytest.mark.django_db
MICROSECOND = timedelta(microseconds=1)


def exchange():
    return role(EXCHANGE_ADMINISTRATOR)


def signed_in(user: User, now) -> None:
    with transaction.atomic():
        write(Kind.SIGNED_IN, at=now, realm=Realm.DIRECTORY, actor_id=user.pk, ids=Ids(target=user.pk))


class TestUnused:
    @pytest.mark.parametrize(("early", "counts"), [(MICROSECOND, 0), (timedelta(), 1)], ids=["just_below", "at"])
    def test_an_eligibility_counts_from_its_own_start(self, ines, early, counts):
        row = make_eligible(ines, exchange(), starts_at=NOW - 30 * DAY + early)
        assert found("unused_roles") == [f"assignment:{row.pk}"] * counts

    @pytest.mark.parametrize(("early", "counts"), [(MICROSECOND, 0), (timedelta(), 1)], ids=["just_below", "at"])
    def test_an_activation_is_a_use(self, ines, early, counts):
        row = make_eligible(ines, exchange())
        request_activation(ines, row, now=NOW - 30 * DAY + early)
        assert len(found("unused_roles")) == counts

    def test_an_activation_that_was_called_off_before_its_start_is_none(self, ines):
        row = make_eligible(ines, exchange())
        planned = request_activation(ines, row, now=NOW - 2 * DAY, start=NOW - DAY)
        deactivate(planned.outcome_id, actor=Actor(ines), clock=at(NOW - 2 * DAY))
        assert found("unused_roles") == [f"assignment:{row.pk}"]

    def test_one_member_uses_it_for_the_group(self, ines, adam):
        row = make_eligible(group("Mail", ines, adam), exchange())
        request_activation(adam, row, now=NOW - DAY)
        assert found("unused_roles") == []

    def test_the_nearest_settings_rule(self, ines):
        berlin = unit("Berlin")
        make_eligible(ines, exchange(), berlin, starts_at=NOW - 20 * DAY)
        make_eligible(ines, exchange(), starts_at=NOW - 20 * DAY)
        set_alert("unused_roles", berlin, days=20)
        assert len(found("unused_roles")) == 1
        set_alert("unused_roles", days=20)
        set_alert("unused_roles", berlin, days=21)
        assert len(found("unused_roles")) == 1

    def test_it_is_not_looked_for_where_it_is_turned_off(self, ines):
        make_eligible(ines, exchange())
        set_alert("unused_roles", enabled=False)
        assert found("unused_roles") == []


class TestStale:
    @pytest.mark.parametrize(("early", "counts"), [(MICROSECOND, 0), (timedelta(), 1)], ids=["just_below", "at"])
    def test_whoever_has_not_signed_in(self, ines, early, counts):
        row = make_eligible(ines, exchange())
        signed_in(ines, NOW - 30 * DAY + early)
        assert found("stale_accounts") == [f"{row.pk}:{ines.pk}"] * counts

    def test_a_member_of_a_group_that_holds_a_role_counts(self, ines, adam):
        row = give(group("Mail", ines, adam), exchange())
        signed_in(adam, NOW - DAY)
        assert f"{row.pk}:{ines.pk}" in found("stale_accounts")
        assert adam.pk not in people_found("stale_accounts")

    def test_nobody_is_stale_who_came_lately(self):
        make_eligible(person("nora", now=NOW + 371 * DAY), exchange(), starts_at=NOW - 10 * DAY)
        assert found("stale_accounts") == []

    def test_whoever_holds_nothing_is_nobody_s_business(self, ines):
        assert found("stale_accounts") == []


class TestSecondFactor:
    def test_only_where_none_is_asked_for(self, ines):
        configure(exchange(), directory(), second_factor=SecondFactor.FRESH)
        assert found("no_second_factor") == []
        configure(exchange(), directory(), second_factor=SecondFactor.NONE)
        assert found("no_second_factor") == [f"settings:{EXCHANGE_ADMINISTRATOR}:{ids.DIRECTORY}"]

    def test_a_default_counts_only_while_it_rules(self):
        configure(exchange(), None, second_factor=SecondFactor.NONE)
        assert len(found("no_second_factor")) == 1
        configure(exchange(), directory(), second_factor=SecondFactor.FRESH)
        assert found("no_second_factor") == []


class TestOutside:
    def raw(self, who: User, **values) -> Assignment:
        """A row past the services, in a transaction that tells of something else."""
        with transaction.atomic():
            values = {"starts_at": NOW - DAY, "type": "active", "resource": directory(), "role": exchange()} | values
            row = Assignment.objects.create(principal=who, **values)
            write(Kind.PERSON_CHANGED, at=NOW, realm=Realm.DIRECTORY, actor_id=None, ids=Ids())
        return row

    def test_what_the_services_made_is_known(self, ines, adam):
        eligibility = make_eligible(ines, exchange(), ends_at=NOW + 30 * DAY)
        request_activation(ines, eligibility)
        give(adam, exchange())
        group("Mail", ines)
        assert found("assigned_outside") == []

    def test_a_raw_row_is_found(self, ines):
        row = self.raw(ines)
        assert found("assigned_outside") == [f"assignment:{row.pk}"]

    def test_a_raw_membership_is_found_in_the_directory(self, ines):
        team = group("Mail")
        row = self.raw(ines, resource=team.resource, role=role(ids.GROUP_MEMBER))
        assert found("assigned_outside") == [f"assignment:{row.pk}"]

    @pytest.mark.parametrize("values", [{"ends_at": None}, {"type": "active"}, {"role_id": ids.GLOBAL_ADMINISTRATOR}])
    def test_a_row_that_was_changed_past_the_services_is_found(self, ines, values):
        row = make_eligible(ines, exchange(), ends_at=NOW + DAY)
        with transaction.atomic():
            Assignment.objects.filter(pk=row.pk).update(**values)
            write(Kind.PERSON_CHANGED, at=NOW, realm=Realm.DIRECTORY, actor_id=None, ids=Ids())
        assert found("assigned_outside") == [f"assignment:{row.pk}"]

    def test_what_is_over_is_no_matter(self, ines):
        self.raw(ines, ends_at=NOW)
        assert found("assigned_outside") == []

    def test_each_world_finds_its_own(self, ines):
        root = tree("Contoso")[0]
        self.raw(ines, resource=root, role=role(ids.READER))
        assert found("assigned_outside") == []
        assert len(found("assigned_outside", root)) == 1


class TestAdministrators:
    def administrators(self, count: int) -> None:
        for number in range(count):
            make_eligible(person(f"admin{number}", factor=False), role(ids.GLOBAL_ADMINISTRATOR))

    @pytest.mark.parametrize(("count", "incidents"), [(2, 0), (3, 3)])
    def test_from_three_on(self, db, count, incidents):
        self.administrators(count)
        assert len(found("too_many_global_administrators")) == incidents

    @pytest.mark.parametrize(("percent", "incidents"), [(61, 0), (60, 3)])
    def test_and_from_a_share_of_those_in_privileged_roles(self, ines, adam, percent, incidents):
        self.administrators(3)
        make_eligible(ines, role(ids.SECURITY_ADMINISTRATOR))
        give(adam, role(ids.USER_ADMINISTRATOR))
        give(person("zoe"), exchange())
        set_alert("too_many_global_administrators", percent=percent)
        assert len(found("too_many_global_administrators")) == incidents

    def test_members_of_a_group_are_counted_one_by_one(self, ines, adam, petra):
        make_eligible(group("Board", ines, adam, petra), role(ids.GLOBAL_ADMINISTRATOR))
        assert len(found("too_many_global_administrators")) == 1


class TestFrequent:
    def activations(self, user: User, row: Assignment, count: int, *, apart=HOUR) -> None:
        for number in range(count):
            now = NOW - number * apart - MINUTE
            request = request_activation(user, row, now=now, hours=0.1)
            deactivate(request.outcome_id, actor=acting(user, "activate", row.pk), clock=at(now + 10 * MICROSECOND))

    @pytest.mark.parametrize(("count", "incidents"), [(4, 0), (5, 1)])
    def test_from_five_in_a_day_on(self, ines, count, incidents):
        row = make_eligible(ines, exchange())
        self.activations(ines, row, count)
        assert found("activated_too_often") == [f"{ines.pk}:{EXCHANGE_ADMINISTRATOR}:{ids.DIRECTORY}"] * incidents

    def test_the_fifth_just_out_of_the_day_does_not_count(self, ines):
        row = make_eligible(ines, exchange())
        self.activations(ines, row, 4)
        request_activation(ines, row, now=NOW - DAY, hours=0.1)
        assert found("activated_too_often") == []
        assert len(found("activated_too_often", now=NOW - MICROSECOND)) == 1

    def test_what_was_called_off_before_its_start_was_not_activated(self, ines):
        row = make_eligible(ines, exchange())
        for number in range(5):
            asked = NOW - (number + 2) * HOUR
            planned = request_activation(ines, row, now=asked, start=asked + HOUR, hours=0.1)
            deactivate(planned.outcome_id, actor=Actor(ines), clock=at(asked + MINUTE))
        assert found("activated_too_often") == []

    def test_what_one_form_activates_counts_once(self):
        assert list(occasions([NOW, NOW + MICROSECOND, NOW + MINUTE - MICROSECOND])) == [NOW]
        assert list(occasions([NOW, NOW + MINUTE])) == [NOW, NOW + MINUTE]

    def test_several_places_activated_together_are_no_repetition(self, ines):
        places = tree("Contoso", "Production", "Mail", "Vault")
        rows = [make_eligible(ines, role(ids.READER), place) for place in places]
        for number, row in enumerate(rows):
            request_activation(ines, row, now=NOW - HOUR + number * MICROSECOND)
        set_alert("activated_too_often", places[0], count=2)
        assert found("activated_too_often", places[0]) == []


class TestOwners:
    def owners(self, count: int, place, **values) -> None:
        for number in range(count):
            give(person(f"owner{number}", factor=False), role(ids.OWNER), place, **values)

    @pytest.mark.parametrize(("count", "incidents"), [(2, 0), (3, 3)])
    def test_more_than_two(self, db, count, incidents):
        root = tree("Contoso")[0]
        self.owners(count, root)
        assert len(found("too_many_owners", root)) == incidents

    @pytest.mark.parametrize(("percent", "incidents"), [(50, 3), (75, 0)])
    def test_and_more_than_a_share_of_all_members(self, ines, percent, incidents):
        root = tree("Contoso")[0]
        self.owners(3, root)
        give(ines, role(ids.READER), root)
        set_alert("too_many_owners", root, percent=percent)
        assert len(found("too_many_owners", root)) == incidents

    def test_those_who_inherit_it_count_below_and_the_incident_stands_where_it_was_given(self, ines):
        root, below = tree("Contoso", "Production")
        self.owners(2, root)
        row = give(ines, role(ids.OWNER), below)
        assert found("too_many_owners", root) == [f"assignment:{row.pk}"]

    @pytest.mark.parametrize(("count", "incidents"), [(10, 0), (11, 11)])
    def test_more_than_ten_permanent_ones(self, db, count, incidents):
        root = tree("Contoso")[0]
        self.owners(count, root)
        assert len(found("too_many_permanent_owners", root)) == incidents

    def test_who_holds_it_until_an_end_is_not_permanent(self, db):
        root = tree("Contoso")[0]
        self.owners(11, root, ends_at=NOW + DAY)
        assert found("too_many_permanent_owners", root) == []


class TestBelowWhatIsRetired:
    """What stands below a retired place is retired as well: nothing is activated there."""

    @pytest.fixture
    def places(self):
        return tree("Contoso", "Production", "Mail")

    def retired(self, place) -> None:
        retire_resource(place.pk, seen=None, reason="closed", actor=OPERATOR, clock=at(NOW))

    def test_no_settings_there_need_a_second_factor(self, places):
        configure(role(ids.READER), places[2], second_factor=SecondFactor.NONE)
        assert len(found("no_second_factor", places[0])) == 1
        self.retired(places[1])
        assert found("no_second_factor", places[0]) == []

    @pytest.mark.parametrize(("key", "people"), [("one_approver", 1), ("nobody_approves", 0)])
    def test_nobody_need_approve_there(self, places, adam, key, people):
        configure(role(ids.READER), places[2], approvers=[adam])
        if not people:
            User.objects.filter(pk=adam.pk).update(enabled=False)
        assert len(found(key, places[0])) == 1
        self.retired(places[1])
        assert found(key, places[0]) == []

    def test_no_role_made_there_allows_the_same_as_another(self, places):
        custom_role(places[0], "Vault reader", permissions="vault/read")
        custom_role(places[2], "Vault looker", permissions="vault/read")
        assert len(found("duplicate_role", places[0])) == 1
        self.retired(places[1])
        assert found("duplicate_role", places[0]) == []

    def test_no_weakened_settings_are_told_of(self, places):
        change_settings(
            role(ids.READER),
            resource=places[2],
            values={"second_factor": SecondFactor.NONE},
            actor=OPERATOR,
            clock=at(NOW - DAY),
        )
        assert len(found("settings_weakened", places[0])) == 1
        self.retired(places[1])
        assert found("settings_weakened", places[0]) == []

    def test_nor_of_a_retired_role(self, places):
        made = custom_role(places[0], "Vault reader")
        change_settings(
            made,
            resource=places[0],
            values={"second_factor": SecondFactor.NONE},
            actor=OPERATOR,
            clock=at(NOW - DAY),
        )
        assert len(found("settings_weakened", places[0])) == 1
        retire_role(made.pk, reason="no longer used", actor=OPERATOR, clock=at(NOW))
        assert found("settings_weakened", places[0]) == []


class TestDuplicates:
    def test_the_same_permissions_in_another_order(self, db):
        root = tree("Contoso")[0]
        one = custom_role(root, "One", permissions="a/read\nb/write")
        custom_role(root, "Three", permissions="a/read")
        assert found("duplicate_role", root) == []
        other = custom_role(root, "Two", permissions="B/write\na/read")
        assert found("duplicate_role", root) == sorted(f"role:{made.pk}" for made in (one, other))

    def test_what_was_made_further_down_is_not_told_above(self, db):
        root, below = tree("Contoso", "Production")
        custom_role(root, "One", permissions="a/read")
        lower = custom_role(below, "Two", permissions="a/read")
        assert found("duplicate_role", root) == [f"role:{lower.pk}"]


class TestIncompatible:
    def test_who_has_two_roles_of_a_rule_until_one_ends(self, ines):
        root, below = tree("Contoso", "Production")
        one, other = (custom_role(root, name) for name in ("One", "Two"))
        give(ines, one, below)
        give(ines, other, root, ends_at=NOW + DAY)
        assert found("incompatible_roles", root) == []
        rule = kept_apart(one, other, place=below)
        assert found("incompatible_roles", root) == [f"duty:{rule.pk.hex}:{ines.pk.hex}"]
        assert found("incompatible_roles", root, now=NOW + DAY - MICROSECOND) != []
        assert found("incompatible_roles", root, now=NOW + DAY) == []


class TestApproval:
    def test_one_approver_is_too_few_and_two_are_not(self, adam, ines):
        configure(exchange(), directory(), approvers=[adam])
        assert found("one_approver") == [f"stage:{EXCHANGE_ADMINISTRATOR}:{ids.DIRECTORY}:1"]
        configure(exchange(), directory(), approvers=[adam, ines])
        assert found("one_approver") == []

    def test_nobody_is_left(self, adam):
        team = group("Approvers", adam)
        configure(exchange(), directory(), approvers=[team])
        assert found("nobody_approves") == []
        Assignment.objects.filter(principal=adam, resource=team.resource).update(ends_at=NOW)
        assert len(found("nobody_approves")) == 1
        assert found("one_approver") == []

    def test_fewer_than_must_agree(self, adam, ines, petra):
        configure(exchange(), directory(), approvers=[adam, ines], quorum=2)
        assert found("nobody_approves") == []
        User.objects.filter(pk=ines.pk).update(enabled=False)
        assert len(found("nobody_approves")) == 1

    def test_an_approver_who_may_activate_the_role_cannot_approve_themselves(self, adam, ines):
        """To the microsecond of their eligibility, and only where they obey these settings."""
        configure(exchange(), directory(), approvers=[adam, ines], quorum=2)
        make_eligible(adam, exchange(), ends_at=NOW + DAY)
        make_eligible(ines, role(ids.SECURITY_READER))
        key = f"stage:{EXCHANGE_ADMINISTRATOR}:{ids.DIRECTORY}:1:{adam.pk.hex}"
        assert found("nobody_approves", now=NOW + DAY - MICROSECOND) == [key]
        assert found("nobody_approves", now=NOW + DAY) == []
        configure(exchange(), directory(), approvers=[adam, ines], quorum=1)
        assert found("nobody_approves") == []

    def test_each_tree_finds_its_own(self, adam):
        one, other = tree("Contoso")[0], tree("Fabrikam")[0]
        configure(role(ids.OWNER), None, approvers=[adam])
        configure(role(ids.OWNER), other, approval_required=False, permanent_eligible_allowed=True)
        for place in (one, other):
            make_eligible(adam, role(ids.OWNER), place, starts_at=NOW - DAY, ends_at=NOW + DAY)
        keys = {place.name: found("nobody_approves", place) for place in (one, other, directory())}
        alone = f"stage:{ids.OWNER}:{one.pk}:1:{adam.pk.hex}"
        assert keys == {"Contoso": [alone], "Fabrikam": [], directory().name: []}
        User.objects.filter(pk=adam.pk).update(enabled=False)
        assert [len(found("nobody_approves", place)) for place in (one, other, directory())] == [1, 0, 0]

    def test_nobody_named_are_the_administrators(self, petra):
        configure(exchange(), directory(), approvers=[])
        assert len(found("one_approver")) == 1


class TestWeakened:
    def changed(self, now, *, stages=None, cells=None, **values) -> None:
        where = directory()
        change_settings(
            exchange(), resource=where, values=values, stages=stages, cells=cells, actor=OPERATOR, clock=at(now)
        )

    @pytest.mark.parametrize(
        "values",
        [
            {"second_factor": SecondFactor.NONE},
            {"reason_required": False},
            {"max_activation": 8 * HOUR + MICROSECOND},
            {"expire_active_after": 365 * DAY},
            {"second_factor": SecondFactor.NONE, "ticket_required": True},
        ],
        ids=["factor", "reason", "longer", "later", "both_ways"],
    )
    def test_a_change_that_loosens_is_found(self, db, values):
        self.changed(NOW - DAY, **values)
        assert len(found("settings_weakened")) == 1

    @pytest.mark.parametrize(
        "values",
        [{"second_factor": SecondFactor.EVERY_TIME}, {"ticket_required": True}, {"max_activation": HOUR}],
        ids=["factor", "ticket", "shorter"],
    )
    def test_a_change_that_tightens_is_not(self, db, values):
        self.changed(NOW - DAY, **values)
        assert found("settings_weakened") == []

    @pytest.mark.parametrize("erased", [False, True], ids=["told", "erased"])
    def test_stages_and_mails_are_looked_at_as_well(self, adam, berta, zoe, erased):
        """Each is looser, is found, and is no matter any more once it is set back."""
        told = (NotifiedAct.ACTIVATED, Audience.ADMINISTRATORS)
        two = (Stage(1, 2, frozenset({adam.pk, berta.pk})),)
        mails = Cell(*told, additional=("soc@example.org", "ciso@example.org"))
        strict = {"stages": two, "cells": (mails,)}
        looser = {
            "stage.quorum": {"stages": (Stage(1, 1, frozenset({adam.pk, berta.pk})),)},
            "stage.approvers": {"stages": (Stage(1, 2, frozenset({adam.pk, berta.pk, zoe.pk})),)},
            "stage.escalation": {"stages": (Stage(1, 2, two[0].approvers, frozenset({zoe.pk})),)},
            "cell.default_recipients": {"cells": (replace(mails, default_recipients=False),)},
            "cell.critical_only": {"cells": (replace(mails, critical_only=True),)},
            "cell.additional": {"cells": (Cell(*told, additional=("soc@example.org",)),)},
        }
        for minutes, (field, values) in enumerate(looser.items()):
            now = NOW - HOUR + timedelta(minutes=3 * minutes)
            self.changed(now, approval_required=True, **strict)
            before = set(found("settings_weakened"))
            self.changed(now + timedelta(minutes=1), **values)
            if erased:
                EventText.objects.filter(erased_at=None).update(fields={}, salts={}, search="", erased_at=NOW)
            (new,) = set(found("settings_weakened")) - before
            ground = Ground(BY_KEY["settings_weakened"], directory(), NOW)
            (one,) = (one for one in BY_KEY["settings_weakened"].find(ground) if one.object_key == new)
            assert one.facts["fields"] == [field]
            self.changed(now + timedelta(minutes=2), **strict)
            assert new not in found("settings_weakened")

    def test_an_address_that_was_changed_for_another_is_found(self, db):
        told = (NotifiedAct.ACTIVATED, Audience.ADMINISTRATORS)
        self.changed(NOW - DAY, cells=(Cell(*told, additional=("soc@example.org",)),))
        assert found("settings_weakened") == []
        self.changed(NOW - HOUR, cells=(Cell(*told, additional=("attacker@example.net",)),))
        assert len(found("settings_weakened")) == 1

    def test_what_was_set_back_is_no_matter_any_more(self, db):
        self.changed(NOW - 2 * DAY, reason_required=False)
        self.changed(NOW - DAY, reason_required=True)
        assert found("settings_weakened") == []

    @pytest.mark.parametrize(("early", "counts"), [(MICROSECOND, 1), (timedelta(), 0)], ids=["within", "just_out"])
    def test_only_lately(self, db, early, counts):
        self.changed(NOW - 30 * DAY + early, reason_required=False)
        assert len(found("settings_weakened")) == counts

    def test_each_tree_finds_its_own(self, db):
        one, other = tree("Contoso")[0], tree("Fabrikam")[0]
        owner = role(ids.OWNER)
        change_settings(owner, resource=one, values={"reason_required": False}, actor=OPERATOR, clock=at(NOW - DAY))
        assert [len(found("settings_weakened", place)) for place in (one, other, directory())] == [1, 0, 0]


class TestEmergencies:
    def test_from_when_its_review_is_due_until_it_is_closed(self, ines, adam, petra):
        request = break_it(ines, glass_allowed(ines, EXCHANGE_ADMINISTRATOR, adam))
        due = request.emergency_review.due_at
        assert found("emergency_not_reviewed", now=due - MICROSECOND) == []
        assert found("emergency_not_reviewed", now=due) == [f"review:{request.emergency_review.pk}"]
        assert found("assigned_outside") == []
        review(petra, request, now=due)
        assert found("emergency_not_reviewed", now=due) == []


class TestSilent:
    def lapsed(self, ines: User, row: Assignment, count: int) -> None:
        for number in range(count):
            now = NOW - (number + 2) * DAY
            request_activation(ines, row, now=now)
            lapse_overdue(clock=at(now + DAY))

    @pytest.mark.parametrize(("count", "silent"), [(2, False), (3, True)])
    def test_from_three_requests_on(self, ines, adam, count, silent):
        configure(exchange(), directory(), approvers=[adam])
        self.lapsed(ines, make_eligible(ines, exchange()), count)
        assert (adam.pk in people_found("silent_approvers")) == silent

    def test_whoever_answered_one_is_not_silent(self, ines, adam):
        configure(exchange(), directory(), approvers=[adam])
        row = make_eligible(ines, exchange())
        self.lapsed(ines, row, 3)
        decide(Verdict.DENY, request_activation(ines, row, now=NOW - HOUR), adam, now=NOW - HOUR)
        assert found("silent_approvers") == []


class TestThePortal:
    @pytest.mark.parametrize(("late", "incidents"), [(5 * MINUTE, 0), (5 * MINUTE + MICROSECOND, 1)])
    def test_the_worker_is_late(self, db, late, incidents):
        beat("sweep", clock=at(NOW - late))
        assert len(found("worker_late")) == incidents

    def test_a_worker_that_was_never_started_is_for_the_set_up(self, db):
        Heartbeat.objects.all().delete()
        assert found("worker_late") == []

    @pytest.mark.parametrize(("late", "incidents"), [(15 * MINUTE, 0), (15 * MINUTE + MICROSECOND, 1)])
    def test_a_mail_waits(self, ines, late, incidents):
        Notification.objects.all().delete()
        event = Event.objects.first()
        Notification.objects.create(event=event, recipient=ines, mail="x", dedupe_key="x", created_at=NOW - late)
        assert len(found("mail_late")) == incidents

    def test_a_mail_was_set_aside(self, ines):
        Notification.objects.all().delete()
        event, failed = Event.objects.first(), NotificationState.FAILED
        Notification.objects.create(event=event, recipient=ines, mail="x", dedupe_key="x", state=failed)
        assert found("mail_late") == ["failed"]

    @pytest.mark.parametrize(("late", "incidents"), [(10 * MINUTE, 0), (10 * MINUTE + MICROSECOND, 1)])
    def test_events_wait_to_be_sealed(self, ines, late, incidents):
        recorded = Event.objects.order_by("recorded_at").values_list("recorded_at", flat=True)[0]
        assert len(found("history_not_sealed", now=recorded + late)) == incidents

    @pytest.mark.parametrize(("late", "incidents"), [(48 * HOUR, 0), (48 * HOUR + MICROSECOND, 1)])
    def test_no_tip_was_kept_outside(self, db, tmp_path, late, incidents):
        key = key_in(tmp_path)
        happen()
        seal_all(key, now=NOW - 90 * DAY)
        Anchoring.objects.create(name="file:/y", batch=1, anchored_at=NOW - 90 * DAY)
        assert found("history_not_anchored") == []  # nothing has been sealed since
        happen(2)
        seal_all(key, now=NOW - late, limit=1)
        assert len(found("history_not_anchored")) == incidents
        # Another anchor that was told is enough; and without any, the first seal of all counts.
        Anchoring.objects.create(name="file:/x", batch=3, anchored_at=NOW)
        assert found("history_not_anchored") == []
        Anchoring.objects.all().delete()
        assert found("history_not_anchored") == ["not_anchored"]

    def test_a_mail_that_nobody_was_sent_keeps_no_tip(self, nina, tmp_path):
        key = key_in(tmp_path)
        seal_all(key, now=NOW - 3 * DAY)
        services.seal(key_file=tmp_path / "key.pem", anchors=(), clock=at(NOW - 3 * DAY))
        mails = Notification.objects.filter(mail="audit_tip")
        assert mails.get().recipient_id == nina.pk
        assert found("history_not_anchored") == ["not_anchored"]
        mails.update(state=NotificationState.FAILED)
        assert found("history_not_anchored") == ["not_anchored"]
        mails.update(state=NotificationState.SENT, sent_at=NOW - 2 * DAY)
        assert found("history_not_anchored") == []

    def test_an_anchor_could_not_keep_it(self, db):
        Anchoring.objects.create(name="file:/x", batch=1, anchored_at=NOW, error="no space left")
        assert found("history_not_anchored") == ["anchor:file:/x"]
        assert not Batch.objects.exists()


def test_every_alert_says_why_it_matters_how_to_fix_and_how_to_prevent_it():
    for kind in KINDS:
        said = (kind.name, kind.impact, kind.to_fix, kind.to_prevent, kind.description(1), kind.description(2))
        assert all(map(str, said)), kind.key


def test_every_default_lies_in_its_range():
    for kind in KINDS:
        assert all(one.least <= one.default <= one.most for one in kind.settings), kind.key


def test_the_documented_defaults():
    numbers = {kind.key: {one.name: (one.least, one.most, one.default) for one in kind.settings} for kind in KINDS}
    assert numbers["unused_roles"] == {"days": (0, 100, 30)}
    assert numbers["stale_accounts"] == {"days": (1, 365, 30)}
    assert numbers["too_many_global_administrators"] == {"count": (2, 100, 3), "percent": (0, 100, 10)}
    assert numbers["activated_too_often"]["count"] == (2, 100, 5)
    assert numbers["too_many_owners"] == {"count": (2, 100, 2), "percent": (0, 100, 3)}
    assert numbers["too_many_permanent_owners"] == {"count": (2, 100, 10), "percent": (0, 100, 10)}
