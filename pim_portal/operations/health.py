"""What a monitor or a load balancer asks. The answers are for everybody, so they say how it is and nothing else."""

from __future__ import annotations

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from pim_portal.operations.vitals import beats, is_late
from roles.guards import open_to_strangers


@open_to_strangers
@never_cache
@require_safe
def alive(request: HttpRequest) -> JsonResponse:
    """Say that the process answers; it asks nothing of anything else."""
    return JsonResponse({"status": "ok"})


@open_to_strangers
@never_cache
@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """Say whether the portal can serve: 503 without its database or with migrations to apply.

    A late worker is told, too, but does not make the portal unready: nothing waits for it to be refused.
    """
    try:
        executor = MigrationExecutor(connection)
        migrated = not executor.migration_plan(executor.loader.graph.leaf_nodes())
        worker = _worker()
    except DatabaseError:
        return JsonResponse({"status": "unready", "database": "unreachable"}, status=503)
    state = {"database": "ok", "migrations": "ok" if migrated else "missing", "worker": worker}
    return JsonResponse({"status": "ok" if migrated else "unready", **state}, status=200 if migrated else 503)


@open_to_strangers
@never_cache
@require_safe
def worker(request: HttpRequest) -> JsonResponse:
    """Say whether the worker does its work: 503 when it has not for a while."""
    try:
        state = _worker()
    except DatabaseError:
        state = "unknown"
    return JsonResponse({"worker": state}, status=200 if state == "ok" else 503)


def _worker() -> str:
    last = max(beats().values(), default=None)
    return "late" if is_late(timezone.now() - last if last else None) else "ok"
