"""Where a request may lead: to the public network, or nearer only where the portal's environment says so."""

from __future__ import annotations

import ipaddress
import socket
from typing import Final

# IPv6 addresses that carry an IPv4 address in their last 32 bits, or (6to4) behind their first 16.
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class NotFound(Exception):  # noqa: N818 - what is the matter
    """The network knows no such host."""


class Inside(Exception):  # noqa: N818 - what is the matter
    """The host lies where the portal may not go: in a private network, or in clear text outside this machine."""


def is_public(address: Address) -> bool:
    """Return whether an address lies in the public network, whichever way it is written."""
    if isinstance(address, ipaddress.IPv6Address):
        carried = address.ipv4_mapped or address.sixtofour
        if address in _NAT64:
            carried = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if carried is not None:
            return is_public(carried)
        if address.teredo is not None:
            return False
    return address.is_global and not address.is_multicast


def endpoints(host: str, port: int, *, https: bool, allow_private: bool) -> list[tuple[int, tuple[object, ...]]]:
    """Return the socket families and addresses of a host, each of them allowed.

    Raises `Inside` where one is not, `NotFound` where there is none. Who connects uses these, and asks no name again.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NotFound(host) from error
    for *_rest, address in found:
        where = ipaddress.ip_address(str(address[0]).split("%")[0])
        loopback = where.is_loopback
        if not (allow_private or is_public(where)) or not (https or loopback):
            raise Inside(host)
    return [(family, address) for family, _type, _proto, _name, address in found]
