"""What the pages of an account ask."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from django.db.models import Q

from pim_portal.models import EntryTicket, PortalSession, TicketKind
from roles import ids
from roles.models import Assignment, User
from roles.models.prepared import Prepared
from roles.selectors.groups import privileged_through


def could_administer(user: User) -> bool:
    """Return whether this person holds Privileged Role Administrator at the directory, or may come to hold it.

    Directly or through a group, active or eligible, now or later: whoever resets them could become them.
    """
    groups = Assignment.objects.open().filter(principal=user, role=ids.GROUP_MEMBER).values("resource__group")
    given = Q(principal=user) | Q(principal__in=groups)
    role = Q(role=ids.PRIVILEGED_ROLE_ADMINISTRATOR, resource=ids.DIRECTORY)
    return Assignment.objects.open().filter(given, role).exists()


def working_ticket(digest: str, now: datetime) -> EntryTicket | None:
    """Return the ticket behind a link that still works."""
    rows = EntryTicket.objects.filter(digest=digest, used_at=None, until__gt=now, user__enabled=True)
    ticket = rows.select_related("user", "made_by").first()
    return ticket if ticket is not None and still_stands(ticket) else None


def still_stands(ticket: EntryTicket) -> bool:
    """Return whether a link may still let somebody in, as whoever made it stands now: they may have kept a copy.

    Not after they were disabled, nor once it is for somebody for whom they could not make it any more.
    """
    maker = ticket.made_by
    if maker is None:  # the operator of the server
        return True
    return maker.enabled and (could_administer(maker) or not _only_by_an_administrator(ticket))


def _only_by_an_administrator(ticket: EntryTicket) -> bool:
    """Return whether such a link is for a Privileged Role Administrator alone to make, by what its person has now."""
    if ticket.kind == TicketKind.INVITATION:
        return privileged_through(ticket.user_id)
    return could_administer(ticket.user)


_WAITING = Prepared(
    lambda user_id, now: (
        EntryTicket.objects.filter(user=user_id, used_at=None, until__gt=now)
        .select_related("made_by")
        .order_by("-made_at", "pk")[:1]
    )
)


def waiting_ticket(user_id: uuid.UUID, now: datetime) -> EntryTicket | None:
    """Return the link made last for this person, if it still works."""
    ticket = _WAITING.first(user_id, now)
    return ticket if ticket is not None and still_stands(ticket) else None


def sessions_of(user: User, *, now: datetime, idle: timedelta, whole: timedelta) -> list[PortalSession]:
    """Return the sessions of this person that have not ended by the clock, the one used last first."""
    rows = PortalSession.objects.filter(
        user=user, expire_date__gt=now, last_seen_at__gt=now - idle, signed_in_at__gt=now - whole
    )
    return list(rows.order_by("-last_seen_at", "pk"))
