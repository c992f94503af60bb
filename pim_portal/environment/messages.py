"""Where the portal's news go: the mail server, and chat channels."""

from email.utils import parseaddr
from typing import Any
from urllib.parse import urlsplit

import environ

from pim_portal.environment.values import LOOPBACK, Values

# What apprise can do and no chat channel is: mail, and what stays on this machine.
NO_CHANNELS = {"mailto", "mailtos", "syslog", "dbus", "qt", "glib", "kde", "gnome", "macosx", "windows"}


class Messages(Values):
    """How people are told."""

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
