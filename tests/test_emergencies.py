"""Activating in an emergency: at once, shorter, stricter, and loud."""

from __future__ import annotations

from datetime import timedelta

import pytest

from approvals.models import EmergencyReview, Request, RequestApprover, Status, Verdict
from approvals.services.activations import Wanted
from approvals.services.emergencies import break_glass
from audit.kinds import Kind, Outcome
from audit.models import Event
from pim_portal.models import Notification
from pim_portal.notifications.catalogue import BY_NAME
from roles import ids
from roles.actors import Actor
from roles.models import Assignment, Audience, NotifiedAct, Purpose, SecondFactor, User
from roles.refusals import Refused
from roles.selectors.settings import Cell, settings_of
from roles.services.assignments import remove
from roles.services.settings import settings_to_copy
from roles.settings_words import parts_of
from tests.emergencies import break_it, glass_allowed
from tests.people import (
    DAY,
    EXCHANGE_ADMINISTRATOR,
    HOUR,
    MINUTE,
    NOW,
    OPERATOR,
    SECURITY_READER,
    acting,
    at,
    configure,
    decide,
    directory,
    give,
    group,
    make_eligible,
    person,
    request_activation,
    request_prolonging,
    role,
)
from tests.ticketing import check_of

pytestmark = pytest.mark.django_db

TICK = timedelta(microseconds=1)


@pytest.fixture
def eligible(ines: User, adam: User, petra: User) -> Assignment:
    return glass_allowed(ines, EXCHANGE_ADMINISTRATOR, adam)


def activations() -> list[Assignment]:
    return list(Assignment.objects.filter(activated_from__isnull=False).order_by("starts_at"))


def refused(user: User, eligibility: Assignment, **kwargs: object) -> set[str]:
    with pytest.raises(Refused) as refusal:
        break_it(user, eligibility, **kwargs)
    assert not activations()
    assert not EmergencyReview.objects.exists()
    return refusal.value.codes


class TestAtOnce:
    def test_it_is_active_now_and_somebody_reviews_it(self, ines, adam, eligible):
        request = break_it(ines, eligible)
        (activation,) = activations()
        assert (activation.starts_at, activation.ends_at) == (NOW, NOW + HOUR)
        assert activation.break_glass
        assert Assignment.objects.in_effect(NOW).filter(pk=activation.pk).exists()
        assert (request.status, request.break_glass, request.outcome) == (Status.GRANTED, True, activation)
        review = EmergencyReview.objects.get()
        assert (review.request, review.due_at, review.closed_at) == (request, NOW + DAY, None)
        assert [row.principal_id for row in RequestApprover.objects.all()] == [adam.pk]

    def test_the_settings_say_how_soon_it_is_reviewed(self, ines, adam, petra):
        eligible = glass_allowed(ines, EXCHANGE_ADMINISTRATOR, adam, break_glass_review_within=2 * HOUR)
        break_it(ines, eligible)
        assert EmergencyReview.objects.get().due_at == NOW + 2 * HOUR

    def test_the_history_has_an_event_of_its_own_in_the_same_transaction(self, ines, eligible, monkeypatch):
        break_it(ines, eligible, reason="database down")
        event = Event.objects.get(kind=Kind.EMERGENCY_STARTED)
        (activation,) = activations()
        assert (event.actor_id, event.assignment_id, event.authority_id) == (ines.pk, activation.pk, eligible.pk)
        assert event.text.fields["reason"] == "database down"
        assert event.details["review_due_at"] == (NOW + DAY).isoformat()
        assert Event.objects.get(kind=Kind.ACTIVATION_STARTED).details["break_glass"] is True

    def test_what_cannot_be_recorded_does_not_happen(self, ines, eligible, monkeypatch):
        from approvals.services import emergencies

        def broken(kind: Kind, **kwargs: object) -> None:
            raise OSError("no history")

        monkeypatch.setattr(emergencies, "record", broken)
        with pytest.raises(OSError, match="no history"):
            break_it(ines, eligible)
        assert not activations()
        assert not Request.objects.exists()

    def test_a_refused_attempt_is_in_the_history(self, ines, eligible):
        assert refused(ines, eligible, reason="") == {"reason_missing"}
        event = Event.objects.get(kind=Kind.EMERGENCY_STARTED)
        assert (event.outcome, event.details["refused"]) == (Outcome.REFUSED, ["reason_missing"])


