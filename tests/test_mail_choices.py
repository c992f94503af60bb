"""What people choose of their mails, the digest that gathers the rest, and the operators' list of mails."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.core import mail
from django.urls import reverse
from django.utils import timezone

from audit.kinds import Kind, Outcome
from audit.models import Event
from pim_portal.models import Delivery, DueItem, Notification, NotificationChoice, NotificationState, Topic
from pim_portal.notifications import digest, digests
from pim_portal.notifications.catalogue import BY_NAME
from pim_portal.notifications.digests import readers, week_before, write_digests
from pim_portal.notifications.forms import GROUPS
from pim_portal.notifications.matrix import Addressees
from pim_portal.notifications.outbox import deliver
from pim_portal.notifications.rows import Cause, rows_for
from pim_portal.notifications.services import choose, send_again
from reviews.models import Opinion
from roles import ids
from roles.actors import Actor
from roles.models import User
from roles.refusals import Refused
from roles.services.assignments import remove
from roles.services.principals import disable_person
from tests.people import (
    DAY,
    EXCHANGE_ADMINISTRATOR,
    HOUR,
    MINUTE,
    NOW,
    OPERATOR,
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
from tests.reviewing import chosen, row_of, say, started
from tests.visitors import visiting

MONDAY = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)  # NOW is the same day, at noon
LAST_WEEK = MONDAY - 3 * DAY
SENT, DROPPED, GATHERED = NotificationState.SENT, NotificationState.DROPPED, NotificationState.GATHERED
FAILED, WAITING = NotificationState.FAILED, NotificationState.WAITING


def likes(user: User, **ways: str) -> None:
    """Choose, as this person does on their page."""
    choose({Topic(topic): Delivery(way) for topic, way in ways.items()}, actor=Actor(user=user), clock=at(NOW))


def send(now: datetime = NOW) -> list[mail.EmailMessage]:
    before = len(mail.outbox)
    Notification.objects.filter(state=WAITING).update(next_attempt_at=now)
    deliver(clock=at(now))
    return mail.outbox[before:]


def digest_for(user: User, now: datetime = NOW) -> str:
    """Write and send the digests that are due; return the text of this person's, empty when there was none."""
    Notification.objects.filter(state=WAITING).delete()
    write_digests(clock=at(now))
    return next((str(one.body) for one in send(now) if one.to == [user.email] and "Your week" in one.subject), "")


# Choosing


def test_what_is_quieted_is_not_sent(ines):
    likes(ines, my_roles="never")
    make_eligible(ines, role(EXCHANGE_ADMINISTRATOR))
    assert send() == []
    assert Notification.objects.get(mail="assignment_added").state == DROPPED


def test_a_choice_holds_for_what_is_already_waiting(ines):
    make_eligible(ines, role(EXCHANGE_ADMINISTRATOR))
    likes(ines, my_roles="never")
    assert send() == []


def test_what_waits_for_somebody_cannot_be_quieted(ines, adam, with_approval):
    likes(adam, **dict.fromkeys(Topic, "never"))
    Notification.objects.all().delete()
    request_activation(ines, with_approval)
    assert ["adam@example.org"] in [one.to for one in send()]


def test_news_of_how_one_signs_in_cannot_be_quieted():
    assert not [name for name, one in BY_NAME.items() if name.startswith(("factor", "recovery", "reset")) and one.topic]
    assert BY_NAME["password_changed"].topic is None
    assert BY_NAME["access_elevated"].topic is None


def test_every_topic_has_mails_and_stands_on_the_page():
    assert {one.topic for one in BY_NAME.values()} - {None} == set(Topic)
    assert [topic for _title, topics in GROUPS for topic in topics] == list(Topic)


def test_a_choice_is_in_the_history_and_the_usual_leaves_no_row(ines):
    likes(ines, my_roles="never", decided="digest")
    likes(ines, my_roles="at_once")
    assert dict(NotificationChoice.objects.values_list("topic", "delivery")) == {"decided": "digest"}
    chosen = [event.details["chosen"] for event in Event.objects.filter(kind=Kind.NOTIFICATIONS_CHOSEN).order_by("id")]
    assert chosen == [{"my_roles": "never", "decided": "digest"}, {"my_roles": "at_once"}]
    likes(ines, my_roles="at_once")
    assert Event.objects.filter(kind=Kind.NOTIFICATIONS_CHOSEN).count() == 2


