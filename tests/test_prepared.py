"""What is asked by a prepared question is what the queryset itself finds, whatever changes in between."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest

from roles.authority import _ELIGIBLE, _HELD, _columns
from roles.ids import GLOBAL_READER, SECURITY_READER
from roles.models import Assignment, User
from roles.models.prepared import Prepared
from roles.services.ends import write_down_ends
from roles.services.principals import disable_person
from tests.people import NOW, OPERATOR, at, give, group, make_eligible, person, role

pytestmark = pytest.mark.django_db

QUESTIONS = [(_HELD, Assignment.objects.held_by), (_ELIGIBLE, Assignment.objects.eligible_for)]


def rows_of(found: Iterable[Any]) -> list[list[Any]]:
    return sorted(list(row) for row in found)


def test_it_says_what_the_queryset_says_over_and_over(petra: User, ines: User, zoe: User, django_assert_num_queries):
    """PostgreSQL goes by one plan for everybody from the sixth time on."""
    team = group("Team", ines)
    steps = [
        lambda: give(zoe, role(GLOBAL_READER)),
        lambda: give(team, role(SECURITY_READER), ends_at=NOW + timedelta(hours=1)),
        lambda: make_eligible(team, role(GLOBAL_READER)),
        lambda: disable_person(zoe.pk, reason="left", actor=OPERATOR, clock=at(NOW)),
        lambda: write_down_ends(clock=at(NOW + timedelta(hours=1))),
    ]
    seen = set()
    for number, step in enumerate(steps):
        step()
        for user in (ines, zoe, person(f"new{number}")):
            for now in (NOW, NOW + timedelta(hours=1)):
                for asked, rows in QUESTIONS:
                    found = rows_of(asked.ask(user.pk, now))
                    with django_assert_num_queries(1):
                        assert rows_of(asked.ask(user.pk, now)) == found
                    assert found == rows_of(_columns(rows(user.pk, now)))
                    seen.add((user.username, len(found)))
    assert {("zoe", 1), ("zoe", 0), ("ines", 1), ("ines", 0)} <= seen


def test_it_is_composed_once(ines: User):
    composed: list[Any] = []

    def compose(user_id, now):
        composed.append(user_id)
        return User.objects.filter(pk=user_id, created_at__lte=now).values_list("pk", "username")

    question = Prepared(compose)
    assert question.ask(ines.pk, NOW) == [(ines.pk, "ines")]
    assert question.ask(ines.pk, NOW - timedelta(days=3650)) == []
    assert len(composed) == 1
