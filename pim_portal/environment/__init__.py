"""The environment, read in one place. Every mistake is a sentence, and all of them are told at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.core.exceptions import ImproperlyConfigured

from pim_portal.environment.addresses import Addresses
from pim_portal.environment.databases import DATABASE_FILE, DEMO_DATABASE_FILE, Databases
from pim_portal.environment.messages import Messages
from pim_portal.environment.seals import Seals
from pim_portal.environment.tickets import Tickets
from pim_portal.environment.values import BASE_DIR

__all__ = ["BASE_DIR", "DATABASE_FILE", "DEMO_DATABASE_FILE", "Environment", "read"]


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


class Reader(Addresses, Databases, Messages, Seals, Tickets):
    """Everything, each kind read by its own."""

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

    def time_zone(self) -> str:
        name = self.text("PIM_TIME_ZONE") or "UTC"
        try:
            ZoneInfo(name)
        except (ValueError, OSError, KeyError):
            self.mistakes.append("PIM_TIME_ZONE is no time zone: write one like Europe/Berlin.")
        return name

    def licences_owned(self) -> int | None:
        """Read how many licences of the hosted product the organisation owns; None where that is not said."""
        if not self.text("PIM_LICENCES_OWNED"):
            return None
        return self.number("PIM_LICENCES_OWNED", 0, lowest=0, highest=10_000_000)
