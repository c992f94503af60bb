"""How the portal says of itself how it is: to its administrators, to monitors, to strangers."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from pim_portal.models import Heartbeat, Notification, NotificationState
from pim_portal.notifications.pruning import KEPT
from pim_portal.operations import services
from pim_portal.operations.vitals import (
    ANCHOR_LATE,
    MAIL_LATE,
    SKEW,
    SWEEP_LATE,
    WORKER_LATE,
    Anchored,
    Figures,
    State,
    measure,
    unwell,
    vitals,
)
from tests.people import HOUR, NOW, at, make_eligible
from tests.visitors import visiting

pytestmark = pytest.mark.django_db
MICROSECOND = timedelta(microseconds=1)
TOKEN = "a-token-that-only-the-monitor-knows-1234"


def figures(**changed: object) -> Figures:
    values: dict[str, object] = {
        "now": NOW,
        "skew": timedelta(0),
        "beats": {"sweep": NOW},
        "read_at": NOW,
        "queued": 0,
        "mails_waiting": 0,
        "oldest_mail": None,
        "untaken_mail": None,
        "mails_failed": 0,
        "unsealed": 0,
        "oldest_unsealed": None,
        "sealed": 0,
        "first_sealed_at": None,
        "anchors": (),
    }
    return Figures(**(values | changed))


def state_of(key: str, **changed: object) -> State:
    return next(one.state for one in vitals(figures(**changed)) if one.key == key)


@pytest.mark.parametrize(
    ("leave", "told"),
    [(True, "The mail server does not take them."), (False, "No mail server is named: set PIM_EMAIL_URL.")],
)
def test_mails_that_wait_are_laid_to_a_server_only_where_there_is_one(settings, leave: bool, told: str) -> None:
    settings.PIM_MAILS_LEAVE = leave
    mail = next(one for one in vitals(figures(untaken_mail=past(NOW - MAIL_LATE, "mail"))) if one.key == "mail")
    assert mail.advice.startswith(told)


@pytest.mark.parametrize(
    ("key", "changed", "just_well", "expected"),
    [
        ("worker", "beats", {"sweep": NOW - WORKER_LATE}, State.FAILING),
        ("sweep", "beats", {"sweep": NOW - SWEEP_LATE, "worker": NOW}, State.UNWELL),
        ("clock", "skew", SKEW, State.FAILING),
        ("clock", "beats", {"sweep": NOW + SKEW}, State.FAILING),
        ("mail", "untaken_mail", NOW - MAIL_LATE, State.FAILING),
        ("queue", "queued", 200, State.UNWELL),
        ("seals", "oldest_unsealed", NOW - timedelta(minutes=5), State.FAILING),
    ],
)
def test_a_part_is_unwell_just_past_its_limit(key: str, changed: str, just_well: object, expected: State) -> None:
    assert state_of(key, **{changed: just_well}) == State.WELL
    assert state_of(key, **{changed: past(just_well, key)}) == expected


def test_a_sweep_that_never_comes_to_its_end_is_told_although_the_worker_is_at_work(ines, monkeypatch) -> None:
    """Something that cannot be written down fails each of them, and the log alone said so."""

    def fail(**_more: object) -> int:
        raise RuntimeError("this cannot be written down")

    services.sweep(clock=at(NOW - SWEEP_LATE))
    monkeypatch.setattr(services, "write_down_ends", fail)
    for minutes in range(10, 0, -1):
        with pytest.raises(RuntimeError):
            services.sweep(clock=at(NOW - timedelta(minutes=minutes)))
    services.beat(services.WORKER, clock=at(NOW + MICROSECOND))
    found = {one.key: one for one in vitals(measure(NOW + MICROSECOND))}
    assert found["worker"].well
    assert (found["sweep"].state, found["sweep"].value) == (State.UNWELL, "It has not come to its end for 10 min.")


def test_a_page_that_was_long_in_coming_is_no_clock_that_is_wrong(db: None) -> None:
    """On a busy host twenty seconds may lie between the beginning of a request and the answers of the database."""
    Heartbeat.objects.create(name="worker", beat_at=timezone.now())
    found = {one.key: one for one in vitals(measure(timezone.now() - timedelta(seconds=20)))}
    assert found["clock"].state == State.WELL


def past(limit: object, key: str) -> object:
    """The least that is worse."""
    if isinstance(limit, dict):
        by = MICROSECOND if key == "clock" else -MICROSECOND
        return {name: at + by for name, at in limit.items()}
    if isinstance(limit, datetime):
        return limit - MICROSECOND
    if isinstance(limit, timedelta):
        return limit + MICROSECOND
    assert isinstance(limit, int)
    return limit + 1


def test_a_worker_that_never_ran_is_told(petra) -> None:
    assert "It has never run." in visiting(petra).get("/").content.decode()
    cache.clear()
    Heartbeat.objects.create(name="sweep", beat_at=timezone.now())
    assert "It has never run." not in visiting(petra).get("/").content.decode()


def test_people_who_administer_nothing_are_not_told(zoe) -> None:
    assert "It has never run." not in visiting(zoe).get("/").content.decode()


def test_what_is_unwell_is_counted_in_a_few_queries(django_assert_max_num_queries) -> None:
    with django_assert_max_num_queries(8):  # PostgreSQL is asked for its time, too
        assert [one.key for one in unwell(timezone.now())] == ["worker"]


def test_a_mail_that_waits_long_is_seen(ines, eligibility) -> None:
    Notification.objects.update(state=NotificationState.WAITING, created_at=NOW - MAIL_LATE - MICROSECOND)
    assert "mail" in [one.key for one in unwell(NOW)]
    assert measure(NOW).oldest_mail == NOW - MAIL_LATE - MICROSECOND


def test_a_mail_that_one_mailbox_puts_off_is_no_fault_of_the_server_while_that_takes_others(zoe, eligibility) -> None:
    """Greylisted, or the mailbox is full: it is tried again for hours and then set aside, which is told."""
    make_eligible(zoe, eligibility.role)
    put_off, other = Notification.objects.order_by("pk")[:2]
    Notification.objects.exclude(pk__in=[put_off.pk, other.pk]).delete()

    def stand(row: Notification, **now: object) -> None:
        Notification.objects.filter(pk=row.pk).update(**now)

    stand(put_off, created_at=NOW - 3 * HOUR, attempts=3)
    stand(other, created_at=NOW - 2 * HOUR, state=NotificationState.SENT)
    assert "mail" not in [one.key for one in unwell(NOW)]
    assert measure(NOW).oldest_mail == NOW - 3 * HOUR

    stand(other, created_at=NOW - 4 * HOUR)  # since it was written, none has left
    assert measure(NOW).untaken_mail == NOW - 3 * HOUR
    stand(other, created_at=NOW - 2 * HOUR, state=NotificationState.WAITING)
    assert measure(NOW).untaken_mail == NOW - 3 * HOUR
    stand(put_off, state=NotificationState.FAILED)
    assert measure(NOW).untaken_mail == NOW - 2 * HOUR
    assert "mail" in [one.key for one in unwell(NOW)]


def test_a_line_to_a_chat_channel_that_waits_long_is_no_mail(ines, eligibility) -> None:
    Notification.objects.exclude(pk=Notification.objects.values("pk")[:1]).delete()
    Notification.objects.update(recipient=None, channel="slack:1", created_at=NOW - MAIL_LATE - MICROSECOND)
    assert "mail" not in [one.key for one in unwell(NOW)]
    assert (measure(NOW).mails_waiting, measure(NOW).oldest_mail) == (0, None)
    Notification.objects.update(state=NotificationState.FAILED)
    assert measure(NOW).mails_failed == 1  # the page of mails has it, and sends it again


def test_the_auditors_are_told_when_their_mail_was_sent_and_not_before(nina, tmp_path) -> None:
    """Nina reads the history of the directory: the daily mail with the tip goes to her."""
    services.seal(key_file=tmp_path / "key.pem", anchors=(), clock=at(NOW))
    assert anchor_of_mail(NOW) == Anchored("mail", None, NOW, "")
    Notification.objects.filter(mail="audit_tip").update(state=NotificationState.SENT, sent_at=NOW + MICROSECOND)
    assert anchor_of_mail(NOW) == Anchored("mail", NOW + MICROSECOND, None, "")
    # The next one waits: the tip of the day before is what was told last.
    services.seal(key_file=tmp_path / "key.pem", anchors=(), clock=at(NOW + 2 * ANCHOR_LATE))
    assert anchor_of_mail(NOW + 2 * ANCHOR_LATE) == Anchored("mail", NOW + MICROSECOND, NOW + 2 * ANCHOR_LATE, "")
    late = vitals(measure(NOW + 4 * ANCHOR_LATE))[-1]
    assert (late.key, late.state) == ("anchor:mail", State.UNWELL)
    # What was sent so long ago that its mail is cleared away was told all the same.
    Notification.objects.filter(mail="audit_tip").delete()
    assert anchor_of_mail(NOW + KEPT).at is None
    assert anchor_of_mail(NOW + KEPT + MICROSECOND).at == NOW


def anchor_of_mail(now: datetime) -> Anchored:
    (anchor,) = measure(now).anchors
    return anchor


def test_the_figures_are_told_to_whoever_brings_the_token(client: Client, settings) -> None:
    settings.PIM_METRICS_TOKEN = TOKEN
    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}x"}).status_code == 401
    Heartbeat.objects.create(name="sweep", beat_at=timezone.now())
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    text = answer.content.decode()
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert 'pim_well{part="worker"} 1.0' in text
    assert "pim_events_unsealed " in text


def test_a_weakness_can_be_told(client: Client, settings) -> None:
    settings.PIM_SECURITY_CONTACT = "mailto:security@example.org"
    answer = client.get("/.well-known/security.txt")
    lines = dict(line.split(": ", 1) for line in answer.content.decode().splitlines())
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert lines["Contact"] == "mailto:security@example.org"
    expires = datetime.fromisoformat(lines["Expires"])
    assert timezone.now() < expires < timezone.now() + timedelta(days=365)


def test_search_engines_are_kept_out(client: Client) -> None:
    assert client.get("/robots.txt").content == b"User-agent: *\nDisallow: /\n"


def test_a_password_manager_is_led_to_the_password(client: Client) -> None:
    assert client.get("/.well-known/change-password")["Location"] == "/account/password/"
