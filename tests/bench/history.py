"""Many events of every kind, sealed, written by COPY: as the portal itself would have left them, byte for byte.

Deterministic: so many events about the same organisation are the same history. PostgreSQL only.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import islice
from typing import NamedTuple

from django.db import connection, transaction
from django.db.models import Max

from audit.keys import SigningKey
from audit.kinds import Kind, Outcome
from audit.models import Batch, Event
from audit.proofs import GENESIS, link, merkle_root, statement
from audit.services.sealing import seal, stated
from tests.bench.organisation import Organisation, existing
from tests.bench.scenes import Scene, is_asking, is_signing_in, scenes, seldom_scene, sort_of

BATCH = 1000
PART = 20 * BATCH  # events of one transaction
SPAN = timedelta(days=700)
SELDOM_EVENTS = 120  # about those who are seldom heard of, at every size
# How often each kind comes, of a hundred; every other kind shares the rest.
OFTEN = {
    Kind.SIGNED_IN: 18,
    Kind.SECOND_FACTOR_GIVEN: 14,
    Kind.ACTIVATION_STARTED: 15,
    Kind.ACTIVATION_EXPIRED: 9,
    Kind.ACTIVATION_DEACTIVATED: 6,
    Kind.REQUEST_MADE: 10,
    Kind.REQUEST_APPROVED: 8,
    Kind.REQUEST_DENIED: 2,
    Kind.ASSIGNMENT_ADDED: 5,
    Kind.REVIEW_DECIDED: 4,
}
# What a verification takes at its word: these tell of something that is not there.
TELLING = (Kind.TEXT_ERASED, Kind.HISTORY_ARCHIVED)
EVENTS = (
    "audit_event (id, uuid, occurred_at, recorded_at, kind, outcome, realm, actor_id, target_id, role_id, resource_id,"
    " request_id, assignment_id, authority_id, details, commitments, format_version)"
)
TEXTS = "audit_eventtext (event_id, fields, salts, search)"
LEAVES = "audit_leaf (number, event_id, hash, batch_id)"


class Made(NamedTuple):
    """One event as its lines for COPY, and what is sealed of it."""

    id: int
    event: str
    text: str
    leaf: bytes


def fill(count: int, key: SigningKey, *, until: datetime) -> None:
    """Write `count` sealed events that end at `until`, after what is there already. Raises on another database."""
    if connection.vendor != "postgresql":
        raise NotImplementedError("A large history is written by COPY, which only PostgreSQL has.")
    while seal(key, clock=lambda: until - SPAN):
        pass
    events = _events(count, existing(), until=until)
    last = Batch.objects.order_by("-number").first()
    with _without_triggers():
        while part := list(islice(events, PART)):
            with transaction.atomic():
                last = _write(part, last, key, at=until)
    with connection.cursor() as cursor:
        cursor.execute("SELECT setval(pg_get_serial_sequence('audit_event', 'id'), (SELECT max(id) FROM audit_event))")
        cursor.execute("SET statement_timeout = 0")  # of ten million events it takes minutes
        cursor.execute("ANALYZE" if connection.in_atomic_block else "VACUUM (ANALYZE)")


@contextmanager
def _without_triggers() -> Iterator[None]:
    """The triggers of the history ask of each row what is known of all of these."""
    tables = [into.partition(" ")[0] for into in (EVENTS, TEXTS, LEAVES)]
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        yield
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def _write(part: Sequence[Made], last: Batch | None, key: SigningKey, *, at: datetime) -> Batch | None:
    _copy(EVENTS, (one.event for one in part))
    _copy(TEXTS, (one.text for one in part))
    for start in range(0, len(part), BATCH):
        events = part[start : start + BATCH]
        batch = Batch(
            number=last.number + 1 if last else 1,
            first=last.first + last.size if last else 1,
            size=len(events),
            root=merkle_root([one.leaf for one in events]).hex(),
            previous=link(stated(last)) if last else GENESIS,
            sealed_at=at,
            key=key.id,
        )
        batch.signature = key.sign(statement(stated(batch)))
        batch.save(force_insert=True)
        numbered = enumerate(events, start=batch.first)
        _copy(LEAVES, (f"{number}\t{one.id}\t{one.leaf.hex()}\t{batch.number}\n" for number, one in numbered))
        last = batch
    return last


def _copy(into: str, lines: Iterable[str]) -> None:
    with connection.cursor() as cursor, cursor.copy(f"COPY {into} FROM STDIN") as copy:
        copy.write("".join(lines))


def _events(count: int, about: Organisation, *, until: datetime) -> Iterator[Made]:
    dice = random.Random(count)
    played = scenes(about, dice)
    seldom = [kind for kind in Kind if kind not in OFTEN and kind not in TELLING]
    kinds = [kind for kind, often in OFTEN.items() for _ in range(often)]
    kinds += [seldom[number % len(seldom)] for number in range(100 - len(kinds))]
    first = (Event.objects.aggregate(last=Max("id"))["last"] or 0) + 1
    step, start = SPAN / count, until - SPAN
    seldom_heard = seldom_scene(about, dice, *about.seldom)
    for number in range(count):
        kind = dice.choice(kinds) if number % 50 else seldom[number // 50 % len(seldom)]
        recorded = start + step * (number + 1)
        # A sweep writes down late what ended; then the order of the numbers is not that of the moments.
        late = timedelta(seconds=dice.randrange(7200)) if kind == Kind.ACTIVATION_EXPIRED else timedelta(0)
        scene = dice.choice(played[sort_of(kind)])
        if number % max(1, count // SELDOM_EVENTS) == 1:
            kind, scene = Kind.REQUEST_APPROVED, seldom_heard
        yield _made(first + number, kind, recorded - late, recorded, scene, dice)


def _made(pk: int, kind: Kind, occurred: datetime, recorded: datetime, scene: Scene, dice: random.Random) -> Made:
    asking = is_asking(kind)
    alone = is_signing_in(kind)
    occurred_at, recorded_at = (one.isoformat(timespec="microseconds") for one in (occurred, recorded))
    outcome = str(Outcome.DONE if (thrown := dice.random()) < 0.97 else Outcome.REFUSED if thrown < 0.998 else "failed")
    details = f'{{"granted_seconds":3600,"starts_at":"{occurred_at}","type":"active"}}' if asking else "{}"
    name, request, assignment, authority = (_id(dice.getrandbits(128)) for _ in range(4))
    ids = (
        scene.actor,
        scene.target,
        scene.role,
        scene.resource,
        request if asking else None,
        None if alone else assignment,
        None if alone or asking else authority,
    )
    # The form of audit.canonical, written out: a verification of what was made here holds it.
    actor, target, role, resource, request_id, assignment_id, authority_id = (
        f'"{one}"' if one else "null" for one in ids
    )
    sealed = (
        f'{{"actor_id":{actor},"assignment_id":{assignment_id},"authority_id":{authority_id},'
        f'"commitments":{scene.commitments},"details":{details},"format_version":1,"id":{pk},"kind":"{kind.value}",'
        f'"occurred_at":"{occurred_at}","outcome":"{outcome}","realm":"{scene.realm}","recorded_at":"{recorded_at}",'
        f'"request_id":{request_id},"resource_id":{resource},"role_id":{role},"target_id":{target},"uuid":"{name}"}}'
    )
    columns = "\t".join(one or "\\N" for one in ids)
    return Made(
        pk,
        f"{pk}\t{name}\t{occurred_at}\t{recorded_at}\t{kind.value}\t{outcome}\t{scene.realm}\t{columns}\t{details}"
        f"\t{scene.commitments}\t1\n",
        f"{pk}\t{_escaped(scene.fields)}\t{scene.salts}\t{_escaped(scene.search)}\n",
        hashlib.sha256(b"\x00" + sealed.encode()).digest(),
    )


def _id(number: int) -> str:
    text = f"{number:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\")
