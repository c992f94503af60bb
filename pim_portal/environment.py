"""The environment, read in one place. Every mistake is a sentence, and all of them are told at once."""

import ipaddress
import os
import secrets
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo

import environ
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent

LOOPBACK = {"127.0.0.1", "localhost"}
SECRET_LENGTH = 50
SECRET_DISTINCT = 15
TOKEN_LENGTH = 32
KNOWN_SECRETS = ("django-insecure", "changeme", "change-me", "secret-key", "secret_key", "example", "password")

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
POSTGRESQL_TIMEOUTS = "-c lock_timeout=5s -c statement_timeout=30s"

# What apprise can do and no chat channel is: mail, and what stays on this machine.
NO_CHANNELS = {"mailto", "mailtos", "syslog", "dbus", "qt", "glib", "kde", "gnome", "macosx", "windows"}

HOW_TO_MAKE_A_KEY = "Make one: python3 -c 'import secrets; print(secrets.token_urlsafe(64))'"
HOW_TO_NAME_A_DATABASE = "Write postgres://USER:PASSWORD@HOST:5432/NAME or sqlite:////var/lib/pim/pim.sqlite3."


@dataclass(frozen=True)
class Environment:
    debug: bool
    demo: bool
    secret_key: str
    secret_key_fallbacks: list[str]
    base_url: str
    allowed_hosts: list[str]
    trusted_proxies: int
    time_zone: str
    idle_minutes: int
    session_hours: int
    data_dir: Path
    database: dict[str, Any]
    email: dict[str, Any]
    email_from: str
    audit_key: Path
    audit_archives: Path
    audit_anchors: list[str]
    audit_stdout: bool
    web_hooks_allow_private: bool
    chat_urls: list[str]
    chat_reasons: bool
    ticket_verifier: str
    ticket_url: str
    ticket_secret: str
    ticket_allow_private: bool
    metrics_token: str
    security_contact: str
    licences_owned: int | None

    @property
    def production(self) -> bool:
        return not (self.debug or self.demo)

    @property
    def https(self) -> bool:
        return self.base_url.startswith("https://")


def read(variables: Mapping[str, str]) -> Environment:
    """Read the settings from environment variables.

    Raises ImproperlyConfigured with one sentence a line when anything is missing or wrong.
    """
    reader = Reader(variables)
    environment = reader.environment()
    if reader.mistakes:
        listed = "\n".join(f"- {mistake}" for mistake in reader.mistakes)
        raise ImproperlyConfigured(f"The portal does not start, because of its environment:\n{listed}")
    return environment


def _may_be_public(host: str) -> bool:
    """Return whether a host is a name of the network or a public address."""
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return host not in LOOPBACK


