"""Changing how long events are kept, and moving what is older into archives."""

from __future__ import annotations

import fcntl
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Final

from django.db import connection, transaction
from django.utils.translation import gettext as _

from audit import archive_files, archiving
from audit.groups import Group
from audit.keys import trusted
from audit.kinds import Kind, Realm
from audit.models import Archive, Event, Retention
from pim_portal.keeping.rules import RetentionFacts, too_short, unchanged
from pim_portal.keeping.staying import may_go, old, retention
from pim_portal.operations.processes import start_alone
from roles.actors import Actor, Clock
from roles.authority import Authority
from roles.catalogue import Permission
from roles.models import Purpose
from roles.refusals import About, Refused, Violation
from roles.rules.asked import reason_missing
from roles.service import record, service
from roles.services import step_ups
from roles.text import MAX_REASON, clean

logger = logging.getLogger(__name__)

# The worker gathers what becomes old for as long, so that there is an archive a month and not one a day.
COMMAND: Final = "archive_history"
GATHERED: Final = timedelta(days=30)
_LOCK: Final = 0x50494D4B454550  # "PIMKEEP": whoever changes the retention, one after the other


@service(Kind.RETENTION_CHANGED)
def change_retention(wanted: Mapping[Group, int | None], *, reason: str, actor: Actor, clock: Clock) -> list[Group]:
    """Set for how many days each group is kept (none: for ever); return the groups that changed. Raises `Refused`."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    now = clock()
    reason = clean(reason)
    about = About(text={"reason": reason[:MAX_REASON]} if reason else {})
    held = Authority(actor.user, now).by(Permission.OPERATE) if actor.user else None
    if actor.user is not None and held is None:
        sentence = _("Only who looks after the portal (Security Administrator) can do this.")
        raise Refused([Violation("not_allowed", sentence)], about=about)
    facts = RetentionFacts(wanted, retention(), reason)
    found = [unchanged(facts), reason_missing(facts), *(too_short(group, facts) for group in Group)]
    if broken := [one for one in found if one is not None]:
        raise Refused(broken, about=about)
    if actor.user is not None:
        step_ups.spend(actor, Purpose.SETTINGS, actor.user.pk, now=now)
    for group in facts.changed:
        Retention.objects.update_or_create(group=group, defaults={"days": wanted.get(group)})
    record(
        Kind.RETENTION_CHANGED,
        actor=actor,
        at=now,
        authority_id=held.assignment_id if held else None,
        details={
            "days_before": {group.value: facts.present[group] for group in facts.changed},
            "days_after": {group.value: wanted.get(group) for group in facts.changed},
            "shortened": [group.value for group in facts.shortened],
        },
        reason=reason,
    )
    return facts.changed


class AnotherArchives(Exception):  # noqa: N818 - what is the matter
    """Another process on this machine moves events into archives now."""


def archive_history(
    *, folder: Path, key_file: Path, portal: str, actor: Actor, clock: Clock, limit: int = archiving.AT_ONCE
) -> list[Archive]:
    """Move what is older than is set, and is needed by nothing, into archives of at most `limit` events each.

    Goes on with what another run left undone. It may be killed at any moment, and run twice. Raises `AnotherArchives`,
    `KeyUnusable`, `Broken` where what was written does not verify, OSError.
    """
    with _alone(folder):
        now = clock()
        archive_files.clear_away(folder, now=now)
        _remove(folder)
        made: list[Archive] = []
        for realm in Realm:
            while archive := _archive(realm, folder, key_file, portal=portal, actor=actor, clock=clock, limit=limit):
                made.append(archive)
                _remove(folder)
        return made


def _archive(
    realm: Realm, folder: Path, key_file: Path, *, portal: str, actor: Actor, clock: Clock, limit: int
) -> Archive | None:
    now = clock()
    leaves = archiving.oldest_first(may_go(old(now, kept=retention())), realm, limit=limit)
    if not leaves:
        return None
    keys = trusted(key_file)
    written = archiving.write(leaves, folder=folder, realm=realm, keys=keys, portal=portal, now=now)
    archive = written.archive
    with transaction.atomic():
        archiving.number(archive)
        # What is set may have changed meanwhile, and what is needed.
        still = may_go(old(now, kept=retention()))
        event = record(Kind.HISTORY_ARCHIVED, actor=actor, at=clock(), details=written.told)
        archiving.settle(written, event, still=still)
    logger.info("%d events went into the archive %s.jsonl.", archive.leaves, archive.name)
    return archive


def _remove(folder: Path) -> int:
    removed, after = 0, 0
    while True:
        count, after = archiving.remove(folder=folder, after=after)
        if not count:
            return removed
        removed += count


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    folder.mkdir(mode=0o750, parents=True, exist_ok=True)
    descriptor = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o640)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AnotherArchives from None
        yield
    finally:
        os.close(descriptor)


def may_delete() -> bool:
    """Return whether this process may move events out: on PostgreSQL that can be left to a role of its own."""
    if connection.vendor != "postgresql":
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT has_table_privilege(%s, 'DELETE')", [Event._meta.db_table])
        return bool(cursor.fetchone()[0])


def start(*, clock: Clock) -> bool:
    """Start a process that archives, where that is due and this process may; return whether it was started."""
    if not may_delete() or not is_due(clock=clock):
        return False
    start_alone([COMMAND, "--by-worker"])
    return True


def is_due(*, clock: Clock) -> bool:
    """Return whether the worker should archive: something has been old enough for a month, or a run broke off."""
    if archiving.left():
        return True
    overdue = old(clock(), kept=retention(), overdue_by=GATHERED)
    return may_go(overdue).exists()
