"""Reminders: what falls due by the clock is told once, however often and late the sweep runs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from django.core import mail
from django.utils import timezone

from approvals.models import Request
from approvals.selectors.showing import shown_digest
from approvals.services.decisions import approve
from pim_portal.models import Due, DueItem, Notification, NotificationState
from pim_portal.notifications.catalogue import DUE_MAILS
from pim_portal.notifications.outbox import deliver
from pim_portal.notifications.reminders import remind
from roles import ids
from roles.models import Assignment, Audience, NotifiedAct, Purpose, User
from roles.selectors.settings import Cell
from roles.services.assignments import remove
from roles.services.changes import change
from roles.services.principals import disable_person, enable_person
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
    give,
    group,
    make_eligible,
    person,
    request_activation,
    role,
)
from tests.races import at_once

TICK = timedelta(microseconds=1)


def told(name: str, now: datetime) -> list[str]:
    """Sweep at `now`; say who stands in the outbox for this mail."""
    remind(clock=at(now))
    rows = Notification.objects.filter(mail=name).order_by("recipient__name")
    return [row.recipient.name for row in rows]


def sent_at(now: datetime) -> list[str]:
    """Send all that waits at `now`; return the subjects."""
    before = len(mail.outbox)
    Notification.objects.filter(state=NotificationState.WAITING).update(next_attempt_at=now)
    deliver(clock=at(now))
    return [str(message.subject) for message in mail.outbox[before:]]


@pytest.fixture
def ending(ines: User, petra: User) -> Assignment:
    """Ines is eligible for 100 more days; what was told of that is forgotten."""
    row = make_eligible(ines, role(EXCHANGE_ADMINISTRATOR), ends_at=NOW + 100 * DAY)
    Notification.objects.all().delete()
    return row


END = NOW + 100 * DAY


# The end of an assignment


def test_two_weeks_and_a_day_before_the_end_holder_and_administrators_are_reminded_once_each(ending):
    assert told("ends_soon", END - 14 * DAY - TICK) == []
    assert told("ends_soon", END - 14 * DAY) == ["Ines"]
    assert told("ends_soon", END - 14 * DAY) == ["Ines"]
    assert told("ends_soon", END - DAY - TICK) == ["Ines"]
    assert told("ends_soon", END - DAY) == ["Ines", "Ines"]
    assert told("ends_soon", END - TICK) == ["Ines", "Ines"]
    assert told("ends_soon_for", END - TICK) == ["Petra", "Petra"]


def test_the_mail_says_when_it_ends(ending):
    told("ends_soon", END - 14 * DAY)
    assert sent_at(END - 14 * DAY) == [
        "PIM: Your eligibility for the Exchange Administrator role ends in 14 days",
        "PIM: Ines’s eligibility for the Exchange Administrator role ends in 14 days",
    ]


def test_who_has_it_through_a_group_is_not_told_to_ask_for_what_only_others_may(ines, petra):
    team = group("Night shift", ines)
    make_eligible(team, role(EXCHANGE_ADMINISTRATOR), ends_at=END)
    Notification.objects.all().delete()
    assert told("ends_soon", END - DAY) == ["Ines"]
    sent_at(END - DAY)
    text = next(one.body for one in mail.outbox if one.subject.startswith("PIM: Your eligibility"))
    assert "ask for more time" not in text
    assert "ask an owner of the group Night shift, or an administrator" in " ".join(text.split())


def test_after_an_outage_the_reminder_still_comes_and_says_how_long_is_left(ending):
    told("ends_soon", END - 5 * DAY)
    assert sent_at(END - 5 * DAY)[0].endswith("ends in 5 days")


def test_after_a_long_outage_only_the_last_reminder_comes(ending):
    assert told("ends_soon", END - 20 * HOUR) == ["Ines"]
    assert set(DueItem.objects.values_list("kind", flat=True)) == {Due.ENDS_TOMORROW, Due.ENDS_IN_TWO_WEEKS}


def test_after_the_end_nothing_is_reminded_of(ending):
    assert told("ends_soon", END) == []
    assert not DueItem.objects.exists()


def test_a_reminder_that_is_sent_too_late_is_not_sent(ending):
    told("ends_soon", END - DAY)
    assert sent_at(END) == []
    assert set(Notification.objects.values_list("state", flat=True)) == {NotificationState.DROPPED}


def test_what_was_given_for_a_few_days_needs_no_reminder_two_weeks_before(ines):
    give(ines, role(ids.GLOBAL_READER), starts_at=NOW, ends_at=NOW + 5 * DAY)
    assert told("ends_soon", NOW + HOUR) == []
    assert told("ends_soon", NOW + 4 * DAY) == ["Ines"]


def test_an_end_that_was_moved_is_reminded_of_anew_and_only_where_there_is_time(ending):
    assert told("ends_soon", END - 14 * DAY) == ["Ines"]
    now = END - 10 * DAY
    change(ending.pk, ends_at=END + 60 * DAY, reason="goes on", actor=OPERATOR, clock=at(now))
    assert sent_at(now) == [
        "PIM: Your time with the Exchange Administrator role was extended",
        "PIM: Ines keeps the Exchange Administrator role for longer",
    ]
    assert told("ends_soon", END) == ["Ines"]
    assert told("ends_soon", END + 46 * DAY) == ["Ines", "Ines"]


def test_an_end_that_comes_nearer_is_told_by_its_own_mail(ending):
    change(ending.pk, ends_at=NOW + 5 * DAY, reason="shorter", actor=OPERATOR, clock=at(NOW))
    assert told("ends_soon", NOW + HOUR) == []
    assert told("ends_soon", NOW + 4 * DAY) == ["Ines"]


def test_what_was_removed_or_suspended_is_not_reminded_of(ending, ines):
    disable_person(ines.pk, reason="leave", actor=OPERATOR, clock=at(NOW))
    assert told("ends_soon", END - 14 * DAY) == []
    enable_person(ines.pk, actor=OPERATOR, clock=at(END - 14 * DAY))
    assert told("ends_soon", END - 13 * DAY) == ["Ines"]
    remove(ending.pk, actor=OPERATOR, clock=at(END - 12 * DAY))
    assert told("ends_soon", END - DAY) == ["Ines"]


def test_the_members_of_a_group_are_reminded_of_what_the_group_holds(ines, adam, petra):
    team = group("Night shift", ines, adam)
    make_eligible(team, role(EXCHANGE_ADMINISTRATOR), ends_at=END)
    assert told("ends_soon", END - 14 * DAY) == ["Adam", "Ines"]


def test_the_cells_of_the_role_hold_for_reminders(ending):
    cells = (
        Cell(NotifiedAct.ASSIGNED_ELIGIBLE, Audience.HOLDER, default_recipients=False, additional=("hr@x.example",)),
        Cell(NotifiedAct.ASSIGNED_ELIGIBLE, Audience.ADMINISTRATORS, critical_only=True),
    )
    configure(ending.role, cells=cells)
    Notification.objects.all().delete()
    remind(clock=at(END - 14 * DAY))
    assert list(Notification.objects.values_list("mail", "address")) == [("ends_soon", "hr@x.example")]
    assert sent_at(END - 14 * DAY) == ["PIM: Ines’s eligibility for the Exchange Administrator role ends in 14 days"]


# The end of an activation


@pytest.mark.parametrize(("minutes", "before"), [(480, 15), (60, 15), (30, 15), (20, 10), (5, 2.5)])
def test_an_activation_is_announced_to_end_shortly_before(ines, eligibility, minutes, before):
    request_activation(ines, eligibility, hours=minutes / 60)
    due = NOW + minutes * MINUTE - before * MINUTE
    assert told("activation_ends_soon", due - TICK) == []
    assert told("activation_ends_soon", due) == ["Ines"]
    assert told("activation_ends_soon", NOW + minutes * MINUTE) == ["Ines"]


def test_the_announcement_says_when(ines, eligibility):
    request_activation(ines, eligibility, hours=1)
    Notification.objects.all().delete()
    told("activation_ends_soon", NOW + 45 * MINUTE)
    assert sent_at(NOW + 46 * MINUTE) == ["PIM: Your activation of the Exchange Administrator role ends in 14 min"]


def test_an_activation_that_is_over_is_announced_no_more(ines, eligibility):
    request_activation(ines, eligibility, hours=1)
    assert told("activation_ends_soon", NOW + HOUR) == []


# A request that waits


@pytest.fixture
def pending(ines: User, with_approval: Assignment) -> Request:
    """Adam and Berta were asked for 24 hours, by mail."""
    Notification.objects.all().delete()
    request = request_activation(ines, with_approval)
    sent_at(NOW + MINUTE)
    return request


def test_half_way_through_who_has_not_answered_is_reminded_once(pending, adam):
    assert told("still_waits", NOW + 12 * HOUR - TICK) == []
    assert told("still_waits", NOW + 12 * HOUR) == ["Adam", "Berta"]
    assert told("still_waits", NOW + 20 * HOUR) == ["Adam", "Berta"]
    assert (
        sent_at(NOW + 12 * HOUR)
        == ["PIM: Reminder: Review Ines’s request to activate the Exchange Administrator role"] * 2
    )


def test_after_its_window_nobody_is_reminded(pending):
    assert told("still_waits", NOW + 24 * HOUR) == []


def test_a_decision_after_the_reminder_was_written_makes_it_needless(pending, adam):
    told("still_waits", NOW + 12 * HOUR)
    now = NOW + 12 * HOUR + MINUTE
    actor = acting(adam, Purpose.DECIDE, pending.pk, now=now)
    approve(pending.pk, actor=actor, justification="fine", seen=shown_digest(pending), clock=at(now))
    assert not [subject for subject in sent_at(now) if "Reminder" in subject]


def test_who_answered_is_not_reminded(ines, adam, berta, eligibility):
    configure(eligibility.role, approvers=[adam, berta], quorum=2)
    request = request_activation(ines, eligibility)
    actor = acting(adam, Purpose.DECIDE, request.pk, now=NOW + HOUR)
    approve(request.pk, actor=actor, justification="fine", seen=shown_digest(request), clock=at(NOW + HOUR))
    assert told("still_waits", NOW + 12 * HOUR) == ["Berta"]


def test_who_was_asked_in_the_second_half_is_not_reminded_at_once(ines, adam, berta, eligibility):
    configure(eligibility.role, approvers=[[adam], [berta]])
    request = request_activation(ines, eligibility)
    late = NOW + 13 * HOUR
    actor = acting(adam, Purpose.DECIDE, request.pk, now=late)
    approve(request.pk, actor=actor, justification="fine", seen=shown_digest(request), clock=at(late))
    assert told("still_waits", late) == []


def test_an_approver_whom_the_first_mail_has_not_reached_gets_no_reminder_beside_it(ines, with_approval):
    request_activation(ines, with_approval)
    told("still_waits", NOW + 12 * HOUR)
    subjects = sent_at(NOW + 12 * HOUR)
    assert len([subject for subject in subjects if "Review" in subject]) == 2
    assert not [subject for subject in subjects if "Reminder" in subject]


# Sweeps


def test_a_sweep_takes_a_part_and_the_next_one_the_rest(petra):
    for number in range(5):
        give(person(f"user{number}"), role(ids.GLOBAL_READER), ends_at=END)
    Notification.objects.all().delete()
    assert [remind(clock=at(END - DAY), limit=3) for _each in range(5)] == [3, 3, 3, 1, 0]
    assert Notification.objects.filter(mail="ends_soon").count() == 5


def test_one_whose_mails_cannot_be_written_keeps_no_other_from_being_reminded(petra, monkeypatch):
    first, *others = [give(person(f"user{n}"), role(ids.GLOBAL_READER), ends_at=END + n * MINUTE) for n in range(3)]
    Notification.objects.all().delete()
    (holders, *more) = DUE_MAILS[Due.ENDS_TOMORROW]

    def failing(subject: Assignment | Request, now: datetime) -> Iterable[User]:
        if subject.pk == first.pk:
            raise LookupError("Nobody is found.")
        return holders.to(subject, now)

    monkeypatch.setitem(DUE_MAILS, Due.ENDS_TOMORROW, (replace(holders, to=failing), *more))
    with pytest.raises(LookupError, match="Nobody is found"):
        remind(clock=at(END - DAY + HOUR))
    written = DueItem.objects.filter(kind=Due.ENDS_TOMORROW).values_list("subject_id", flat=True)
    assert set(written) == {one.pk for one in others}


@pytest.mark.django_db(transaction=True)
def test_sweeps_at_the_same_time_remind_once():
    now = timezone.now()
    for number in range(6):
        give(person(f"user{number}", now=now), role(ids.GLOBAL_READER), ends_at=now + 2 * HOUR, now=now)
    results = at_once(*[lambda: remind(clock=at(now))] * 3)
    assert [one.error for one in results] == [None] * 3
    assert Notification.objects.filter(mail="ends_soon").count() == 6
