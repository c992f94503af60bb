"""The databases of one run: what is the same at every size is built once, and each size is a filled copy of it."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from tests.bench.serving import manage

BASE = "bench_base"


def tell(text: str) -> None:
    """Say how far the run is; the tables alone go to standard output."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {text}\n")
    sys.stderr.flush()


def connect(url: str) -> psycopg.Connection[Any]:
    """Open a connection of its own, outside any transaction, to the database at `url`."""
    place, _slash, name = url.removeprefix("postgres://").rpartition("/")
    user, _at, host = place.partition("@")
    return psycopg.connect(host="/" + host.lstrip("/"), user=user, dbname=name, autocommit=True)


@dataclass(frozen=True, slots=True)
class Cluster:
    """The server that the run works on, and the folder of the portal's data."""

    url: str
    folder: Path

    def url_of(self, name: str) -> str:
        return f"{self.url.rpartition('/')[0]}/{name}"

    def copy(self, name: str, of: str) -> str:
        """Copy a database that nobody uses; return its URL."""
        with contextlib.closing(connect(self.url)) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {of}")
        return self.url_of(name)

    def base(self) -> dict[str, Any]:
        """Build the base; return the cast."""
        tell("Building what is the same at every size.")
        url, file = self.copy(BASE, "template0"), self.folder / "cast.json"
        manage(self.folder, url, "-m", "tests.bench.load", "--base", "--cast", str(file))
        manage(self.folder, url, "manage.py", "collectstatic", "--noinput", "--verbosity", "0")
        cast: dict[str, Any] = json.loads(file.read_text())
        return cast

    def filled(self, size: int) -> str:
        """Make the database of this size; return its URL."""
        url = self.copy(f"bench_{size}", BASE)
        tell(f"Loading {size:,} assignments, as many requests, {10 * size:,} events.")
        cast = str(self.folder / "cast.json")
        manage(self.folder, url, "-m", "tests.bench.load", str(size), "--filled-base", "--cast", cast)
        return url
