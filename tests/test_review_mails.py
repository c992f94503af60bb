"""The mails of reviews, read as whoever gets them: what they say, and whether their button leads anywhere."""

from __future__ import annotations

import pytest
from django.utils import timezone

from pim_portal.models import Notification
from pim_portal.notifications.letters.letter import Letter
from pim_portal.notifications.rendering import compose, reader_of
from reviews.models import Opinion
from reviews.services.running import stop
from roles import ids
from roles.actors import Actor
from roles.models import User
from tests.people import DAY, EXCHANGE_ADMINISTRATOR, at, make_eligible, person, role
from tests.reviewing import chosen, fresh, row_of, say, started, turn
from tests.visitors import visiting

pytestmark = pytest.mark.django_db


def letter_to(user: User, mail: str) -> Letter:
    notification = Notification.objects.get(mail=mail, recipient=user)
    reader = reader_of(notification)
    assert reader is not None
    letter = compose(notification, reader, now=timezone.now())
    assert letter is not None
    return letter


@pytest.fixture
def now(ines):
    moment = timezone.now()
    make_eligible(ines, role(EXCHANGE_ADMINISTRATOR), now=moment - 60 * DAY)
    return moment


def ended(reviewer, *told: User, now, **values):
    """A review that ended a moment ago; what was said of Ines is said by `verdict`."""
    verdict = values.pop("verdict", None)
    then = now - 8 * DAY
    named = frozenset(one.pk for one in told)
    instance = started(role(EXCHANGE_ADMINISTRATOR), stages=[chosen(reviewer)], now=then, told=named, **values)
    for row in instance.verdicts.all() if verdict else ():
        say(instance, reviewer, verdict, row, now=then)
    turn(now)
    return fresh(instance)


def test_the_button_of_the_last_mail_leads_whoever_is_told_somewhere(adam, nina, zoe, now):
    petra = person("petra", now=now - 60 * DAY)
    make_eligible(petra, role(ids.PRIVILEGED_ROLE_ADMINISTRATOR), now=now - 60 * DAY)
    ended(adam, nina, petra, zoe, now=now)
    expected = {
        nina: ("Open the results", ""),
        petra: (
            "Open the results",
            "You see them while a role of yours is active: activate Privileged Role Administrator first.",
        ),
        zoe: ("Open PIM Portal", "Who was denied is shown to whoever may see the roles at Directory."),
    }
    for who, (button, note) in expected.items():
        letter = letter_to(who, "review_completed")
        assert (letter.button, letter.note) == (button, note), who.name
        status = visiting(who).get(letter.path, follow=True).status_code
        assert status == (404 if who == petra else 200), who.name  # before she has activated it


FOLLOWS = {
    "nothing was denied": ({"verdict": Opinion.APPROVE}, "Nothing was denied, so nothing is removed."),
    "by hand": ({"verdict": Opinion.DENY}, "Nothing is removed before somebody applies the results."),
    "automatically": (
        {"verdict": Opinion.DENY, "auto_apply": True},
        "What was denied is removed; the results say what became of each assignment.",
    ),
}


@pytest.mark.parametrize("how", FOLLOWS)
def test_the_last_mail_says_what_follows(how, adam, nina, now):
    values, sentence = FOLLOWS[how]
    ended(adam, nina, now=now, **values)
    letter = letter_to(nina, "review_completed")
    assert sentence in letter.sentences


def test_the_last_mail_of_a_review_that_was_stopped_says_so(adam, nina, now):
    make_eligible(nina, role(EXCHANGE_ADMINISTRATOR), now=now)
    whole = started(role(EXCHANGE_ADMINISTRATOR), stages=[chosen(adam)], now=now, told=frozenset([nina.pk]))
    stop(whole.pk, actor=Actor.portal(), clock=at(now))

    letter = letter_to(nina, "review_completed")
    assert letter.subject == f"Access review stopped: {whole.review.name}"
    assert letter.sentences[0].endswith("at Directory was stopped before its end. The audit history says by whom.")


def test_a_reviewer_is_told_how_many_wait_for_them_and_until_when(ines, adam, zoe, now):
    for who in (adam, zoe):
        make_eligible(who, role(EXCHANGE_ADMINISTRATOR), now=now)
    instance = started(
        role(EXCHANGE_ADMINISTRATOR), stages=[chosen(adam, ines)], now=now, mail_text="Look at each line."
    )
    letter = letter_to(adam, "review_begins")
    assert letter.sentences[0].startswith("2 assignments at Directory wait for your review until ")
    assert letter.quote == ("From whoever set up the review", "Look at each line.")
    assert visiting(adam).get(letter.path).status_code == 200
    say(instance, adam, Opinion.APPROVE, row_of(instance, zoe), now=now)
    assert letter_to(adam, "review_begins").sentences[0].startswith("1 assignment at Directory waits for your review")


def test_what_was_denied_and_is_still_held_is_told(adam, nina, petra, now):
    admins = role(ids.PRIVILEGED_ROLE_ADMINISTRATOR)
    then = now - 8 * DAY
    values = {"now": then, "auto_apply": True, "told": frozenset({nina.pk})}
    instance = started(admins, stages=[chosen(adam)], **values)
    say(instance, adam, Opinion.DENY, *instance.verdicts.all(), now=then)
    removed = started(role(EXCHANGE_ADMINISTRATOR), stages=[chosen(adam)], **values)
    say(removed, adam, Opinion.DENY, *removed.verdicts.all(), now=then)
    turn(now)
    letter = letter_to(nina, "review_left")  # of the first review alone
    assert letter.subject == "Denied, and still held: Quarterly check"
    assert letter.facts == (("Removed", "0"), ("Could not be removed", "1"))
    assert letter.path == f"/tasks/reviews/{instance.pk}/results/"
