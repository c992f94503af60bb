"""How PostgreSQL goes about what every page asks: told by its plans, since a small database is quick either way."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone

from pim_portal.environment.databases import ASKED_BEFORE
from pim_portal.notifications.recipients import _behind, asked_by_mail
from roles.list_rows import counted
from roles.models import Assignment, User
from roles.models.planning import KEPT, planned_anew
from tests.people import person

pytestmark = pytest.mark.django_db


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite tells no costs")
def test_what_somebody_holds_is_looked_up_by_who_they_are_however_many_tables_are_shown():
    ines, now = person("ines"), timezone.now()
    for rows in (Assignment.objects.held_by(ines.pk, now), Assignment.objects.eligible_for(ines.pk, now)):
        shown = rows.select_related("role__home", "resource__group", "principal__user", "activated_from__resource")
        plan = shown.order_by("role__name_key", "resource__path", "pk")[:8].explain()
        # At the scan itself: as a join, it would come after everything that anybody holds was looked at.
        assert "principal_id = ANY ($" in plan, plan


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite tells no costs")
def test_the_mails_about_a_request_are_looked_up_by_index_however_many_mails_there_were():
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    plan = asked_by_mail(uuid4()).order_by().explain()
    assert "event_id = ANY ($" in plan, plan
    assert "due_id = ANY ($" in plan, plan
    assert "Seq Scan on pim_portal_notification" not in plan, plan


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite tells no costs")
def test_people_who_are_named_or_belong_to_a_named_group_are_not_looked_for_among_all():
    plan = _behind([uuid4()], timezone.now()).order_by().explain()
    assert "hashed SubPlan" not in plan, plan
    assert "HashAggregate" in plan or "Unique" in plan, plan


def _prepared() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(statement, ' ') FROM pg_prepared_statements")
        return str(cursor.fetchone()[0])


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite plans in no time")
def test_the_plan_of_what_is_asked_again_is_kept_and_a_list_is_planned_for_what_it_looks_for():
    by_key = User.objects.filter(pk=uuid4(), username="asked-by-key").values_list("email", flat=True)
    by_word = User.objects.filter(name_key__contains="word").values_list("job_title", flat=True)
    for _time in range(ASKED_BEFORE + 1):
        assert list(by_key.all()) == []
        with planned_anew():
            assert list(by_word.all()) == []
        assert counted(User.objects.filter(department="asked-by-list")) == 0
    assert connection.connection.prepared_max == KEPT
    kept = _prepared()
    assert '"roles_user"."email"' in kept
    assert "job_title" not in kept
    assert '"roles_user"."department" =' not in kept
    assert list(by_word.all()) == []  # what is asked after it is prepared again, once asked often enough
    for _time in range(ASKED_BEFORE):
        list(by_word.all())
    assert "job_title" in _prepared()
