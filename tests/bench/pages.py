"""The pages of a large history: what they ask of the database, how it goes about it, and how long they take.

python -m tests.bench.pages        # on the PostgreSQL that DATABASE_URL names, filled by tests.bench.load
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Iterator
from itertools import combinations
from typing import Any, NamedTuple

import django
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext, setup_test_environment

TABLES = {"audit_event", "audit_eventtext"}


class Asked(NamedTuple):
    """What one page asked: how many queries, and of those about the history their plans and their time."""

    queries: int
    whole_tables: list[str]
    milliseconds: float


def filters(about: Any) -> dict[str, str]:
    """Return one value of each filter: what happens often and what happens once; `about` is an event of a request."""
    from audit.models import Event

    deep = Event.objects.newest_first().filter(occurred_at__lt=about.occurred_at)[5000]
    return {
        "span": "7",
        "kind": "review.decided",
        "actor": str(about.actor_id),
        "target": str(about.target_id),
        "role": str(about.role_id),
        "resource": str(about.resource_id),
        "outcome": "refused",
        "request": str(about.request_id),
        "realm": "group",
        "q": f"inc-{str(about.text.fields.get('ticket', ''))[4:]} {about.text.fields['actor'].split()[0].lower()}",
        "beyond": f"{deep.occurred_at.isoformat()}~{deep.pk}",
    }


def questions(about: Any) -> Iterator[dict[str, str]]:
    """Yield the newest page, each filter alone, each two of them, the last numbered page, the oldest first, names."""
    each = filters(about)
    yield {}
    yield from ({name: value} for name, value in each.items())
    yield from ({one: each[one], two: each[two]} for one, two in combinations(each, 2))
    yield from ({"page": "400"}, {"sort": "occurred_at"}, {"sort": "occurred_at", "beyond": each["beyond"]})
    yield from ({"actor": "okafor"}, {"role": "administrator"}, {"resource": "subscription 1"}, {"q": "quarter"})
    yield from ({"q": "bo"}, {"q": "nowhere to be found"}, {"kind": "portal.set_up"}, {"outcome": "failed"})


def ask(client: Client, path: str, query: dict[str, str]) -> Asked:
    """Open a page; return what it asked."""
    with CaptureQueriesContext(connection) as caught:
        answer = client.get(path, query)
    assert answer.status_code == 200, (path, query, answer.status_code)
    about = [
        one for one in caught.captured_queries if '"audit_event"' in one["sql"] and one["sql"].startswith("SELECT")
    ]
    read: list[str] = []
    took = 0.0
    with connection.cursor() as cursor:
        for one in about:
            cursor.execute("EXPLAIN (FORMAT JSON) " + one["sql"])
            plan = cursor.fetchone()[0]
            plan = json.loads(plan) if isinstance(plan, str) else plan
            read += [one["sql"] for node in _nodes(plan[0]["Plan"]) if _reads_all(node)]
            began = time.perf_counter()
            cursor.execute(one["sql"])
            cursor.fetchall()
            took += (time.perf_counter() - began) * 1000
    return Asked(len(caught), read, took)


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", []):
        yield from _nodes(below)


def _reads_all(node: dict[str, Any]) -> bool:
    return node["Node Type"] == "Seq Scan" and node.get("Relation Name") in TABLES


def main() -> None:
    """Print the median time of three runs of what each page asks of the history."""
    django.setup()
    setup_test_environment()
    from roles.models import User
    from tests.bench.organisation import PAGES, request_seen_by
    from tests.visitors import visiting

    for username, path in PAGES:
        user = User.objects.get(username=username)
        client = visiting(user)
        about = request_seen_by(user, path)
        for query in questions(about):
            asked = [ask(client, path, query) for _ in range(3)]
            took = statistics.median(one.milliseconds for one in asked)
            said = " ".join(f"{name}={value}" for name, value in query.items()) or "newest"
            whole = "  READS ALL" if asked[0].whole_tables else ""
            sys.stdout.write(f"{username} {took:8.1f} ms {asked[0].queries:3} queries  {said[:90]}{whole}\n")


if __name__ == "__main__":
    main()
