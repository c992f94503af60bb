"""A PostgreSQL that can be stopped at once and started again, with its usual promises (fsync, synchronous commit)."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import psycopg

from tests.faults.waiting import PATIENCE, Unreachable, until
from tests.postgres import MISSING, binaries, unprivileged


class Cluster:
    """Reached only by the socket in its folder."""

    def __init__(self, folder: Path) -> None:
        """The cluster in this folder, which `make` makes."""
        found = binaries()
        assert found is not None, MISSING
        self.programs, self.folder, self.owner = found, folder, unprivileged()

    def make(self) -> None:
        """Make and start it, with a database of the portal."""
        folder = self.folder
        folder.mkdir(parents=True)
        if self.owner:
            os.chown(folder, self.owner["user"], self.owner["group"])
        # fmt: off
        self._run("initdb", "-D", str(folder / "data"), "-U", "postgres", "--auth=trust", "--encoding=UTF8",
                  "--locale=C.UTF-8", "--wal-segsize=1")
        # fmt: on
        self.start()
        with psycopg.connect(host=str(folder), user="postgres", dbname="postgres", autocommit=True) as line:
            line.execute("CREATE ROLE pim LOGIN CREATEDB CREATEROLE")
            line.execute("CREATE DATABASE pim OWNER pim")

    @property
    def url(self) -> str:
        return f"postgres://pim@/{self.folder}/pim"

    @property
    def raw_url(self) -> str:
        return f"host={self.folder} user=pim dbname=pim"

    def start(self) -> None:
        options = f"-c listen_addresses='' -c unix_socket_directories={self.folder} -c max_connections=150"
        options += " -c max_wal_size=8MB -c min_wal_size=2MB"
        self._run(
            "pg_ctl", "start", "-w", "-D", str(self.folder / "data"), "-l", str(self.folder / "log"), "-o", options
        )

    def stop(self, how: str = "immediate") -> None:
        self._run("pg_ctl", "stop", "-m", how, "-D", str(self.folder / "data"))

    def start_again_if_it_stopped(self) -> None:
        """A full disk may have ended it."""
        status = self._run("pg_ctl", "status", "-D", str(self.folder / "data"), check=False)
        if status:
            self.start()
        until(self._answers, PATIENCE, "PostgreSQL answers")

    def _answers(self) -> bool:
        try:
            with psycopg.connect(self.raw_url) as line:
                line.execute("SELECT 1")
        except psycopg.Error as error:
            raise Unreachable from error
        return True

    def _run(self, program: str, *words: str, check: bool = True) -> int:
        command = [str(self.programs / program), *words]
        # What it says stands in its log.
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self.folder,
            check=False,
            **self.owner,
        )
        assert not check or done.returncode == 0, f"{program} did not work."
        return done.returncode
