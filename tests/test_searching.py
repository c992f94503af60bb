"""A search of the history finds the same however it goes about it: among the newest events, then by its index."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import time_machine
from django.db import transaction
from django.urls import reverse

from audit import searching
from audit.kinds import Kind, Realm
from audit.models import Event
from audit.recording import Entry, Ids, write_many
from audit.searching import holds, words_of
from pim_portal.activity import paging
from roles import ids
from tests.people import MINUTE, NOW
from tests.visitors import visiting

pytestmark = pytest.mark.django_db

# Often, among the oldest alone, once, never; the beginning of a word; together; what a pattern would take for more.
SEARCHES = ("often", "old", "once", "never", "of", "n", "often old", "OFTEN once", "100%", "1_0", "a\\b")
# By a number that is seldom, with others around it, that comes with more than are looked through, and to its digit.
TICKETS = (
    "INC-99321",
    "chg-99321",
    "nc-99321",
    "inc-48213",
    "inc-4821",
    "48213",
    "inc-99321 often",
    "inc-99321 o",
    "9932",
)


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks at ten, then at twenty events; finds up to three of a word alone; shows five at a time."""
    monkeypatch.setattr(paging, "SELDOM", 3)
    monkeypatch.setattr(paging, "NEWEST", (10, 20))
    monkeypatch.setattr(paging, "OFTEN", 0.2)
    monkeypatch.setattr(paging.Searched, "length", 5)
    monkeypatch.setattr(searching, "MANY", 3)


@pytest.fixture
def history() -> None:
    def words(number: int) -> str:
        said = ["often"] if number % 2 else ["100% a\\b 1x0 1_0"]
        said += ["old"] if number < 30 else []
        said += ["once"] if number == 41 else []
        said += ["inc-99321"] if number in {7, 20} else ["chg-99321"] if number == 8 else []
        said += ["inc-48213"] if number % 9 == 0 else []
        return " ".join(said)

    entries = [
        Entry(
            Kind.SIGNED_IN,
            # Two at each moment, so that the key has to tell them apart.
            NOW - MINUTE * (60 - number // 2),
            Realm.DIRECTORY,
            None,
            Ids(),
            text={"reason": words(number)},
        )
        for number in range(60)
    ]
    with transaction.atomic():
        write_many(entries, batch=ids.DIRECTORY)


@pytest.mark.parametrize("sort", ["-occurred_at", "occurred_at"])
@pytest.mark.parametrize("text", SEARCHES + TICKETS)
def test_every_stretch_of_a_search_holds_what_the_plain_question_finds(nina, history, text, sort):
    rows = Event.objects.filter(kind=Kind.SIGNED_IN).order_by(sort, "-id" if sort.startswith("-") else "id")
    for word in words_of(text):
        rows = rows.filter(holds(word))
    expected = list(rows.values_list("pk", flat=True))
    client, found, beyond = visiting(nina), [], ""
    for _stretch in range(len(expected) // 5 + 1):
        query = {"q": text, "sort": sort, "kind": "session.signed_in", "beyond": beyond}
        table = client.get(reverse("audit"), query).context["table"]
        found += [row.record.pk for row in table.page.object_list]
        beyond = getattr(table, "further", "")
        if not beyond:
            break
    assert found == expected
