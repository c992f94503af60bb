"""Run a command with DATABASE_URL naming a PostgreSQL made for it alone: python -m tests.postgres COMMAND...

Without a command it only says whether PostgreSQL is there. With --durable before the command it writes as one in
production does, and has the memory of a small one: for measuring.
"""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import psycopg

MISSING = "PostgreSQL is missing, and half of the tests need it. On Debian: apt-get install postgresql"
NO_USER = "PostgreSQL does not run as root, and there is no user postgres or nobody to run it as."
START_SECONDS = 30
STOP_SECONDS = 20

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

# The cluster lives for one run, so that it need not survive a crash.
FLEETING = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
LASTING = ("shared_buffers=1GB", "effective_cache_size=4GB", "random_page_cost=1.1", "max_wal_size=4GB")
OPTIONS = ("listen_addresses=", "max_connections=150")


def binaries() -> Path | None:
    """The folder with `initdb` and `postgres`; the newest version where there are several."""
    folders = sorted(Path("/usr/lib/postgresql").glob("[0-9]*/bin"), key=lambda folder: -float(folder.parent.name))
    if pg_config := shutil.which("pg_config"):
        answer = subprocess.run([pg_config, "--bindir"], capture_output=True, text=True, check=True)
        folders.append(Path(answer.stdout.strip()))
    if postgres := shutil.which("postgres"):
        folders.append(Path(postgres).resolve().parent)
    return next((folder for folder in folders if (folder / "initdb").exists() and (folder / "postgres").exists()), None)


def unprivileged() -> dict[str, Any]:
    """How to start a process of PostgreSQL, which refuses to be root."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    sys.exit(NO_USER)


@contextmanager
def cluster(programs: Path, *, durable: bool = False) -> Iterator[str]:
    """A cluster in a folder of its own, reached only by the socket in it; gives its DATABASE_URL."""
    owner = unprivileged()
    folder = Path(tempfile.mkdtemp(prefix="pim-postgres-"))
    server: subprocess.Popen[bytes] | None = None
    try:
        if owner:
            os.chown(folder, owner["user"], owner["group"])
        # fmt: off
        subprocess.run(
            [programs / "initdb", "-D", folder / "data", "-U", "postgres", "--auth=trust", "--no-sync",
             "--encoding=UTF8", "--locale=C.UTF-8"],
            check=True, stdout=subprocess.DEVNULL, cwd=folder, **owner,
        )
        # fmt: on
        kept = LASTING if durable else FLEETING
        options = [word for option in (*OPTIONS, *kept, f"unix_socket_directories={folder}") for word in ("-c", option)]
        with open(folder / "log", "wb") as log:
            # In a session of its own, so that Ctrl-C first stops the command and then, here, the server.
            server = subprocess.Popen(
                [programs / "postgres", "-D", folder / "data", *options],
                stdout=log,
                stderr=log,
                cwd=folder,
                start_new_session=True,
                **owner,
            )
        make_database(folder, server)
        yield f"postgres://pim@/{folder}/pim"
    finally:
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        if server is not None:
            stop(server)
        shutil.rmtree(folder)


def make_database(folder: Path, server: subprocess.Popen[bytes]) -> None:
    """As in production, the portal's user is no superuser."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            with psycopg.connect(host=str(folder), user="postgres", dbname="postgres", autocommit=True) as connection:
                connection.execute("CREATE ROLE pim LOGIN CREATEDB CREATEROLE")
                connection.execute("CREATE DATABASE pim OWNER pim")
            return
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"PostgreSQL does not start:\n{(folder / 'log').read_text()}")
            time.sleep(0.1)


def stop(server: subprocess.Popen[bytes]) -> None:
    for request in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        server.send_signal(request)
        try:
            server.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            continue
        return


def run(command: list[str], url: str) -> int:
    process = subprocess.Popen(command, env={**os.environ, "DATABASE_URL": url})
    try:
        return process.wait()
    except KeyboardInterrupt:
        # The terminal sent it to the command too, which ends in its own way.
        return process.wait()
    except SystemExit:
        process.terminate()
        process.wait()
        raise


def terminated(number: int, frame: FrameType | None) -> None:
    sys.exit(128 + number)


def main(command: list[str]) -> int:
    programs = binaries()
    if programs is None:
        sys.exit(MISSING)
    durable = command[:1] == ["--durable"]
    command = command[1:] if durable else command
    if not command:
        return 0
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, terminated)
    with cluster(programs, durable=durable) as url:
        return run(command, url)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
