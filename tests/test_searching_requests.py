"""Searching what was asked at a place: by who, which role, where and which ticket, however much was asked there."""

from __future__ import annotations

import pytest
import time_machine
from django.core.checks import run_checks
from django.core.management import call_command
from django.db import connection

from approvals.models import Request
from roles import ids
from roles.models import User
from roles.models.planning import planned_anew
from roles.places import address
from roles.selectors import keys
from tests.people import NOW, configure, give, make_eligible, person, request_activation, role, tree
from tests.visitors import visiting

pytestmark = pytest.mark.django_db
postgres = pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite reads all tickets")

WORDS = {
    "ines": {"ines"},
    "INES": {"ines"},
    "e": {"ines", "zoe"},
    "owner": {"ines", "zoe"},
    "payments": {"zoe"},
    "inc-4711": {"ines"},
    "4711": {"ines"},
    "inc-": {"ines", "zoe"},
    "c-4711": {"ines"},
    "47": set(),  # nobody looks for a ticket by two letters
    "zoe inc-4712": {"zoe"},
    "zoe inc-4711": set(),
    "zoe payments owner inc": {"zoe"},
    "%": set(),
    "_nes": set(),
    "i%c": set(),
}


@pytest.fixture
def asked(petra: User) -> str:
    """The requests at a root and below it: Ines asked above, Zoe below."""
    root, payments = tree("Contoso", "Payments")
    for number, (name, place) in enumerate([("ines", root), ("zoe", payments)], 4711):
        configure(role(ids.OWNER), place, approval_required=False)
        user = person(name)
        request_activation(user, make_eligible(user, role(ids.OWNER), place), ticket=f"Inc-{number}")
    give(person("reader"), role(ids.READER), root)
    return address(root, "requests")


@pytest.mark.parametrize("few", [0, keys.FEW_NAMES], ids=["many names", "few names"])
@pytest.mark.parametrize("words", WORDS)
def test_each_word_is_found_in_a_name_or_the_ticket(asked: str, words: str, few: int, monkeypatch: pytest.MonkeyPatch):
    """By the keys of what is named where these are few, else row by row: the same is found."""
    monkeypatch.setattr(keys, "FEW_NAMES", few)
    with time_machine.travel(NOW, tick=False):
        answer = visiting(User.objects.get(username="reader")).get(asked, {"q": words})
    assert {row.record.principal.name.lower() for row in answer.context["table"].rows} == WORDS[words]


@postgres
def test_postgresql_finds_a_ticket_by_its_index():
    with connection.cursor() as cursor:
        # In a table this small it would rather read everything.
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = off")
    with planned_anew():
        plan = Request.objects.order_by().filter(ticket__icontains="inc-4711").explain()
    assert "request_by_ticket" in plan, plan


@postgres
def test_a_missing_index_of_tickets_is_told_by_the_system_check_and_made_by_the_next_migrate():
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX request_by_ticket")
    assert [one.id for one in run_checks(tags=["database"], databases=["default"])] == ["approvals.W001"]
    call_command("migrate", verbosity=0)
    assert run_checks(tags=["database"], databases=["default"]) == []


def test_a_status_that_is_no_choice_narrows_nothing_and_says_so(asked: str):
    with time_machine.travel(NOW, tick=False):
        answer = visiting(User.objects.get(username="reader")).get(asked, {"status": "nonsense"})
    assert answer.status_code == 200
    assert len(answer.context["table"].rows) == 2
    assert "nonsense is not one of the available choices" in answer.content.decode()