class TestRules:
    def test_only_where_the_settings_allow_it(self, ines, adam, petra):
        eligible = make_eligible(ines, role(EXCHANGE_ADMINISTRATOR))
        configure(eligible.role, approvers=[adam])
        assert refused(ines, eligible) == {"no_emergency_access"}

    def test_what_needs_no_approval_is_activated_as_usual(self, ines, petra):
        eligible = make_eligible(ines, role(EXCHANGE_ADMINISTRATOR))
        configure(eligible.role, break_glass_allowed=True)
        assert refused(ines, eligible) == {"needs_no_approval"}

    def test_only_by_who_is_eligible(self, zoe, eligible):
        assert refused(zoe, eligible) == {"not_eligible"}

    def test_a_reason_is_required_where_the_settings_ask_for_none(self, ines, adam, petra):
        eligible = glass_allowed(ines, EXCHANGE_ADMINISTRATOR, adam, reason_required=False)
        for empty in ("", " \u200b\u3164"):
            assert refused(ines, eligible, reason=empty) == {"reason_missing"}

    def test_it_takes_a_code_of_its_own_where_the_settings_ask_for_none(self, ines, adam, petra):
        eligible = glass_allowed(ines, EXCHANGE_ADMINISTRATOR, adam, second_factor=SecondFactor.NONE)
        wanted = Wanted(duration=HOUR, reason="on fire")
        for actor in (
            Actor(user=ines),
            acting(ines, Purpose.SIGN_IN, eligible.pk),
            acting(ines, Purpose.ACTIVATE, eligible.pk),
            acting(ines, Purpose.BREAK_GLASS, ines.pk),
        ):
            with pytest.raises(Refused, match="second_factor"):
                break_glass(eligible.pk, wanted=wanted, actor=actor, clock=at(NOW))
        assert not activations()
        assert break_it(ines, eligible).status == Status.GRANTED

    def test_its_code_is_spent(self, ines, eligible):
        actor = acting(ines, Purpose.BREAK_GLASS, eligible.pk)
        wanted = Wanted(duration=10 * MINUTE, reason="on fire")
        break_glass(eligible.pk, wanted=wanted, actor=actor, clock=at(NOW))
        other = acting(ines, Purpose.BREAK_GLASS, eligible.pk)
        stale = Actor(user=ines, presented=None)
        with pytest.raises(Refused, match="second_factor"):
            break_glass(eligible.pk, wanted=wanted, actor=stale, clock=at(NOW + 20 * MINUTE))
        assert other.presented is not None

    @pytest.mark.parametrize("longest", [5 * MINUTE, 4 * HOUR])
    def test_it_lasts_as_long_as_an_emergency_may_and_not_a_microsecond_longer(self, ines, adam, petra, longest):
        eligible = glass_allowed(ines, EXCHANGE_ADMINISTRATOR, adam, break_glass_max=longest)
        hours = (longest + TICK) / HOUR
        assert refused(ines, eligible, hours=hours) == {"duration_too_long"}
        break_it(ines, eligible, hours=longest / HOUR)
        assert activations()[0].ends_at == NOW + longest

    def test_never_longer_than_an_ordinary_activation(self, ines, adam, petra):
        eligible = glass_allowed(
            ines, EXCHANGE_ADMINISTRATOR, adam, max_activation=30 * MINUTE, break_glass_max=4 * HOUR
        )
        assert refused(ines, eligible, hours=1) == {"duration_too_long"}

    def test_never_past_the_end_of_the_eligibility(self, ines, adam, petra):
        end = NOW + 20 * MINUTE
        eligible = make_eligible(ines, role(EXCHANGE_ADMINISTRATOR), ends_at=end)
        configure(eligible.role, approvers=[adam], break_glass_allowed=True)
        assert refused(ines, eligible, hours=1) == {"past_eligibility"}
        break_it(ines, eligible, hours=24 / 60)
        assert activations()[0].ends_at == end

    def test_it_begins_at_once(self, ines, eligible):
        assert refused(ines, eligible, start=NOW + HOUR) == {"starts_later"}

    def test_the_ticket_that_the_settings_ask_for_is_asked_for(self, ines, adam, petra):
        eligible = glass_allowed(
            ines, EXCHANGE_ADMINISTRATOR, adam, ticket_required=True, ticket_pattern="INC[0-9]+", ticket_verified=True
        )
        assert refused(ines, eligible) == {"ticket_missing"}
        assert "ticket_form" in refused(ines, eligible, ticket="CHG1")
        assert refused(ines, eligible, ticket="INC1") == {"ticket_unchecked"}
        check = check_of(ines, eligible, "INC1")
        assert break_it(ines, eligible, ticket="INC1", ticket_check=check).ticket == "INC1"

    def test_not_where_it_is_active_already(self, ines, eligible):
        break_it(ines, eligible)
        with pytest.raises(Refused, match="already_active"):
            break_it(ines, eligible)
        assert len(activations()) == 1

    def test_nobody_has_to_be_left_to_approve(self, ines, adam, petra):
        """What an ordinary activation is refused for is no hindrance: that is what an emergency is for."""
        eligible = glass_allowed(ines, EXCHANGE_ADMINISTRATOR, ines, adam)
        configure(eligible.role, approvers=[ines])
        with pytest.raises(Refused, match="nobody_to_approve"):
            request_activation(ines, eligible)
        assert break_it(ines, eligible).status == Status.GRANTED

    def test_through_a_group_it_is_the_person_who_activates(self, ines, adam, petra):
        team = group("Team", ines)
        eligible = glass_allowed(team, EXCHANGE_ADMINISTRATOR, adam)
        request = break_it(ines, eligible)
        assert request.principal_id == ines.pk

    def test_removing_the_eligibility_ends_it(self, ines, eligible):
        break_it(ines, eligible)
        remove(eligible.pk, actor=OPERATOR, clock=at(NOW + MINUTE))
        assert not Assignment.objects.in_effect(NOW + MINUTE).filter(activated_from=eligible).exists()

    def test_to_keep_it_longer_waits_for_approval(self, ines, eligible):
        break_it(ines, eligible)
        (activation,) = activations()
        request = request_prolonging(ines, activation, now=NOW + 30 * MINUTE)
        activation.refresh_from_db()
        assert (request.status, request.break_glass) == (Status.PENDING, False)
        assert activation.ends_at == NOW + HOUR


