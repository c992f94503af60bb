"""The portal tells every mistake in its environment, and the demo cannot be switched on outside the demo."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from pim_portal.environment import BASE_DIR, DATABASE_FILE, DEMO_DATABASE_FILE, Environment, read

SECRET = "7b0QmX2wVt9sLzR4eJc8uYpA6hNfGk3dDiToHrPxWqEnZlCaSvMgByUj"


@pytest.fixture
def production(tmp_path: Path) -> dict[str, str]:
    return {"PIM_SECRET_KEY": SECRET, "PIM_BASE_URL": "https://pim.example.org", "PIM_DATA_DIR": str(tmp_path)}


@pytest.fixture
def demo(tmp_path: Path) -> dict[str, str]:
    return {"PIM_DEMO": "1", "PIM_DATA_DIR": str(tmp_path)}


def mistakes(variables: dict[str, str]) -> str:
    with pytest.raises(ImproperlyConfigured) as refusal:
        read(variables)
    return str(refusal.value)


def test_a_complete_environment_is_production(production: dict[str, str], tmp_path: Path) -> None:
    environment = read(production)

    assert environment.production
    assert environment.https
    assert environment.allowed_hosts == ["pim.example.org"]
    assert environment.database["NAME"] == str(tmp_path / DATABASE_FILE)
    assert environment.trusted_proxies == 0


def test_all_mistakes_are_told_at_once() -> None:
    told = mistakes({"PIM_TIME_ZONE": "Mars", "PIM_SESSION_HOURS": "90"})

    for name in ("PIM_SECRET_KEY is missing", "PIM_BASE_URL is missing", "PIM_TIME_ZONE", "PIM_SESSION_HOURS"):
        assert name in told


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("PIM_SECRET_KEY", "", "is missing"),
        ("PIM_SECRET_KEY", "short", "too short"),
        ("PIM_SECRET_KEY", "ab" * 40, "can be guessed"),
        ("PIM_SECRET_KEY", "django-insecure-" + SECRET, "from a manual"),
        ("PIM_SECRET_KEY_FALLBACKS", "short", "too short"),
        ("PIM_BASE_URL", "", "is missing"),
        ("PIM_BASE_URL", "http://pim.example.org", "https://"),
        ("PIM_BASE_URL", "pim.example.org", "whole address"),
        ("PIM_BASE_URL", "https://pim.example.org/portal", "host of its own"),
        ("PIM_BASE_URL", "https://anna@pim.example.org", "host of its own"),
        ("PIM_BASE_URL", "https://pim.example.org:nine", "can be read"),
        ("PIM_BASE_URL", "https://[pim", "can be read"),
        ("PIM_ALLOWED_HOSTS", "*", "in full"),
        ("PIM_ALLOWED_HOSTS", "pim.example.org, .example.org", "in full"),
        ("PIM_TRUSTED_PROXIES", "many", "whole number"),
        ("PIM_TRUSTED_PROXIES", "-1", "whole number"),
        ("PIM_TIME_ZONE", "../../etc/passwd", "no time zone"),
        ("PIM_TIME_ZONE", "Mars/Olympus", "no time zone"),
        ("PIM_DEBUG", "maybe", "a switch"),
        ("PIM_DEMO", "maybe", "a switch"),
        ("PIM_IDLE_MINUTES", "0", "whole number"),
        ("PIM_IDLE_MINUTES", "²", "whole number"),
        ("DATABASE_URL", "mysql://pim@localhost/pim", "PostgreSQL or an SQLite file"),
        ("DATABASE_URL", "nonsense", "DATABASE_URL"),
        ("DATABASE_URL", "postgres://pim@localhost:port/pim", "can be read"),
        ("DATABASE_URL", "postgres://pim@localhost", "names no database"),
        ("DATABASE_URL", "sqlite://", "PostgreSQL or an SQLite file"),
        ("DATABASE_URL", "sqlite://:memory:", "can be read"),
        ("DATABASE_URL", "sqlite:////no/such/folder/pim.sqlite3", "does not exist"),
        ("PIM_EMAIL_URL", "mail.example.org", "smtp"),
        ("PIM_EMAIL_URL", "consolemail://", "smtp"),
        ("PIM_EMAIL_URL", "smtp://anna:word@mail.example.org", "in clear"),
        ("PIM_EMAIL_URL", "smtp+tls://mail.example.org:nine", "can be read"),
        ("PIM_EMAIL_FROM", "nobody", "e-mail address"),
        ("PIM_TICKET_VERIFIER", "check", "dotted path"),
        ("PIM_TICKET_VERIFIER", "os;system", "dotted path"),
        ("PIM_TICKET_URL", "tickets.example.org", "whole address"),
        ("PIM_TICKET_URL", "http://tickets.example.org/check", "https://"),
        ("PIM_TICKET_URL", "https://anna@tickets.example.org/check", "no user"),
        ("PIM_TICKET_URL", "https://10.1.2.3/check", "PIM_TICKET_ALLOW_PRIVATE"),
        ("PIM_TICKET_URL", "http://127.0.0.1:9000/check", "PIM_TICKET_ALLOW_PRIVATE"),
        ("PIM_TICKET_URL", "https://[tickets", "can be read"),
        ("PIM_TICKET_URL", "https://tickets.example.org/check", "PIM_TICKET_SECRET is missing"),
        ("PIM_TICKET_SECRET", "short", "too short"),
        ("PIM_TICKET_ALLOW_PRIVATE", "maybe", "a switch"),
        ("PIM_EMAIL_FROM", "a@example.org\nBcc: b@example.org", "e-mail address"),
    ],
)
def test_a_mistake_is_told_in_a_sentence(production: dict[str, str], name: str, value: str, sentence: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=sentence) as refusal:
        read({**production, name: value})

    assert name in str(refusal.value)


def test_a_mail_server_needs_a_sender(production: dict[str, str]) -> None:
    assert "PIM_EMAIL_FROM is missing" in mistakes({**production, "PIM_EMAIL_URL": "smtp+tls://mail.example.org"})


def test_one_ticket_system_is_asked_and_not_two(production: dict[str, str]) -> None:
    both = {"PIM_TICKET_URL": "https://tickets.example.org/", "PIM_TICKET_SECRET": SECRET, "PIM_TICKET_VERIFIER": "a.b"}

    assert "both set" in mistakes({**production, **both})


def test_a_ticket_system_on_this_machine_is_asked_where_that_is_meant(production: dict[str, str]) -> None:
    hook = {"PIM_TICKET_URL": "http://127.0.0.1:9000/", "PIM_TICKET_SECRET": SECRET, "PIM_TICKET_ALLOW_PRIVATE": "1"}

    environment = read({**production, **hook})

    assert (environment.ticket_url, environment.ticket_allow_private) == ("http://127.0.0.1:9000/", True)


def test_a_mistake_never_repeats_a_secret(production: dict[str, str]) -> None:
    told = mistakes({**production, "DATABASE_URL": "mysql://pim:hunter2@db/pim", "PIM_SECRET_KEY": "hunter2"})

    assert "hunter2" not in told


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://mail.example.org", {"port": 25, "use_tls": False, "use_ssl": False}),
        (
            "smtp+tls://an%40na:w%2Ford@mail.example.org",
            {"port": 587, "user": "an@na", "password": "w/ord", "use_tls": True},
        ),
        ("smtp+ssl://mail.example.org:2465", {"port": 2465, "use_ssl": True, "use_tls": False}),
    ],
)
def test_the_mail_server_is_read_from_its_address(
    production: dict[str, str], url: str, expected: dict[str, object]
) -> None:
    email = read({**production, "PIM_EMAIL_URL": url, "PIM_EMAIL_FROM": "PIM <pim@example.org>"}).email

    assert email["host"] == "mail.example.org"
    assert expected.items() <= email.items()


def test_postgresql_gives_up_waiting_and_keeps_what_its_address_says(production: dict[str, str]) -> None:
    url = "postgres://pim:word@db.example.org:5433/pim?sslmode=verify-full"

    database = read({**production, "DATABASE_URL": url}).database

    assert (database["HOST"], database["PORT"]) == ("db.example.org", 5433)
    assert database["OPTIONS"] == {
        "sslmode": "verify-full",
        "server_side_binding": True,
        "prepare_threshold": 2,
        "options": "-c lock_timeout=5s -c statement_timeout=30s -c jit=off -c max_parallel_workers_per_gather=0",
    }


@pytest.mark.parametrize("address", ["http://127.0.0.1:8123", "http://localhost:8123"])
def test_the_demo_runs_on_loopback_with_a_database_and_a_secret_of_its_own(
    demo: dict[str, str], tmp_path: Path, address: str
) -> None:
    first = read({**demo, "PIM_BASE_URL": address})
    second = read({**demo, "PIM_BASE_URL": address})

    assert first.demo
    assert first.database["NAME"] == str(tmp_path / DEMO_DATABASE_FILE)
    assert first.secret_key == second.secret_key
    assert len(first.secret_key) > 80
    assert (tmp_path / "secret-key").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PIM_BASE_URL", "https://pim.example.org"),
        ("PIM_BASE_URL", "http://pim.example.org"),
        ("PIM_BASE_URL", "http://0.0.0.0:8000"),
        ("PIM_BASE_URL", "http://127.0.0.1.example.org"),
        ("PIM_BASE_URL", "https://localhost"),
        ("DATABASE_URL", "postgres://pim@localhost/pim"),
        ("DATABASE_URL", "sqlite:////tmp/pim.sqlite3"),
        ("PIM_ALLOWED_HOSTS", "pim.example.org"),
        ("PIM_TRUSTED_PROXIES", "1"),
        ("PIM_EMAIL_URL", "smtp://mail.example.org"),
    ],
)
def test_the_demo_refuses_to_be_anything_else(demo: dict[str, str], name: str, value: str) -> None:
    assert "PIM_DEMO is on" in mistakes({**demo, name: value})


def test_the_demo_says_when_it_cannot_keep_its_data(demo: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    assert "cannot be made" in mistakes({**demo, "PIM_DATA_DIR": str(tmp_path / "file" / "folder")})


def test_the_demo_does_not_open_beside_a_real_database(demo: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / DATABASE_FILE).touch()

    assert "real portal" in mistakes(demo)


def test_production_does_not_serve_the_people_of_a_demo(production: dict[str, str], tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / DEMO_DATABASE_FILE}"

    assert "known to all" in mistakes({**production, "DATABASE_URL": url})


def test_debugging_is_for_loopback_only(production: dict[str, str]) -> None:
    assert "PIM_DEBUG is on" in mistakes({**production, "PIM_DEBUG": "1"})


def test_production_starts_on_loopback_for_a_pilot(production: dict[str, str]) -> None:
    environment = read({**production, "PIM_BASE_URL": "http://localhost:8000"})

    assert isinstance(environment, Environment)
    assert environment.production
    assert not environment.https


@pytest.mark.slow
def test_a_process_with_mistakes_ends_with_the_sentences_alone() -> None:
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("PIM_", "DJANGO_"))}

    ended = subprocess.run(
        [sys.executable, "manage.py", "check"], cwd=BASE_DIR, env=variables, capture_output=True, text=True, check=False
    )

    assert ended.returncode == 2
    assert "PIM_SECRET_KEY is missing" in ended.stderr
    assert "Traceback" not in ended.stderr
