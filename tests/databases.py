"""A migrated SQLite database, kept between test runs: migrating takes a quarter of a minute, copying no time.

It is kept under a name made of everything that migrations run, so that a changed one is migrated from nothing. What
follows migrations (triggers, built-in roles) is made anew in every run.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

# Beside the migrations themselves, what their fields and functions are made of.
MADE_OF = ("*/migrations/*.py", "audit/kinds.py", "roles/models/encrypted.py", "roles/models/factors.py")
KEPT = 4  # several branches of work


@pytest.fixture(scope="session")
def kept(request: pytest.FixtureRequest) -> Path | None:
    """Where the migrated database is kept; None on PostgreSQL, and where pytest keeps nothing."""
    cache = request.config.cache if hasattr(request.config, "cache") else None
    if connection.vendor != "sqlite" or cache is None:
        return None
    return Path(cache.mkdir("migrated")) / f"{_fingerprint()}.sqlite3"


@pytest.fixture(scope="session")
def django_db_keepdb(request: pytest.FixtureRequest, kept: Path | None) -> bool:
    """Have Django migrate what lies there; the folder of each run goes with it."""
    return kept is not None or request.config.getvalue("reuse_db")


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None, kept: Path | None) -> None:
    if kept is not None and kept.exists():
        shutil.copyfile(kept, settings.DATABASES["default"]["TEST"]["NAME"])


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any, kept: Path | None) -> None:
    if kept is not None and not kept.exists():
        with django_db_blocker.unblock():
            _keep(kept)


def _fingerprint() -> str:
    digest = hashlib.sha256(sqlite3.sqlite_version.encode())
    for pattern in MADE_OF:
        for file in sorted(settings.BASE_DIR.glob(pattern)):
            digest.update(str(file.relative_to(settings.BASE_DIR)).encode() + b"\0" + file.read_bytes())
    # Some tables come from packages.
    for name in sorted(f"{one.name} {one.version}" for one in distributions()):
        digest.update(name.encode())
    return digest.hexdigest()[:32]


def _keep(file: Path) -> None:
    """Another process may do the same at this moment: whoever renames last has kept the same."""
    new = file.with_suffix(f".{os.getpid()}")
    with connection.cursor() as cursor:
        cursor.execute("VACUUM INTO %s", [str(new)])
    new.rename(file)
    for old in sorted(file.parent.glob("*.sqlite3"), key=lambda one: one.stat().st_mtime)[:-KEPT]:
        old.unlink(missing_ok=True)