class TestWhatWaits:
    def test_a_request_that_waits_is_cancelled_with_its_own_event(self, ines, adam, eligible):
        waiting = request_activation(ines, eligible)
        break_it(ines, eligible, now=NOW + MINUTE)
        waiting.refresh_from_db()
        assert (waiting.status, waiting.decided_at) == (Status.CANCELLED, NOW + MINUTE)
        assert waiting.status_reason == "It was activated in an emergency instead."
        event = Event.objects.get(kind=Kind.REQUEST_CANCELLED)
        assert (event.request_id, event.actor_id) == (waiting.pk, ines.pk)
        with pytest.raises(Refused, match="cancelled"):
            decide(Verdict.APPROVE, waiting, adam, now=NOW + 2 * MINUTE)

    def test_a_refused_emergency_cancels_nothing(self, ines, eligible):
        waiting = request_activation(ines, eligible)
        with pytest.raises(Refused):
            break_it(ines, eligible, reason="")
        waiting.refresh_from_db()
        assert waiting.status == Status.PENDING

    def test_what_lapsed_is_written_down_as_that(self, ines, eligible):
        waiting = request_activation(ines, eligible)
        break_it(ines, eligible, now=waiting.lapses_at)
        waiting.refresh_from_db()
        assert waiting.status == Status.LAPSED

    def test_requests_of_others_and_for_other_roles_wait_on(self, ines, zoe, adam, eligible):
        make_eligible(zoe, eligible.role)
        theirs = request_activation(zoe, Assignment.objects.get(principal=zoe, role=eligible.role))
        other = glass_allowed(ines, SECURITY_READER, adam)
        mine = request_activation(ines, other)
        break_it(ines, eligible)
        for request in (theirs, mine):
            request.refresh_from_db()
            assert request.status == Status.PENDING


