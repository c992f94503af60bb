"""Small pieces that the lists of requests and of one's own roles share with the pages about one of them."""

from __future__ import annotations

import uuid

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from approvals.models import Status
from roles.addresses import address_of
from roles.marks import tag
from roles.models import Role, RoleKind


def kind_of(role: Role) -> str:
    """Say what sort of role it is: its category in the directory, else its kind."""
    kind = role.category if role.kind == RoleKind.DIRECTORY and role.category else role.get_kind_display()
    return f"{kind} · {_('privileged')}" if role.privileged else str(kind)


def status_tag(status: str) -> SafeString:
    """Show the status of a request."""
    return tag(status, str(Status(status).label))


def request_page(pk: uuid.UUID) -> str:
    """Return the address of the page of a request."""
    return address_of("approvals:request", pk=pk)