def test_what_is_about_to_end_cannot_wait_for_the_digest(ines):
    with pytest.raises(Refused, match="not_in_the_digest"):
        likes(ines, my_ends="digest")
    assert Event.objects.filter(kind=Kind.NOTIFICATIONS_CHOSEN, outcome=Outcome.REFUSED).exists()


def test_administrators_hear_of_other_activations_at_once_only_where_they_chose_so(ines, petra, paul, eligibility):
    eligibility.role.privileged = False
    eligibility.role.save()
    likes(paul, other_activations="at_once")
    Notification.objects.all().delete()
    request_activation(ines, eligibility)
    assert [(one.to, one.subject) for one in send()] == [
        (["paul@example.org"], "PIM: Ines activated the Exchange Administrator role")
    ]


def test_the_page_shows_and_saves_a_choice(ines):
    client = visiting(ines)
    page = client.get(reverse("notifications"))
    assert page.status_code == 200
    values = {topic.value: "at_once" for topic in Topic} | {"my_roles": "digest"}
    answer = client.post(reverse("notifications"), values)
    assert answer.status_code == 302
    assert dict(NotificationChoice.objects.values_list("topic", "delivery"))["my_roles"] == "digest"


def test_the_page_refuses_what_is_no_choice(ines):
    answer = visiting(ines).post(reverse("notifications"), {"my_roles": "sometimes"})
    assert answer.status_code == 422
    assert not NotificationChoice.objects.exists()


def test_a_mail_that_can_be_quieted_says_where(ines):
    make_eligible(ines, role(EXCHANGE_ADMINISTRATOR))
    (message,) = send()
    assert "http://localhost:8000/account/notifications/" in message.body


# The digest


@pytest.fixture
def week(ines: User, petra: User) -> User:
    """Last week Ines activated Exchange Administrator; next week an eligibility of hers ends. Petra administers."""
    eligibility = make_eligible(ines, role(EXCHANGE_ADMINISTRATOR))
    request_activation(ines, eligibility, now=LAST_WEEK)
    make_eligible(ines, role(ids.GLOBAL_READER), ends_at=NOW + 6 * DAY)
    return petra


def test_the_digest_tells_what_happened_and_what_ends(week):
    text = digest_for(week)
    assert "Ines: Exchange Administrator" in text
    assert "Activations: 1" in text
    assert "Ines: eligible for Global Reader: 29 Nov 2026, 12:00" in text
    assert "needed" not in text


def test_the_digest_comes_once_on_monday_morning_of_its_reader(week):
    User.objects.filter(pk=week.pk).update(time_zone="America/New_York")
    assert digest_for(week, MONDAY + 5 * HOUR - MINUTE) == ""
    assert digest_for(week, MONDAY + 5 * HOUR) != ""
    assert digest_for(week, MONDAY + 6 * HOUR) == ""
    assert digest_for(week, MONDAY + 6 * DAY) == ""
    assert DueItem.objects.filter(subject_id=week.pk).count() == 1


def test_one_digest_that_cannot_be_written_keeps_no_other_waiting(week, zoe, monkeypatch):
    give(zoe, role(ids.PRIVILEGED_ROLE_ADMINISTRATOR))
    first, *others = readers(NOW, week_before(NOW))

    def failing(mail: str, cause: Cause, found: Addressees) -> Iterator[Notification]:
        if first in found.people:
            raise LookupError("Nobody is found.")
        return rows_for(mail, cause, found)

    monkeypatch.setattr(digests, "rows_for", failing)
    with pytest.raises(LookupError, match="Nobody is found"):
        write_digests(clock=at(NOW))
    assert others
    assert set(DueItem.objects.values_list("subject_id", flat=True)) == {one.pk for one in others}


def test_a_week_is_from_monday_to_sunday_wherever_its_reader_is(week):
    week.time_zone = "America/Sao_Paulo"
    week.save(update_fields=["time_zone"])
    assert digest_for(week, MONDAY + DAY).startswith("Your week: 16 Nov 2026 to 22 Nov 2026")


