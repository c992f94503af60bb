"""One connection of HTTP, to an address that was allowed after its name was read: the name is not asked again.

So a name that leads outside when it is looked at and inside when it is used gains nothing. Nobody follows a redirect
here: `http.client` hands it back as the answer that it is.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
from urllib.parse import urlsplit

from roles.outbound.addresses import endpoints


class Line(http.client.HTTPConnection):
    """A connection to the host of `url`. Connecting raises `addresses.NotFound`, `addresses.Inside`, or OSError.

    `timeout`, in seconds, holds for each step of it; a deadline for all of them is for who uses it, by `cut`.
    """

    def __init__(self, url: str, *, timeout: float, allow_private: bool) -> None:
        parts = urlsplit(url)
        self.path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._https = parts.scheme == "https"
        self._allow_private = allow_private
        self._given_up = False
        # What the header Host needs is the default port of its own scheme.
        self.default_port = http.client.HTTPS_PORT if self._https else http.client.HTTP_PORT
        super().__init__(parts.hostname or "", parts.port or self.default_port, timeout=timeout)

    def connect(self) -> None:
        places = endpoints(self.host, self.port, https=self._https, allow_private=self._allow_private)
        for number, (family, address) in enumerate(places, start=1):
            line = socket.socket(family, socket.SOCK_STREAM)
            try:
                line.settimeout(self.timeout)
                line.connect(address)
            except OSError:
                line.close()
                if number == len(places):
                    raise
                continue
            self.sock = line
            break
        # Whoever gave it up while it was being connected saw nothing to close.
        if self._given_up:
            raise ConnectionAbortedError
        if self._https:
            self.sock = ssl.create_default_context().wrap_socket(self.sock, server_hostname=self.host)

    def cut(self) -> None:
        """End what still runs: whoever reads from this line finds it closed, and nothing is sent by it any more."""
        self._given_up = True
        line = self.sock
        if line is not None:
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
