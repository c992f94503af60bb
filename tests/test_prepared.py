"""What is asked by a prepared question is what the queryset itself finds, whatever changes in between."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from django.db import connection, transaction
from django.db.models import Case, Q, Value, When
from django.db.transaction import TransactionManagementError

from roles.authority import _ELIGIBLE, _HELD, _columns
from roles.ids import GLOBAL_READER, SECURITY_READER
from roles.models import Assignment, Principal, PrincipalKind, User
from roles.models.prepared import Prepared
from roles.services.ends import write_down_ends
from roles.services.locks import lock_principals
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


def some_people(count: int) -> list[User]:
    return [person(f"person{number:03}") for number in range(count)]


@pytest.mark.parametrize("count", [0, 1, 2, 5, 7, 256, 257])
def test_a_list_of_any_length_finds_what_is_in_it(count: int, django_assert_num_queries):
    """Fewer keys than a size that is composed are filled up; none, and very many, are composed by themselves."""
    some_people(4)
    found = list(User.objects.order_by("pk").values_list("pk", flat=True))
    question = Prepared(lambda pks: User.objects.filter(pk__in=pks).order_by("pk").values_list("pk", flat=True))
    keys = [*found[:3], *(uuid4() for _more in range(count))][-count:] if count else []
    assert question.ask(keys) == [pk for pk in found if pk in keys]
    with django_assert_num_queries(1 if count else 0):
        question.ask(set(keys))


def test_the_longest_list_stands_beside_other_keys(ines: User, zoe: User):
    """What stands in for its last key stands in for nothing else."""
    question = Prepared(
        lambda before, pk, pks, word: User.objects.filter(
            Q(pk__in=before) | Q(pk=pk) | Q(pk__in=pks) | Q(username_key=word)
        ).values_list("username", flat=True)
    )
    many = [uuid4() for _key in range(255)]
    for user in (ines, zoe):
        found = [
            question.ask([*many, user.pk], uuid4(), [*many, uuid4()], "nobody"),
            question.ask([*many, uuid4()], user.pk, [*many, uuid4()], "nobody"),
            question.ask([*many, uuid4()], uuid4(), [*many, user.pk], "nobody"),
            question.ask([*many, uuid4()], uuid4(), [*many, uuid4()], user.username_key),
        ]
        assert found == [[user.username]] * 4


def test_a_choice_is_a_word(ines: User):
    composed: list[Any] = []

    def compose(kinds):
        composed.append(kinds)
        return Principal.objects.filter(kind__in=kinds).values_list("name", flat=True)

    question = Prepared(compose)
    assert question.ask([PrincipalKind.USER]) == question.ask(["user"]) == ["Ines"]
    assert question.ask([PrincipalKind.GROUP]) == []
    assert len(composed) == 1


def test_lists_of_many_lengths_are_composed_a_few_times():
    composed: list[int] = []

    def compose(pks):
        composed.append(len(pks))
        return User.objects.filter(pk__in=pks)

    question = Prepared(compose)
    for count in range(1, 65):
        question.ask([uuid4() for _key in range(count)])
    by_sizes = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 50, 64]
    assert composed == ([1, 2] if connection.vendor == "postgresql" else by_sizes)


@pytest.mark.parametrize("count", [1, 2, 3, 300])
def test_lists_stand_for_themselves_among_other_signs(ines: User, zoe: User, petra: User, count: int):
    """Two lists, one of them refused, beside words of the sort that SQL is written in; also where a column is NULL."""
    ines.manager = zoe
    ines.save(update_fields=["manager"])

    def compose(pks, managers, word):
        return (
            User.objects.exclude(pk__in=pks)
            .filter(
                Q(manager__in=managers) | Q(name__in=["%s", "IN (%s, %s)", "100%"]) | ~Q(manager__in=pks), enabled=True
            )
            .exclude(username_key=word)
            .annotate(said=Value("IN (%s, %s) %%"))
            .order_by("username_key")
            .values_list("username", "said")
        )

    question = Prepared(compose)
    people = [ines.pk, zoe.pk, petra.pk]
    for pks in ([zoe.pk], [ines.pk, petra.pk], people):
        for managers in ([zoe.pk], people):
            given = ([*pks, *(uuid4() for _more in range(count))], [*managers, *(uuid4() for _more in range(count))])
            for word in ("petra", "nobody"):
                assert question.ask(*given, word) == list(compose(*given, word))


def test_a_moment_is_reckoned_from_the_one_at_hand(ines: User):
    """As a queryset does that is made anew: also to the microsecond, and across a change of clocks."""
    week = timedelta(days=7)

    def compose(now, since):
        return User.objects.filter(created_at__gt=now - week, created_at__lte=since + week).values_list("pk")

    question, berlin = Prepared(compose), ZoneInfo("Europe/Berlin")
    User.objects.filter(pk=ines.pk).update(created_at=NOW)
    tick = timedelta(microseconds=1)
    for now in (NOW, NOW + week - tick, NOW + week, datetime(2026, 10, 28, 9, tzinfo=berlin)):
        for since in (NOW, NOW - week, NOW - week - tick):
            assert question.ask(now, since) == list(compose(now, since))


def test_a_switch_and_a_number_make_a_question_of_their_own(ines: User, zoe: User):
    question = Prepared(
        lambda first, most: User.objects.order_by("username_key" if first else "-username_key").values_list("username")[
            :most
        ]
    )
    assert question.ask(True, 1) == [("ines",)]
    assert question.ask(False, 1) == [("zoe",)]
    assert question.ask(True, 2) == [("ines",), ("zoe",)]


def test_rows_come_with_what_was_fetched_along(ines: User, django_assert_num_queries):
    made = make_eligible(ines, role(GLOBAL_READER))
    question = Prepared(lambda pk: Assignment.objects.filter(pk=pk).select_related("role", "principal__user"))
    question.ask(made.pk)
    with django_assert_num_queries(1):
        row = question.first(made.pk)
        assert row is not None
        assert (row.role.name, row.principal.user.username, row.type) == ("Global Reader", "ines", "eligible")
    assert question.first(uuid4()) is None


def test_words_are_compared_as_they_are(ines: User, zoe: User):
    question = Prepared(lambda names: User.objects.filter(username_key__in=names).values_list("username", flat=True))
    assert question.ask(["ines", "nobody"]) == ["ines"]
    assert question.ask(["%", "zoe", "x' OR ''='"]) == ["zoe"]


@pytest.mark.parametrize(
    ("compose", "values"),
    [
        (lambda pk, other: User.objects.filter(pk=pk), (uuid4(), uuid4())),
        (lambda word: User.objects.filter(username_key__contains=word), ("ines",)),
        (lambda word: User.objects.filter(Q(username_key=word) | Q(name_key__startswith=word)), ("ines",)),
        (lambda pk: User.objects.filter(Q(pk=pk) | Q(username_key=str(pk))), (uuid4(),)),
        (lambda now: User.objects.filter(created_at__date=now.date(), created_at__lte=now), (NOW,)),
    ],
)
def test_what_cannot_be_composed_once_is_no_question(compose: Any, values: tuple[Any, ...]):
    """Its values would stay those that it was composed with."""
    with pytest.raises(LookupError):
        Prepared(compose).ask(*values)


def test_a_list_elsewhere_than_behind_in_is_found_or_refused(ines: User, zoe: User):
    """PostgreSQL has it as one value, which stands for none of its keys."""
    question = Prepared(lambda pks: User.objects.order_by(Case(*(When(pk=pk, then=0) for pk in pks), default=1)))
    if connection.vendor == "postgresql":
        with pytest.raises(LookupError):
            question.ask([zoe.pk, uuid4()])
    else:
        assert question.ask([zoe.pk, uuid4()])[0] == zoe


def test_a_key_that_is_none_of_its_kind_is_left_to_django(ines: User, zoe: User):
    """In SQL nothing at all is other than NULL."""
    others = Prepared(lambda pks: User.objects.exclude(pk__in=pks).order_by("pk").values_list("pk", flat=True))
    assert others.ask([ines.pk, uuid4()]) == [zoe.pk]
    assert others.ask(cast("list[UUID]", [ines.pk, None])) == [zoe.pk]
    assert others.ask([ines.pk, str(zoe.pk)]) == []
    named = Prepared(lambda pk: User.objects.filter(manager=pk).order_by("pk").values_list("pk", flat=True))
    assert named.ask(uuid4()) == []
    with pytest.raises(ValueError, match="None"):
        Prepared(lambda pk: User.objects.filter(created_at__lte=pk)).ask(cast("UUID", None))


def test_what_finds_nothing_by_its_nature_finds_nothing(ines: User):
    question = Prepared(lambda pk: User.objects.filter(pk=pk).none())
    assert question.ask(ines.pk) == []
    assert question.ask(ines.pk) == []


@pytest.mark.django_db(transaction=True)
def test_nobody_is_locked_outside_of_a_transaction(petra: User):
    """Also after the question was composed, which is where Django would refuse it."""
    with transaction.atomic():
        assert lock_principals([petra.pk]).keys() == {petra.pk}
    if not connection.features.has_select_for_update:
        return
    with pytest.raises(TransactionManagementError):
        lock_principals([petra.pk])
