"""Who runs a command on the server, as the history names them."""

from __future__ import annotations

import getpass
import os

from django.utils.translation import gettext as _

from roles.actors import Actor


def operator() -> Actor:
    """Return the operator, by the name that the host has for them; some hosts, and most containers, have none."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = _("user {number}").format(number=os.getuid())
    return Actor.operator(name)