class TestMails:
    def told(self, name: str) -> list[str]:
        rows = Notification.objects.filter(mail=name).order_by("recipient__name")
        return [row.recipient.name if row.recipient else row.address for row in rows]

    def test_everybody_who_would_have_approved_and_the_administrators_are_told(self, ines, adam, berta, petra, zoe):
        eligible = glass_allowed(ines, EXCHANGE_ADMINISTRATOR)
        configure(eligible.role, approvers=[[adam], [berta]])
        sven = person("sven")
        give(sven, role(ids.SECURITY_ADMINISTRATOR))
        break_it(ines, eligible)
        assert self.told("emergency_started") == ["Adam", "Berta", "Petra", "Sven"]
        assert self.told("request_waits") == []

    def test_the_holder_is_not_told_where_they_administer(self, ines, adam, petra):
        give(ines, role(ids.SECURITY_ADMINISTRATOR))
        break_it(ines, glass_allowed(ines, EXCHANGE_ADMINISTRATOR, adam, ines))
        assert self.told("emergency_started") == ["Adam", "Petra"]

    def test_no_setting_keeps_it_from_anybody(self, ines, adam, petra):
        quiet = tuple(
            Cell(act, audience, default_recipients=False, critical_only=True)
            for act in NotifiedAct
            for audience in Audience
        )
        eligible = glass_allowed(ines, EXCHANGE_ADMINISTRATOR, adam)
        configure(eligible.role, cells=quiet)
        break_it(ines, eligible)
        assert self.told("emergency_started") == ["Adam", "Petra"]

    @pytest.mark.parametrize("name", ["emergency_started", "emergency_overdue"])
    def test_nobody_can_quiet_it(self, name):
        mail = BY_NAME[name]
        assert mail.topic is None
        assert mail.asks
        assert mail.audience is None

    def test_administrators_do_not_hear_of_it_twice(self, ines, adam, petra):
        """Activations of a privileged role are told at once: this one by its own mail, and to the addresses."""
        cells = (Cell(NotifiedAct.ACTIVATED, Audience.ADMINISTRATORS, additional=("soc@example.org",)),)
        eligible = glass_allowed(ines, ids.SECURITY_ADMINISTRATOR, adam)
        configure(eligible.role, cells=cells)
        assert eligible.role.privileged
        break_it(ines, eligible)
        assert self.told("role_activated") == ["soc@example.org"]


class TestSettings:
    def test_they_are_copied_said_and_told_in_the_history(self, petra, adam):
        source, other = role(EXCHANGE_ADMINISTRATOR), role(SECURITY_READER)
        configure(source, approvers=[adam], break_glass_allowed=True, break_glass_max=2 * HOUR)
        configure(other, **settings_to_copy(settings_of(source, directory()))["values"])
        settings = settings_of(other, directory())
        assert (settings.break_glass_allowed, settings.break_glass_max) == (True, 2 * HOUR)
        said = {line.label: line.words for line in parts_of(settings, {})[0].lines}
        assert said["Emergency access"] == "Allowed"
        assert said["Maximum duration in an emergency"] == "2 h"
        assert said["An emergency is reviewed within"] == "24 h"
        told = Event.objects.filter(kind=Kind.ROLE_SETTINGS_CHANGED, role_id=other.pk).latest("id").details
        assert (told["old"]["break_glass_allowed"], told["new"]["break_glass_allowed"]) == (False, True)

    def test_they_are_not_said_where_nobody_approves(self, petra):
        configure(role(SECURITY_READER), break_glass_allowed=True)
        keys = {line.key for line in parts_of(settings_of(role(SECURITY_READER), directory()), {})[0].lines}
        assert not {one for one in keys if one.startswith("break_glass")}
