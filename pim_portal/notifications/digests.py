"""Writing the digests of a week into the outbox: on Monday mornings, one for each person it says something to."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Final

from django.db import transaction

from pim_portal.models import Due, DueItem, Notification, NotificationState
from pim_portal.notifications.catalogue import DIGEST
from pim_portal.notifications.matrix import Addressees
from pim_portal.notifications.recipients import ADMINISTRATORS, people_behind
from pim_portal.notifications.rows import Cause, have_it_sent, rows_for
from roles.actors import Clock
from roles.middleware import zone_of
from roles.models import Assignment, User
from roles.sweeping import one_by_one

MORNING: Final = time(7)  # on the clock of the reader


def week_before(now: datetime) -> datetime:
    """Return when the last whole week ended: Monday, midnight UTC."""
    day = now.astimezone(UTC).date()
    return datetime.combine(day - timedelta(days=day.weekday()), time(), tzinfo=UTC)


def readers(now: datetime, monday: datetime) -> list[User]:
    """Return who administers something now, or has mails kept for the digest, and has no digest of this week yet.

    Somebody disabled administers nothing; a digest that nobody gets takes what was kept for them along.
    """
    roles = [pk for ids in ADMINISTRATORS.values() for pk in ids]
    rows = Assignment.objects.in_effect(now).active().filter(role__in=roles).order_by()
    administer = {user.pk for user in people_behind(list(rows.values_list("principal", flat=True)), now)}
    kept = Notification.objects.filter(state=NotificationState.GATHERED, digest=None).order_by()
    meant = administer | set(kept.values_list("recipient", flat=True))
    written = DueItem.objects.filter(kind=Due.DIGEST, at=monday).values("subject_id")
    people = User.objects.filter(pk__in=meant).exclude(pk__in=written).order_by("pk")
    return [user for user in people if now >= datetime.combine(monday.date(), MORNING, zone_of(user.time_zone))]


def write_digests(*, clock: Clock, limit: int = 500) -> int:
    """Write the digests that are due, a small transaction each; return how many. What they say is found when sent.

    One that cannot be written keeps no other waiting; see `one_by_one`.
    """
    now = clock()
    monday = week_before(now)
    return one_by_one(readers(now, monday)[:limit], lambda user: _write(user, monday, now=now))


@transaction.atomic
def _write(user: User, monday: datetime, *, now: datetime) -> bool:
    """Write one digest; False when another sweep was faster, which the constraint decides."""
    item, mine = DueItem.objects.get_or_create(
        kind=Due.DIGEST, subject_id=user.pk, at=monday, defaults={"written_at": now}
    )
    if mine:
        (row,) = rows_for(DIGEST.name, Cause(due=item), Addressees((user,)))
        row.save(force_insert=True)
        kept = Notification.objects.filter(state=NotificationState.GATHERED, digest=None, recipient=user)
        kept.update(digest=row)
        have_it_sent()
    return mine
