"""Serve the portal: the web process and the worker under one supervisor, or one of them."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from pim_portal.operations import supervisor
from pim_portal.operations.watchdog import ASK_EVERY, STALLED_AFTER, Watchdog


class Command(BaseCommand):
    help = "Serve the portal and run its worker until Ctrl-C; what ends or hangs is started anew."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="the address to serve on (default: this machine only)")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--only", choices=["web", "worker"], help="run one of the two")
        parser.add_argument(
            "--ask-every", type=float, default=ASK_EVERY, help="seconds between two questions to the worker"
        )
        parser.add_argument(
            "--stalled-after", type=float, default=STALLED_AFTER, help="seconds without an answer that it may take"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        _check_migrations()
        supervisor.run(
            options["port"],
            options["host"],
            web=options["only"] != "worker",
            worker=options["only"] != "web",
            audit_lines=settings.PIM_AUDIT_STDOUT,
            watchdog=Watchdog(ask_every=options["ask_every"], stalled_after=options["stalled_after"]),
        )


def _check_migrations() -> None:
    try:
        executor = MigrationExecutor(connection)
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as error:
        raise CommandError(f"The database cannot be reached: {error}") from error
    if plan:
        raise CommandError("The database is not up to date. Run first: manage.py migrate")
