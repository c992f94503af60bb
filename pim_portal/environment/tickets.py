"""Who answers for tickets."""

import ipaddress

from pim_portal.environment.secrets import HOW_TO_MAKE_A_KEY, Secrets
from pim_portal.environment.values import LOOPBACK


class Tickets(Secrets):
    """The verifier of tickets: a function or a web hook, one of them."""

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


def _may_be_public(host: str) -> bool:
    """Return whether a host is a name of the network or a public address."""
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return host not in LOOPBACK
