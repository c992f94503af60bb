"""The sample organisation loads through the services, and once only."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from django.apps import apps
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from approvals.models import Action, Decision, Request, Status
from audit.kinds import Kind
from audit.models import Event
from pim_portal.demo.loader import PASSWORD, load
from pim_portal.demo.sample import SampleOrganisation, SampleRequest, asked
from pim_portal.models import Notification
from pim_portal.setup.services import is_set_up
from roles.models import Assignment, EndReason, PrincipalKind, ResourceKind, User
from roles.selectors.administrators import lasting_administrators

pytestmark = [pytest.mark.slow, pytest.mark.django_db, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def now(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[datetime]:
    """The moment at which the sample organisation was loaded, for every test of this page."""
    moment = timezone.now()
    with django_db_blocker.unblock(), transaction.atomic():
        load(moment)
        yield moment
        transaction.set_rollback(True)


def test_every_line_of_the_file_is_there(now: datetime) -> None:
    sample = SampleOrganisation()

    assert User.objects.count() == len(sample.people)
    assert Request.objects.count() == len(sample.requests) + len(sample.renewals) + sum(
        one.waits for one in sample.settings_changes
    )
    given = Assignment.objects.filter(activated_from=None).exclude(role__kind="group")
    assert given.count() == len(sample.assignments) + 1  # what the review of resources removes


def test_loading_again_changes_nothing(now: datetime) -> None:
    def counts() -> dict[str, int]:
        return {model.__name__: model._default_manager.count() for model in apps.get_models()}

    before = counts()

    assert load(timezone.now()) is None
    assert counts() == before


def test_every_kind_of_assignment_is_there(now: datetime) -> None:
    rows = Assignment.objects.filter(activated_from=None)
    kinds = {
        "permanent eligible": Q(type="eligible", ends_at=None),
        "permanent active": Q(type="active", ends_at=None),
        "expire eligible": Q(type="eligible", ends_at__isnull=False),
        "expire active": Q(type="active", ends_at__isnull=False),
        "through a group": Q(principal__kind=PrincipalKind.GROUP),
        "at the directory": Q(resource__kind=ResourceKind.DIRECTORY),
        "at an administrative unit": Q(resource__kind=ResourceKind.ADMINISTRATIVE_UNIT),
        "at a management group": Q(resource__kind=ResourceKind.MANAGEMENT_GROUP),
        "at a resource": Q(resource__kind=ResourceKind.RESOURCE),
        "about to end": Q(ended_at=None, ends_at__lt=now + timedelta(days=14)),
        "not begun": Q(starts_at__gt=now),
        "expired": Q(end_reason=EndReason.EXPIRED),
        "removed": Q(end_reason=EndReason.REMOVED),
        "ended with its holder": Q(end_reason=EndReason.PERSON_DISABLED),
    }

    assert {name for name, kind in kinds.items() if not rows.filter(kind).exists()} == set()


def test_requests_are_there_in_every_status_that_people_can_bring_about(now: datetime) -> None:
    # A request fails only when what it rests on changes under it; no service does that yet.
    assert set(Request.objects.values_list("status", flat=True)) == set(Status) - {Status.FAILED}


def test_nobody_decided_their_own_request(now: datetime) -> None:
    own = Q(approver=F("request__principal")) | Q(approver=F("request__requestor"))

    assert Decision.objects.exists()
    assert not Decision.objects.filter(own).exists()


def test_every_activation_lies_inside_its_eligibility(now: datetime) -> None:
    behind = "activated_from__"
    outside = (
        Q(starts_at__lt=F(f"{behind}starts_at"))
        | Q(**{f"{behind}ends_at__lt": F("ends_at")})
        | ~Q(role=F(f"{behind}role"))
    )
    activations = Assignment.objects.filter(activated_from__isnull=False)

    assert activations.exists()
    assert not activations.filter(outside).exists()


def test_every_granted_request_has_its_outcome_and_nothing_else_was_activated(now: datetime) -> None:
    granted = Request.objects.filter(status=Status.GRANTED)

    activations = Assignment.objects.filter(activated_from__isnull=False)
    assert set(granted.values_list("outcome", flat=True)) == set(activations.values_list("pk", flat=True))


def test_what_is_over_was_written_down(now: datetime) -> None:
    assert not Assignment.objects.overdue(now.replace(second=0, microsecond=0)).exists()
    assert not Request.objects.pending().filter(lapses_at__lte=now).exists()


def test_some_roles_run_and_some_requests_wait(now: datetime) -> None:
    assert Assignment.objects.in_effect(now).filter(activated_from__isnull=False).count() >= 8
    waiting = Request.objects.waiting(now)
    assert waiting.filter(action=Action.ACTIVATE).count() == 6
    assert set(waiting.exclude(action=Action.ACTIVATE).values_list("action", flat=True)) == {
        "extend",
        "renew",
        "change_settings",
    }


def test_the_history_stands_in_the_order_in_which_it_happened(now: datetime) -> None:
    times = list(Event.objects.order_by("pk").values_list("occurred_at", flat=True))

    assert times == sorted(times)
    assert times[-1] <= now


def test_no_attempt_of_the_sample_people_was_refused(now: datetime) -> None:
    assert not Event.objects.exclude(outcome="done").exists()


def test_what_administrators_did_names_the_authority_for_it(now: datetime) -> None:
    given = Event.objects.filter(kind=Kind.ASSIGNMENT_ADDED, actor_id__isnull=False)

    assert given.exists()
    assert not given.filter(authority_id=None).exists()


def test_mails_wait_for_what_happened_lately_and_nothing_older(now: datetime) -> None:
    told = Notification.objects.filter(mail="request_waits", event__request_id__in=Request.objects.waiting(now))

    assert told.exists()
    assert not Notification.objects.filter(event__occurred_at__lt=now - timedelta(days=1)).exists()


def test_the_portal_is_set_up_and_administered_for_good(now: datetime) -> None:
    assert is_set_up()
    assert len(lasting_administrators(now)) >= 2


def test_everybody_has_the_password_that_is_shown(now: datetime) -> None:
    assert User.objects.get(username="ines").check_password(PASSWORD)
    assert len(set(User.objects.values_list("password", flat=True))) == 1


@pytest.mark.parametrize("hour", range(0, 24, 5))
@pytest.mark.parametrize("day", range(1, 8))
def test_what_is_over_lies_in_the_past_whenever_it_is_loaded(day: int, hour: int) -> None:
    moment = datetime(2027, 2, day, hour, 30, tzinfo=UTC)

    for row in SampleOrganisation().requests:
        assert row.asked_at(moment) <= moment
        assert row.minutes_ago is not None or _over(row, moment)


def _over(row: SampleRequest, moment: datetime) -> bool:
    minutes = row.closed_after_minutes + (row.minutes if row.outcome == "granted" else 0)
    asked = row.asked_at(moment)
    return asked + timedelta(minutes=minutes) <= moment and asked.weekday() == row.weekday


def test_whenever_it_is_loaded_nobody_asks_for_what_they_have():
    """Some is told by the day of the week, some by minutes ago: every ten minutes of two weeks they stay apart."""
    requests, begin = SampleOrganisation().requests, datetime(2026, 11, 23, tzinfo=UTC)
    for step in range(14 * 24 * 6):
        now = begin + timedelta(minutes=10 * step)
        spans: dict[tuple[str, str, str], list[tuple[datetime, datetime]]] = {}
        for row, at in asked(requests, now):
            minutes = row.closed_after_minutes
            if row.outcome == "granted" or row.emergency:
                minutes += row.minutes if row.deactivated_after_minutes is None else row.deactivated_after_minutes
            spans.setdefault(row.slot, []).append((at, at + timedelta(minutes=minutes)))
        for slot, of_slot in spans.items():
            of_slot.sort()
            for (_at, over), (later, _over) in pairwise(of_slot):
                assert over <= later, (now, slot)