def test_a_digest_says_what_may_be_seen_when_it_is_sent(week, zoe):
    held = give(zoe, role(ids.PRIVILEGED_ROLE_ADMINISTRATOR))
    Notification.objects.filter(state=WAITING).delete()
    write_digests(clock=at(NOW))
    remove(held.pk, actor=OPERATOR, clock=at(NOW + MINUTE))
    subjects = {tuple(one.to): one.subject for one in send(NOW + 2 * MINUTE)}
    assert "Your week" in subjects["petra@example.org",]
    assert "Your week" not in subjects["zoe@example.org",]  # only that the role is gone


def test_each_digest_tells_of_its_readers_worlds_only(week):
    (root,) = tree("Contoso")
    olga, hugo = person("olga"), person("hugo")
    give(olga, role(ids.OWNER), root)
    configure(role(ids.READER), root, permanent_eligible_allowed=True)
    eligibility = make_eligible(hugo, role(ids.READER), root)
    request_activation(hugo, eligibility, now=LAST_WEEK)

    Notification.objects.filter(state=WAITING).delete()
    write_digests(clock=at(NOW))
    texts = {one.to[0]: str(one.body) for one in send() if "Your week" in one.subject}

    assert set(texts) == {"petra@example.org", "olga@example.org"}
    assert "Hugo: Reader at Contoso" in texts["olga@example.org"]
    assert "Ines" not in texts["olga@example.org"]
    assert "Hugo" not in texts["petra@example.org"]


def test_who_administers_nothing_and_kept_nothing_gets_no_digest(week, ines):
    assert digest_for(ines) == ""
    assert not DueItem.objects.filter(subject_id=ines.pk).exists()


def test_a_digest_with_nothing_to_tell_is_not_sent(petra):
    assert digest_for(petra) == ""
    assert Notification.objects.get(mail="digest").state == DROPPED


def test_who_quieted_the_digest_gets_none(week):
    likes(week, digest="never")
    assert digest_for(week) == ""


def test_what_was_kept_for_a_digest_that_is_not_needed_is_not_needed_either(ines):
    likes(ines, my_roles="digest", digest="never")
    make_eligible(ines, role(EXCHANGE_ADMINISTRATOR))
    send()
    assert digest_for(ines, MONDAY + 7 * DAY) == ""
    kept = Notification.objects.get(mail="assignment_added")
    assert (kept.state, kept.last_error) == (DROPPED, "The recipient wants no mails of this kind.")


def test_what_was_kept_for_somebody_who_was_disabled_since_is_not_needed_any_more(ines, petra):
    likes(ines, my_roles="digest")
    make_eligible(ines, role(EXCHANGE_ADMINISTRATOR))
    send()
    disable_person(ines.pk, reason="left", actor=OPERATOR, clock=at(NOW))
    assert digest_for(ines, MONDAY + 7 * DAY) == ""
    assert not Notification.objects.filter(state=GATHERED).exists()


def test_what_was_kept_comes_with_the_digest_and_is_sent_then(ines):
    likes(ines, my_roles="digest")
    Notification.objects.all().delete()
    make_eligible(ines, role(EXCHANGE_ADMINISTRATOR))
    assert send() == []
    kept = Notification.objects.get(mail="assignment_added")
    assert kept.state == GATHERED

    text = digest_for(ines)

    assert "You were made eligible for the Exchange Administrator role" in text
    kept.refresh_from_db()
    assert kept.state == SENT
    assert digest_for(ines, NOW + 7 * DAY) == ""


def test_the_digest_says_what_waits(week, ines):
    other = make_eligible(ines, role(ids.SECURITY_READER))
    configure(other.role, approvers=[week])
    request_activation(ines, other)
    assert "Ines asks for Security Reader" in digest_for(week)


def test_no_two_lines_of_the_digest_in_a_row_are_empty(week, ines):
    other = make_eligible(ines, role(ids.SECURITY_READER))
    configure(other.role, approvers=[week])
    request_activation(ines, other)
    assert "\n\n\n" not in digest_for(week).strip()


def test_the_digest_says_which_reviews_wait(week, ines, adam):
    started(role(EXCHANGE_ADMINISTRATOR), stages=[chosen(week, adam)])
    assert "Access review Quarterly check at Directory: 1 assignment: review by" in digest_for(week)


