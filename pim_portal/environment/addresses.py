"""The portal's own address, and whom it takes it from."""

from urllib.parse import urlsplit

from pim_portal.environment.values import LOOPBACK, Values


class Addresses(Values):
    """Where the portal is reached."""

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

    def security_contact(self) -> str:
        contact = self.text("PIM_SECURITY_CONTACT")
        if (contact and not contact.startswith(("mailto:", "https://", "tel:"))) or len(contact.split()) > 1:
            self.mistakes.append(
                "PIM_SECURITY_CONTACT must be an address that can be followed, like mailto:security@example.org."
            )
        return contact