class Reader:
    """Collects mistakes while it reads; what it returns is only good when there are none."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self.variables = {name: value.strip() for name, value in variables.items()}
        self.mistakes: list[str] = []

    def environment(self) -> Environment:
        debug = self.switch("PIM_DEBUG")
        demo = self.switch("PIM_DEMO")
        data_dir = self.data_dir(demo)
        base_url = self.base_url(debug=debug, demo=demo)
        return Environment(
            debug=debug,
            demo=demo,
            secret_key=self.secret_key(data_dir, generate=debug or demo),
            secret_key_fallbacks=self.names("PIM_SECRET_KEY_FALLBACKS"),
            base_url=base_url,
            allowed_hosts=self.allowed_hosts(base_url, demo=demo),
            trusted_proxies=self.trusted_proxies(demo),
            time_zone=self.time_zone(),
            idle_minutes=self.number("PIM_IDLE_MINUTES", 30, lowest=5, highest=60),
            session_hours=self.number("PIM_SESSION_HOURS", 8, lowest=1, highest=12),
            data_dir=data_dir,
            database=self.database(data_dir, demo=demo, make_folder=debug or demo),
            email=self.email(demo),
            email_from=self.email_from(base_url),
            audit_key=self.audit_key(data_dir),
            audit_archives=self.audit_archives(data_dir),
            audit_anchors=self.audit_anchors(),
            audit_stdout=self.switch("PIM_AUDIT_STDOUT"),
            web_hooks_allow_private=self.switch("PIM_WEB_HOOKS_ALLOW_PRIVATE"),
            chat_urls=self.chat_urls(demo),
            chat_reasons=self.switch("PIM_CHAT_REASONS"),
            ticket_verifier=self.ticket_verifier(),
            ticket_url=self.ticket_url(),
            ticket_secret=self.ticket_secret(),
            ticket_allow_private=self.switch("PIM_TICKET_ALLOW_PRIVATE"),
            metrics_token=self.metrics_token(),
            security_contact=self.security_contact(),
            licences_owned=self.licences_owned(),
        )

    # Reading a value

    def text(self, name: str) -> str:
        return self.variables.get(name, "")

    def names(self, name: str) -> list[str]:
        return [entry.strip() for entry in self.text(name).split(",") if entry.strip()]

    def switch(self, name: str) -> bool:
        value = self.text(name).lower()
        if value in {"", "0", "false", "no", "off"}:
            return False
        if value not in {"1", "true", "yes", "on"}:
            self.mistakes.append(f"{name} is a switch: write 1 or 0.")
        return True

    def number(self, name: str, default: int, *, lowest: int, highest: int) -> int:
        value = self.text(name)
        if not value:
            return default
        if not value.isascii() or not value.isdecimal() or not lowest <= int(value) <= highest:
            self.mistakes.append(f"{name} must be a whole number from {lowest} to {highest}.")
            return default
        return int(value)

    # The variables, one by one

    def data_dir(self, demo: bool) -> Path:
        named = self.text("PIM_DATA_DIR")
        if named:
            return Path(named).expanduser().resolve()
        return BASE_DIR / (".demo" if demo else "data")

    def secret_key(self, data_dir: Path, *, generate: bool) -> str:
        secret = self.text("PIM_SECRET_KEY")
        if not secret and generate:
            return self.generated_secret(data_dir)
        if not secret:
            self.mistakes.append(f"PIM_SECRET_KEY is missing. {HOW_TO_MAKE_A_KEY}")
        else:
            self.judge_secret("PIM_SECRET_KEY", secret)
        for fallback in self.names("PIM_SECRET_KEY_FALLBACKS"):
            self.judge_secret("PIM_SECRET_KEY_FALLBACKS", fallback)
        return secret

    def judge_secret(self, name: str, secret: str) -> None:
        if len(secret) < SECRET_LENGTH:
            self.mistakes.append(f"{name} is too short: {SECRET_LENGTH} characters at least. {HOW_TO_MAKE_A_KEY}")
        elif len(set(secret)) < SECRET_DISTINCT:
            self.mistakes.append(f"{name} repeats itself and can be guessed. {HOW_TO_MAKE_A_KEY}")
        elif any(known in secret.lower() for known in KNOWN_SECRETS):
            self.mistakes.append(f"{name} looks like one from a manual. {HOW_TO_MAKE_A_KEY}")

    def generated_secret(self, data_dir: Path) -> str:
        """The secret of a demo or a developer: made once, so that sessions and factors live through a restart."""
        self.make(data_dir)
        file = data_dir / "secret-key"
        try:
            with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as new:
                new.write(secrets.token_urlsafe(64))
        except FileExistsError:
            pass
        except OSError as error:
            self.mistakes.append(f"{file} cannot be written: {error.strerror}.")
            return ""
        return file.read_text()

    def make(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            self.mistakes.append(f"The folder {folder} cannot be made: {error.strerror}.")

    def base_url(self, *, debug: bool, demo: bool) -> str:
        value = self.text("PIM_BASE_URL").rstrip("/")
        if not value and (debug or demo):
            return "http://127.0.0.1:8000"
        if not value:
            self.mistakes.append("PIM_BASE_URL is missing: the address that people open, like https://pim.example.org.")
            return value
        parts = self.split("PIM_BASE_URL", value)
        if parts is None:
            return value
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            self.mistakes.append("PIM_BASE_URL must be a whole address, like https://pim.example.org.")
        elif parts.path or parts.query or parts.fragment or parts.username is not None:
            self.mistakes.append(
                "PIM_BASE_URL must be a scheme, a host and perhaps a port: the portal needs a host of its own."
            )
        elif (debug or demo) and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
            switch = "PIM_DEMO" if demo else "PIM_DEBUG"
            self.mistakes.append(f"{switch} is on: PIM_BASE_URL may then only be http://127.0.0.1 or http://localhost.")
        elif parts.scheme == "http" and parts.hostname not in LOOPBACK:
            self.mistakes.append("PIM_BASE_URL must begin with https://. Only 127.0.0.1 and localhost may do without.")
        return value

    def split(self, name: str, value: str) -> SplitResult | None:
        try:
            parts = urlsplit(value)
            parts.port  # noqa: B018  (raises when it is no number)
        except ValueError:
            self.mistakes.append(f"{name} is not an address that can be read.")
            return None
        return parts

    def allowed_hosts(self, base_url: str, *, demo: bool) -> list[str]:
        hosts = self.names("PIM_ALLOWED_HOSTS")
        if any("*" in host or host.startswith(".") for host in hosts):
            self.mistakes.append("PIM_ALLOWED_HOSTS must name each host in full: no * and no leading dot.")
        if demo and not LOOPBACK.issuperset(hosts):
            self.mistakes.append("PIM_DEMO is on: PIM_ALLOWED_HOSTS may then only name 127.0.0.1 and localhost.")
        if hosts or not base_url:
            return hosts
        try:
            host = urlsplit(base_url).hostname or ""
        except ValueError:
            return []
        return sorted(LOOPBACK) if host in LOOPBACK else [host]

    def trusted_proxies(self, demo: bool) -> int:
        if self.text("PIM_TRUSTED_PROXIES").lower() == "none":
            return 0
        proxies = self.number("PIM_TRUSTED_PROXIES", 0, lowest=0, highest=5)
        if demo and proxies:
            self.mistakes.append("PIM_DEMO is on: the demo runs behind no proxy, so leave PIM_TRUSTED_PROXIES out.")
        return proxies

    def audit_key(self, data_dir: Path) -> Path:
        named = self.text("PIM_AUDIT_KEY")
        return Path(named).expanduser().resolve() if named else data_dir / "audit-key.pem"

    def audit_archives(self, data_dir: Path) -> Path:
        named = self.text("PIM_AUDIT_ARCHIVES")
        return Path(named).expanduser().resolve() if named else data_dir / "archives"

    def audit_anchors(self) -> list[str]:
        names = self.names("PIM_AUDIT_ANCHORS")
        for name in names:
            file, path = name.startswith("file:"), name.removeprefix("file:")
            if not (Path(path).is_absolute() if file else all(part.isidentifier() for part in name.split("."))):
                self.mistakes.append(
                    f"PIM_AUDIT_ANCHORS names {name}: write file:/path/to/a/file, or the dotted path of a function."
                )
        return names

    def ticket_verifier(self) -> str:
        path = self.text("PIM_TICKET_VERIFIER")
        parts = path.split(".")
        if path and not (len(parts) > 1 and all(part.isidentifier() for part in parts)):
            self.mistakes.append(
                "PIM_TICKET_VERIFIER must be the dotted path of a function, like helpdesk.tickets.check."
            )
        if path and self.text("PIM_TICKET_URL"):
            self.mistakes.append(
                "PIM_TICKET_VERIFIER and PIM_TICKET_URL are both set: name one, so that it is clear who is asked."
            )
        return path

    def ticket_url(self) -> str:
        """Where the web hook asks. A literal address in a private network is told at once, a name when it is asked."""
        url = self.text("PIM_TICKET_URL")
        parts = self.split("PIM_TICKET_URL", url) if url else None
        if parts is None:
            return url
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            self.mistakes.append("PIM_TICKET_URL must be a whole address, like https://tickets.example.org/check.")
        elif parts.username is not None or parts.fragment:
            self.mistakes.append("PIM_TICKET_URL must hold no user and no fragment: the question is signed instead.")
        elif parts.scheme == "http" and parts.hostname not in LOOPBACK:
            self.mistakes.append(
                "PIM_TICKET_URL must begin with https://. Only 127.0.0.1 and localhost may do without."
            )
        elif not self.switch("PIM_TICKET_ALLOW_PRIVATE") and not _may_be_public(parts.hostname):
            self.mistakes.append(
                "PIM_TICKET_URL leads into a private network: set PIM_TICKET_ALLOW_PRIVATE=1 if that is meant."
            )
        return url

    def ticket_secret(self) -> str:
        secret = self.text("PIM_TICKET_SECRET")
        if secret:
            self.judge_secret("PIM_TICKET_SECRET", secret)
        elif self.text("PIM_TICKET_URL"):
            self.mistakes.append(
                f"PIM_TICKET_SECRET is missing: it signs what is asked at PIM_TICKET_URL. {HOW_TO_MAKE_A_KEY}"
            )
        return secret

    def metrics_token(self) -> str:
        token = self.text("PIM_METRICS_TOKEN")
        if token and len(token) < TOKEN_LENGTH:
            self.mistakes.append(
                f"PIM_METRICS_TOKEN is too short: {TOKEN_LENGTH} characters at least. {HOW_TO_MAKE_A_KEY}"
            )
        return token

    def security_contact(self) -> str:
        contact = self.text("PIM_SECURITY_CONTACT")
        if (contact and not contact.startswith(("mailto:", "https://", "tel:"))) or len(contact.split()) > 1:
            self.mistakes.append(
                "PIM_SECURITY_CONTACT must be an address that can be followed, like mailto:security@example.org."
            )
        return contact

    def licences_owned(self) -> int | None:
        """Read how many licences of the hosted product the organisation owns; None where that is not said."""
        if not self.text("PIM_LICENCES_OWNED"):
            return None
        return self.number("PIM_LICENCES_OWNED", 0, lowest=0, highest=10_000_000)

    def time_zone(self) -> str:
        name = self.text("PIM_TIME_ZONE") or "UTC"
        try:
            ZoneInfo(name)
        except (ValueError, OSError, KeyError):
            self.mistakes.append("PIM_TIME_ZONE is no time zone: write one like Europe/Berlin.")
        return name

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
        options["options"] = f"{POSTGRESQL_TIMEOUTS} {options.get('options', '')}".strip()
        # No connection pool: it does not live through the fork of the worker.
        return {**config, "CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True, "OPTIONS": options}

    def email(self, demo: bool) -> dict[str, Any]:
        """The mail server; empty when there is none, and then every sending fails and says so."""
        url = self.text("PIM_EMAIL_URL")
        if not url:
            return {}
        parts = self.split("PIM_EMAIL_URL", url)
        if parts is None:
            return {}
        if (
            parts.scheme not in {"smtp", "smtp+tls", "smtp+ssl"}
            or not parts.hostname
            or parts.path.strip("/")
            or parts.query
        ):
            self.mistakes.append(
                "PIM_EMAIL_URL must be smtp+tls://USER:PASSWORD@HOST:587, smtp+ssl://USER:PASSWORD@HOST:465 or smtp://HOST:25."
            )
            return {}
        if demo and parts.hostname not in LOOPBACK:
            self.mistakes.append(
                "PIM_DEMO is on: the demo writes to invented people, so its mail server may only be a local one."
            )
        if parts.scheme == "smtp" and parts.password and parts.hostname not in LOOPBACK:
            self.mistakes.append("PIM_EMAIL_URL would send its password in clear: use smtp+tls:// or smtp+ssl://.")
        config = environ.Env.email_url_config(url)
        default_port = {"smtp": 25, "smtp+tls": 587, "smtp+ssl": 465}[parts.scheme]
        return {
            "host": parts.hostname,
            "port": parts.port or default_port,
            "user": config["EMAIL_HOST_USER"] or "",
            "password": config["EMAIL_HOST_PASSWORD"] or "",
            "use_tls": parts.scheme == "smtp+tls",
            "use_ssl": parts.scheme == "smtp+ssl",
        }

    def chat_urls(self, demo: bool) -> list[str]:
        """The chat channels, as apprise writes them. A mistake is told by its place: an address holds a secret."""
        urls = self.text("PIM_CHAT_URLS").split()
        if not urls:
            return []
        # Imported where it is used: it takes a third of a second, and most portals have no channel.
        from apprise import Apprise

        for number, url in enumerate(urls, start=1):
            scheme = url.partition("://")[0].lower()
            if scheme in NO_CHANNELS or Apprise.instantiate(url) is None:
                self.mistakes.append(
                    f"PIM_CHAT_URLS: number {number} is no chat channel. Write what apprise knows, like "
                    "slack://… or json://HOST/PATH, separated by spaces."
                )
            elif demo and not self.is_local(url):
                self.mistakes.append(
                    f"PIM_DEMO is on: PIM_CHAT_URLS, number {number}, may then only lead to 127.0.0.1 or localhost."
                )
        return urls

    def is_local(self, url: str) -> bool:
        try:
            return urlsplit(url).hostname in LOOPBACK
        except ValueError:
            return False

    def email_from(self, base_url: str) -> str:
        sender = self.text("PIM_EMAIL_FROM")
        if not sender:
            if self.text("PIM_EMAIL_URL") and not (self.switch("PIM_DEMO") or self.switch("PIM_DEBUG")):
                self.mistakes.append(
                    "PIM_EMAIL_FROM is missing: the sender of the portal's mails, like PIM <pim@example.org>."
                )
            return "PIM Portal <pim@localhost>"
        if "@" not in parseaddr(sender)[1] or not sender.isprintable():
            self.mistakes.append("PIM_EMAIL_FROM must be an e-mail address, like PIM <pim@example.org>.")
        return sender
