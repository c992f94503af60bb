"""What the tests of archives share: events of long ago, and the retention that lets them go."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import time_machine
from django.db import transaction
from django.utils import timezone

from audit.archive_files import file_of
from audit.groups import LEAST, Group
from audit.keys import SigningKey
from audit.kinds import Kind, Realm
from audit.models import Archive, Event
from audit.recording import Ids, write
from pim_portal.keeping.services import archive_history, change_retention
from pim_portal.keeping.staying import retention
from roles.actors import Actor
from tests.people import OPERATOR
from tests.sealed import seal_all

DAY = timedelta(days=1)
LONG_AGO = 200 * DAY  # before now, by the clock of the database, which no test can turn back


def happened(
    count: int = 1, *, kind: Kind = Kind.SESSIONS_ENDED, ago: timedelta = LONG_AGO, **fields: Any
) -> list[Event]:
    """Record some events as they came long ago: `ago` before now. `fields` are those of `write`."""
    moment = timezone.now() - ago
    given = {"realm": Realm.DIRECTORY, "actor_id": None, "ids": Ids()} | fields
    with time_machine.travel(moment, tick=False), transaction.atomic():
        return [
            write(
                kind,
                at=moment,
                details={"number": number},
                text={"actor": "Ines Okafor", "reason": f"Zoë’s ticket {number}"},
                **given,
            )
            for number in range(count)
        ]


def keep(days: int | None, *groups: Group) -> None:
    """Set for how many days these groups are kept, or all of them; at least for as long as they must be."""
    wanted = retention()
    for group in groups or Group:
        wanted[group] = None if days is None else max(days, LEAST[group].days)
    change_retention(wanted, reason="The law", actor=OPERATOR, clock=timezone.now)


def archive(folder: Path, key_file: Path, *, limit: int = 1000, actor: Actor = OPERATOR) -> list[Archive]:
    """Move what is too old, as the command does."""
    return archive_history(
        folder=folder, key_file=key_file, portal="https://pim.test", actor=actor, clock=timezone.now, limit=limit
    )


def sealed(key: SigningKey) -> None:
    seal_all(key, now=timezone.now())


def places(folder: Path) -> dict[uuid.UUID, int]:
    """Return in how many places each event stands that is known: in the database, or in the file of an archive."""
    found = {uuid.UUID(str(one)): 1 for one in Event.objects.values_list("uuid", flat=True)}
    for name in Archive.objects.values_list("name", flat=True):
        for line in file_of(folder, name).read_text(encoding="utf-8").splitlines():
            entry = json.loads(line)
            if "event" in entry:
                one = uuid.UUID(entry["event"]["uuid"])
                found[one] = found.get(one, 0) + 1
    return found


def known_archive(realm: Realm = Realm.DIRECTORY) -> Archive:
    """An archive that is known, and whose file is elsewhere."""
    now = timezone.now()
    made = Archive(
        number=(Archive.objects.order_by("number").values_list("number", flat=True).last() or 0) + 1,
        name=f"pim-audit-1-2-{realm}",
        sha256="ab" * 32,
        digest="cd" * 32,
        realm=realm,
        kinds=["session.signed_in"],
        leaves=2,
        first=1,
        last=2,
        oldest=now - LONG_AGO,
        newest=now - LONG_AGO + DAY,
        made_at=now,
    )
    with transaction.atomic():
        made.event = write(
            Kind.HISTORY_ARCHIVED, at=now, realm=Realm.DIRECTORY, actor_id=None, ids=Ids(), details=made.told
        ).uuid
        made.save(force_insert=True)
    return made
