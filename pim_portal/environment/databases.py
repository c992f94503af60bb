"""The database: PostgreSQL, or an SQLite file. The demo opens none but its own."""

import sqlite3
from pathlib import Path
from typing import Any

import environ

from pim_portal.environment.values import Values

DATABASE_SCHEMES = {"postgres", "postgresql", "sqlite"}
# The two names differ so that a database of sample people is never served as a real one, nor the other way round.
DATABASE_FILE = "pim.sqlite3"
DEMO_DATABASE_FILE = "demo.sqlite3"

SQLITE_OPTIONS = {
    # Every transaction takes the one write lock at its start: none fails half-way with "database is locked".
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": (
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA recursive_triggers=ON; "
        "PRAGMA busy_timeout=20000; PRAGMA foreign_keys=ON;"
    ),
}
ASKED_BEFORE = 2  # times that a connection is asked something until it is prepared: not what is asked but once
# Compiling a long question (jit) takes seconds, and a second process for it some milliseconds: as long as the answer.
POSTGRESQL_SESSION = "-c lock_timeout=5s -c statement_timeout=30s -c jit=off -c max_parallel_workers_per_gather=0"

HOW_TO_NAME_A_DATABASE = "Write postgres://USER:PASSWORD@HOST:5432/NAME or sqlite:////var/lib/pim/pim.sqlite3."


class Databases(Values):
    """Where everything is kept."""

    def database(self, data_dir: Path, *, demo: bool, make_folder: bool) -> dict[str, Any]:
        url = self.text("DATABASE_URL")
        if demo:
            return self.demo_database(data_dir, url)
        if not url:
            return self.sqlite(data_dir / DATABASE_FILE, make_folder=make_folder)
        parts = self.split("DATABASE_URL", url)
        if parts is None:
            return {}
        config = environ.Env.db_url_config(url) if parts.scheme in DATABASE_SCHEMES else {"NAME": ""}
        if parts.scheme == "sqlite" and config["NAME"] != ":memory:":
            return self.sqlite(Path(config["NAME"]).resolve(), make_folder=make_folder)
        if parts.scheme.startswith("postgres"):
            return self.postgresql(config)
        self.mistakes.append(f"DATABASE_URL must name PostgreSQL or an SQLite file. {HOW_TO_NAME_A_DATABASE}")
        return {}

    def demo_database(self, data_dir: Path, url: str) -> dict[str, Any]:
        """The demo opens no database but its own, whatever else is set."""
        if url:
            self.mistakes.append(
                "PIM_DEMO is on: the demo only runs on the SQLite file of its own, so unset DATABASE_URL."
            )
        if (data_dir / DATABASE_FILE).exists():
            self.mistakes.append(f"PIM_DEMO is on, but {data_dir} holds the database of a real portal.")
        return self.sqlite(data_dir / DEMO_DATABASE_FILE, make_folder=True)

    def sqlite(self, file: Path, *, make_folder: bool) -> dict[str, Any]:
        if file.name == DEMO_DATABASE_FILE and not self.switch("PIM_DEMO"):
            self.mistakes.append(
                "DATABASE_URL names the database of a demo. Its people and passwords are known to all."
            )
        if make_folder:
            self.make(file.parent)
        elif not file.parent.is_dir():
            self.mistakes.append(
                f"The folder {file.parent} for the database (PIM_DATA_DIR or DATABASE_URL) does not exist: "
                "make it, writable for the portal."
            )
        if sqlite3.sqlite_version_info < (3, 31):
            self.mistakes.append(f"SQLite {sqlite3.sqlite_version} is too old: 3.31 at least.")
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": str(file), "OPTIONS": dict(SQLITE_OPTIONS)}

    def postgresql(self, config: dict[str, Any]) -> dict[str, Any]:
        if not config["NAME"]:
            self.mistakes.append(f"DATABASE_URL names no database. {HOW_TO_NAME_A_DATABASE}")
        options = dict(config.get("OPTIONS", {}))
        # What is asked again and again is prepared: to plan a question takes longer than to answer it, most often.
        options |= {"server_side_binding": True, "prepare_threshold": ASKED_BEFORE}
        options["options"] = f"{POSTGRESQL_SESSION} {options.get('options', '')}".strip()
        # No connection pool: it does not live through the fork of the worker. A new connection has to learn everything
        # anew, so that whoever comes after a quiet minute should not need one.
        return {**config, "CONN_MAX_AGE": 600, "CONN_HEALTH_CHECKS": True, "OPTIONS": options}
