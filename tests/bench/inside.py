"""What is measured inside a process of the portal; says what it found as JSON.

python -m tests.bench.inside statement | calls | least | sweep COUNT
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import django

TIMES = 200
ACT_QUERIES = 50  # about what asking for an activation asks


def main() -> None:
    """Do what the first argument says."""
    django.setup()
    acts: dict[str, Callable[..., dict[str, Any]]] = {
        "statement": _statement,
        "calls": _calls,
        "least": _least,
        "sweep": _sweep,
    }
    told = acts[sys.argv[1]](*sys.argv[2:])
    sys.stdout.write(json.dumps(told))


def _statement() -> dict[str, str]:
    from django.utils import timezone

    from pim_portal.activity import copying
    from pim_portal.activity.selectors.sight import readable
    from roles.authority import Authority
    from roles.models import User

    auditor = User.objects.get(username="nina.auditor")
    return {"statement": copying.table(readable(Authority(auditor, timezone.now())).newest_first())}


def _calls() -> dict[str, Any]:
    from django.db import transaction
    from django.utils import timezone

    from audit.kinds import Kind
    from roles import ids
    from roles.actors import Actor
    from roles.models import Assignment, Group, Resource, User
    from roles.service import record

    users = list(User.objects.filter(username__startswith="u").order_by("username")[:TIMES])
    place = Resource.objects.get(pk=ids.DIRECTORY)
    holder = User.objects.get(username="petra")
    rows = list(Assignment.objects.select_related("principal", "role", "resource").order_by("pk")[:TIMES])
    group = Group.objects.order_by("pk")[0]

    def allowed(number: int) -> None:
        assert holder.has_perm("roles.assign")

    def not_allowed(number: int) -> None:
        assert not users[number % len(users)].has_perm("roles.assign", place)

    def change(number: int) -> None:
        with transaction.atomic():
            Group.objects.filter(pk=group.pk).update(description=f"Measured {number}")
            record(Kind.GROUP_CHANGED, actor=Actor(holder), at=timezone.now(), target=group)

    def activation(number: int) -> None:
        with transaction.atomic():
            record(Kind.ACTIVATION_DEACTIVATED, actor=Actor(holder), at=timezone.now(), assignment=rows[number % TIMES])

    return {
        "has_perm, ours: by a role held now": timed(allowed),
        "has_perm, ours: at a place, not held": timed(not_allowed),
        "A change recorded, ours": timed(change),
        "An end recorded, ours, with its mails": timed(activation),
    }


def _least() -> dict[str, Any]:
    """The least that a list and an act take with these libraries: nobody signs in, nothing is allowed or recorded."""
    import django_tables2 as tables
    from django.contrib.auth.models import AnonymousUser
    from django.template import RequestContext, engines
    from django.test import RequestFactory

    from roles.models import Assignment, Resource

    class Bare(tables.Table):
        name = tables.Column(accessor="principal__name")
        role = tables.Column(accessor="role__name")
        place = tables.Column(accessor="resource__name")

        class Meta:
            model = Assignment
            fields = ("name", "role", "place", "type", "starts_at", "ends_at", "created_at")
            template_name = "django_tables2/table.html"

    page: Any = engines["django"].from_string("{% load render_table from django_tables2 %}{% render_table table %}")
    rows = Assignment.objects.select_related("principal", "role", "resource").order_by("pk")  # which any index has
    keys = list(Resource.objects.order_by("pk").values_list("pk", flat=True)[:ACT_QUERIES])

    def bare_list(number: int) -> None:
        request = RequestFactory().get("/")
        request.user = AnonymousUser()
        table = Bare(rows[:50])
        assert page.template.render(RequestContext(request, {"table": table})).count("<tr") == 51

    def gets(number: int) -> None:
        assert all(Resource.objects.get(pk=pk).pk == pk for pk in keys)

    return {
        "Fifty assignments, seven columns, by django-tables2's own template": timed(bare_list),
        f"{ACT_QUERIES} rows, each by its key": timed(gets),
    }


def timed(call: Callable[[int], None]) -> tuple[str, str, int]:
    """Return median and 95th percentile in milliseconds, and the queries of one call."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as caught:
        call(0)
    asked = [
        one for one in caught.captured_queries if not one["sql"].startswith(("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE"))
    ]
    took = []
    for number in range(TIMES):
        began = time.perf_counter()
        call(number)
        took.append(1000 * (time.perf_counter() - began))
    took.sort()
    return f"{statistics.median(took):.2f}", f"{took[int(0.95 * TIMES)]:.2f}", len(asked)