def test_a_review_that_is_done_or_somebody_elses_does_not_stand_in_the_digest(week, ines, adam):
    instance = started(role(EXCHANGE_ADMINISTRATOR), stages=[chosen(adam)])
    assert "Quarterly check" not in digest_for(week)
    say(instance, adam, Opinion.APPROVE, row_of(instance, ines))
    give(adam, role(ids.PRIVILEGED_ROLE_ADMINISTRATOR))
    assert "Quarterly check" not in digest_for(adam)


def test_a_long_digest_is_cut_and_says_so(week):
    for number in range(25):
        give(person(f"user{number:02}"), role(ids.GLOBAL_READER), ends_at=NOW + 5 * DAY)
    assert "and 6 more" in digest_for(week)


def test_of_a_long_week_nothing_is_read_but_what_is_shown(week, ines, monkeypatch):
    read: list[Event] = []

    def role_of(row: Event) -> str:
        read.append(row)
        return "a role"

    monkeypatch.setattr(digest, "_role_of", role_of)
    monkeypatch.setattr(digest, "LONGEST", 1)
    other = make_eligible(ines, role(ids.SECURITY_READER))
    request_activation(ines, other, now=LAST_WEEK)
    assert "and 1 more" in digest_for(week)
    assert len(read) == 1


def test_the_members_of_an_administering_group_get_the_digest(week, zoe):
    team = group("Administrators", zoe)
    give(team, role(ids.PRIVILEGED_ROLE_ADMINISTRATOR))
    assert "Ines: Exchange Administrator" in digest_for(zoe)


# The operators' list


@pytest.fixture
def sven(db: None) -> User:
    user = person("sven")
    give(user, role(ids.SECURITY_ADMINISTRATOR), now=timezone.now())
    Notification.objects.all().delete()
    return user


@pytest.fixture
def set_aside(sven: User, ines: User) -> Notification:
    make_eligible(ines, role(EXCHANGE_ADMINISTRATOR))
    row = Notification.objects.get(mail="assignment_added")
    values = {"state": FAILED, "attempts": 8, "last_error": "550 No such person"}
    Notification.objects.filter(pk=row.pk).update(**values)
    return Notification.objects.get(pk=row.pk)


def test_what_was_set_aside_is_shown_and_can_be_sent_again(sven, set_aside):
    client = visiting(sven)
    page = client.get(reverse("mails")).content.decode()
    assert "550 No such person" in page
    assert "Exchange" not in page  # what a mail says is for whom it is about

    answer = client.post(reverse("mails_send"), {"selection": [str(set_aside.pk)]})

    assert answer.status_code == 302
    row = Notification.objects.get(pk=set_aside.pk)
    assert (row.state, row.attempts, row.message_id) == (WAITING, 0, set_aside.message_id)
    event = Event.objects.get(kind=Kind.MAILS_SENT_AGAIN)
    assert (event.actor_id, event.details["mails"]) == (sven.pk, [str(set_aside.pk)])
    assert event.authority_id is not None
    assert len(send(timezone.now())) >= 1


def test_nothing_but_what_was_set_aside_is_sent_again(sven, set_aside):
    for state in (SENT, DROPPED, WAITING, GATHERED):
        Notification.objects.filter(pk=set_aside.pk).update(state=state)
        assert send_again([set_aside.pk], actor=Actor(user=sven), clock=timezone.now) == 0
        assert Notification.objects.get(pk=set_aside.pk).state == state


def test_nobody_else_sends_again(petra, set_aside):
    with pytest.raises(Refused, match="not_allowed"):
        send_again([set_aside.pk], actor=Actor(user=petra), clock=timezone.now)
    assert Notification.objects.get(pk=set_aside.pk).state == FAILED


def test_the_list_is_filtered(sven, set_aside):
    client = visiting(sven)
    assert "550 No such" in client.get(reverse("mails"), {"q": "ines"}).content.decode()
    assert "550 No such" not in client.get(reverse("mails"), {"q": "nobody"}).content.decode()
    assert "550 No such" not in client.get(reverse("mails"), {"mail": "digest"}).content.decode()
    assert "550 No such" not in client.get(reverse("mails"), {"tab": "waiting"}).content.decode()
