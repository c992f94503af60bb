"""How PostgreSQL goes about what every page asks: told by its plans, since a small database is quick either way."""

from __future__ import annotations

import pytest
from django.db import connection
from django.utils import timezone

from pim_portal.people.selectors import people
from roles import ids
from roles.authority import Authority
from tests.people import give, person, role

pytestmark = pytest.mark.django_db


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite tells no costs")
def test_what_somebody_holds_is_looked_up_by_who_they_are_however_many_tables_the_page_adds():
    viewer, other, now = person("petra"), person("ines"), timezone.now()
    give(viewer, role(ids.PRIVILEGED_ROLE_ADMINISTRATOR))
    for shown in (people.held_by, people.eligible_for):
        rows = shown(other, viewer=Authority(viewer, now), now=now)
        plan = rows[:8].explain()
        # At the scan itself: as a join, it would come after everything that anybody holds was looked at.
        assert "principal_id = ANY ($" in plan, plan