# The same rows: the end, the event with its texts, salts and commitments, and its place in the queue of what is sealed.
BARE = """
    WITH over AS (
        UPDATE roles_assignment SET ended_at = ends_at, end_reason = 'expired'
        WHERE ended_at IS NULL AND ends_at <= now() RETURNING *
    ), named AS (
        SELECT nextval(pg_get_serial_sequence('audit_event', 'id')) AS event, o.*, n.kind,
            jsonb_build_object('target', p.name, 'role', r.name, 'resource', n.name, 'actor', 'The portal') AS fields,
            jsonb_build_object('target', md5(random()::text), 'role', md5(random()::text),
                'resource', md5(random()::text), 'actor', md5(random()::text)) AS salts
        FROM over o JOIN roles_principal p ON p.id = o.principal_id JOIN roles_role r ON r.id = o.role_id
        JOIN roles_resource n ON n.id = o.resource_id
    ), told AS (
        INSERT INTO audit_event (id, uuid, occurred_at, recorded_at, kind, outcome, realm, target_id, role_id,
            resource_id, assignment_id, details, commitments, format_version)
        SELECT event, gen_random_uuid(), ends_at, now(), 'assignment.expired', 'done',
            CASE WHEN kind IN ('directory', 'administrative_unit') THEN 'directory' ELSE 'resource' END,
            principal_id, role_id, resource_id, id, '{"type": "active", "why": "expired"}',
            (SELECT jsonb_object_agg(key,
                encode(sha256(decode(salts ->> key, 'hex') || convert_to(value, 'UTF8')), 'hex'))
             FROM jsonb_each_text(fields)), 1
        FROM named RETURNING id
    ), texts AS (
        INSERT INTO audit_eventtext (event_id, fields, salts, search)
        SELECT event, fields, salts,
            lower(concat_ws(' ', fields ->> 'target', fields ->> 'role', fields ->> 'resource', fields ->> 'actor'))
        FROM named RETURNING event_id
    )
    INSERT INTO audit_pending (event_id) SELECT event_id FROM texts"""


def _sweep(count: str) -> dict[str, dict[str, float]]:
    from django.db import connection
    from django.utils import timezone

    from pim_portal.operations.services import CHUNK
    from roles.services.ends import write_down_ends

    now = timezone.now()
    _make_due(int(count), now - timedelta(hours=1))
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        began = time.perf_counter()
        # Undone afterwards, but for all that a commit would check.
        cursor.execute("BEGIN")
        cursor.execute(BARE)
        assert cursor.rowcount == int(count)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        bare = time.perf_counter() - began
        cursor.execute("ROLLBACK")
        cursor.execute("VACUUM ANALYZE")
    began, written = time.perf_counter(), 0
    while found := write_down_ends(clock=timezone.now, limit=CHUNK):
        written += found
    assert written == int(count), written
    return {"seconds": {"The sweep": time.perf_counter() - began, "Bare SQL, one statement": bare}}


def _make_due(count: int, ended: Any) -> None:
    import random

    from roles.models import Role, RoleKind
    from tests.bench import crowd, holdings
    from tests.bench.copying import copy, without_triggers

    dice = random.Random(count)
    roles = {kind: list(Role.objects.filter(kind=kind).values_list("pk", flat=True)) for kind in holdings.KINDS}
    holders = holdings.Holders(crowd.gather(max(1000, count)), roles, dice)
    with without_triggers("roles_assignment"):
        made = (holders.fresh(RoleKind.DIRECTORY) for _each in range(count))
        began = ended - timedelta(days=30)
        rows = (
            (one.pk, one.principal, one.role, one.place, "active", began, ended, None, "", None, False, began)
            for one in made
        )
        copy("roles_assignment", holdings.ASSIGNMENTS, rows)


if __name__ == "__main__":
    main()
