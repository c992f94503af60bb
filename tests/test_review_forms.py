"""The form of a series on its page: what is refused is said beside its field, and what nobody touched stays."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from reviews.models import AccessReview, Frequency, IfUnanswered
from reviews.services.series import change_review
from reviews.services.wants import wanted_of
from roles.models import User
from tests.people import DAY, EXCHANGE_ADMINISTRATOR, MINUTE, OPERATOR, at, make_eligible, role
from tests.reviewing import chosen, fresh, make_review, started, turn
from tests.stepping import code_of, errors_in
from tests.visitors import visiting

pytestmark = pytest.mark.django_db

ADD = "/manage/directory/reviews/add/"


@pytest.fixture
def now(ines):
    moment = timezone.now()
    make_eligible(ines, role(EXCHANGE_ADMINISTRATOR), now=moment)
    return moment


def form_of(*reviewers: User, **values: Any) -> dict[str, Any]:
    """What a browser sends."""
    plain = {
        "name": "Mail",
        "roles": [str(EXCHANGE_ADMINISTRATOR)],
        "covers": "both",
        "frequency": "monthly",
        "end": "never",
        "kind_1": "chosen",
        "days_1": "7",
        "reviewers_1": [str(one.pk) for one in reviewers],
        "look_back_days": "30",
        "if_unanswered": "no_change",
    }
    return plain | values


REFUSED = {
    "too long for its period": ({"days_1": "28"}, "With this frequency an instance may last at most 27 days"),
    "no duration": ({"days_1": ""}, "Say for how many days."),
    "too long": ({"days_1": "999"}, "Write a whole number from 1 to 365."),
    "no whole days": ({"look_back_days": "1.5"}, "Write a whole number from 1 to"),
    "no look-back": ({"look_back_days": ""}, "Say for how many days."),
    "nobody chosen": ({"reviewers_1": []}, "Choose who reviews."),
    "a start in the past": ({"starts_at": "2020-01-01T09:00"}, "The start lies in the past."),
    "an end before the start": ({"end": "date", "ends_on": "2020-01-01"}, "The series would end before it starts."),
}


@pytest.mark.parametrize("button", ["preview", "save"])
@pytest.mark.parametrize("what", REFUSED)
def test_what_is_refused_is_said_when_it_is_previewed_and_when_it_is_saved(what, button, petra, adam, now):
    values, sentence = REFUSED[what]
    sent = form_of(adam, **values) | ({"preview": "1"} if button == "preview" else code_of(petra))
    answer = visiting(petra).post(ADD, sent)
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert not AccessReview.objects.exists()


def test_rows_without_a_reviewer_are_named_and_refused_until_somebody_stands_in(petra, adam, berta, now):
    make_eligible(adam, role(EXCHANGE_ADMINISTRATOR), now=now)
    client = visiting(petra)
    shown = client.post(ADD, form_of(adam, preview="1"))
    assert shown.status_code == 200
    html = shown.content.decode()
    assert "the only reviewer would review themselves" in html
    assert re.findall(r"<option [^>]*>", html[html.index('name="roles"') :])[0].endswith(" selected>")  # in sight
    refused = client.post(ADD, form_of(adam) | code_of(petra))
    assert refused.status_code == 422
    assert "1 assignment would have nobody to review it. Choose fallback reviewers." in refused.content.decode()
    saved = client.post(ADD, form_of(adam, fallbacks_1=[str(berta.pk)]))  # the code of a refused form was not spent
    assert saved.status_code == 302


def value_in(html: str, name: str) -> str:
    [found] = re.findall(rf'<input[^>]*name="{name}"[^>]*>', html)
    return str(re.findall(r'value="([^"]*)"', found)[0])


@pytest.mark.parametrize("begun", [True, False], ids=["begun", "planned"])
def test_a_change_leaves_the_start_and_its_clock_as_they_were(begun, petra, adam, now):
    start = now if begun else now + DAY + timedelta(seconds=17)
    stages = [chosen(adam)]
    review = make_review(
        role(EXCHANGE_ADMINISTRATOR), stages=stages, now=now, starts_at=start, zone="Asia/Tokyo", frequency="monthly"
    )
    turn(now)
    client, page = visiting(petra), f"/manage/directory/reviews/{review.pk}/change/"
    html = client.get(page).content.decode()
    sent = form_of(adam, name="Renamed", starts_at=value_in(html, "starts_at"))
    if begun:
        del sent["starts_at"]  # a browser does not send a field that is switched off
    answer = client.post(page, sent | code_of(petra))
    assert answer.status_code == 302, errors_in(answer.content.decode())
    review.refresh_from_db()
    assert (review.name, review.starts_at, review.zone) == ("Renamed", start, "Asia/Tokyo")


def test_whoever_moves_the_start_sets_the_clock(petra, adam, now):
    start = now + DAY
    review = make_review(
        role(EXCHANGE_ADMINISTRATOR), stages=[chosen(adam)], now=now, starts_at=start, zone="Asia/Tokyo"
    )
    moved = (start + 2 * DAY).replace(second=0, microsecond=0)
    page = f"/manage/directory/reviews/{review.pk}/change/"
    sent = form_of(adam, frequency=Frequency.ONCE, starts_at=timezone.localtime(moved).strftime("%Y-%m-%dT%H:%M"))
    assert visiting(petra).post(page, sent | code_of(petra)).status_code == 302
    review.refresh_from_db()
    assert (review.starts_at, review.zone) == (moved, timezone.get_current_timezone_name())


def test_what_is_due_and_not_started_yet_can_be_changed(petra, adam, now):
    then = now - 30 * MINUTE  # the worker stands still
    review = make_review(role(EXCHANGE_ADMINISTRATOR), stages=[chosen(adam)], now=then)
    page = f"/manage/directory/reviews/{review.pk}/change/"
    client = visiting(petra)
    shown = value_in(client.get(page).content.decode(), "starts_at")
    answer = client.post(page, form_of(adam, starts_at=shown, frequency="once") | code_of(petra))
    assert answer.status_code == 302, errors_in(answer.content.decode())
    assert review.instances.get().starts_at == then


@pytest.mark.parametrize("too", [True, False])
def test_what_follows_changes_for_the_instance_that_runs_where_somebody_says_so(too, petra, adam, now):
    instance = started(role(EXCHANGE_ADMINISTRATOR), stages=[chosen(adam)], now=now, frequency="monthly")
    page = f"/manage/directory/reviews/{instance.review_id}/change/"
    values = {
        "auto_apply": "on",
        "if_unanswered": "remove",
        "reason_required": "on",
        "mail_text": "Soon",
        "look_back_days": "60",
    }
    answer = visiting(petra).post(
        page, form_of(adam, **values, **({"running_too": "on"} if too else {})) | code_of(petra)
    )
    assert answer.status_code == 302, errors_in(answer.content.decode())
    runs = fresh(instance)
    found = (runs.auto_apply, runs.if_unanswered, runs.reason_required, runs.mail_text)
    assert found == ((True, "remove", True, "Soon") if too else (False, "no_change", False, ""))
    assert runs.look_back_days == 30  # what is recommended was said at the start
    assert (runs.review.auto_apply, runs.review.look_back_days) == (True, 60)


def test_what_is_over_is_not_changed_any_more(adam, now):
    instance = started(role(EXCHANGE_ADMINISTRATOR), stages=[chosen(adam)], now=now)
    end = instance.ends_at  # the worker has not come yet
    new = replace(wanted_of(instance.review), if_unanswered=IfUnanswered.REMOVE)
    change_review(instance.review_id, new, running_too=True, actor=OPERATOR, clock=at(end))
    assert fresh(instance).if_unanswered == IfUnanswered.NO_CHANGE
    again = started(role(EXCHANGE_ADMINISTRATOR), stages=[chosen(adam)], now=now)
    change_review(again.review_id, new, running_too=True, actor=OPERATOR, clock=at(end - timedelta(microseconds=1)))
    assert fresh(again).if_unanswered == IfUnanswered.REMOVE
