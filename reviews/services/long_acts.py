"""What is too long for one transaction goes on chunk by chunk, each a transaction of its own with an event of its own.

Any worker takes the next chunk, under the lock of the instance; killed anywhere, the next one goes on from the cursor
that was committed with the rows. Only this file moves the cursor.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import QuerySet

from reviews.models import Doing, Instance, LongAct, Verdict
from reviews.services.ground import lock_instance
from roles.actors import Actor, Clock

CHUNK: Final = 1000  # rows of one transaction: well below a second
# Does the next chunk of an act and returns the ids that it came to, in order; fewer than CHUNK when it is the last.
DoChunk = Callable[[Instance, LongAct, datetime], list[uuid.UUID]]


def next_ids(rows: QuerySet[Verdict], act: LongAct) -> list[uuid.UUID]:
    """Return the ids of the next chunk among `rows`, in order."""
    if act.cursor is not None:
        rows = rows.filter(pk__gt=act.cursor)
    return list(rows.order_by("pk").values_list("pk", flat=True)[:CHUNK])


def begin(act: LongAct, instance: Instance, now: datetime, do: DoChunk) -> LongAct:
    """Write an act down and do its first chunk, in the transaction of whoever asked for it."""
    act.instance = instance
    act.save(force_insert=True)
    _carry_on(act, instance, now, do)
    return act


def go_on_due(doers: Mapping[Doing, DoChunk], *, clock: Clock, limit: int) -> int:
    """Do the next chunk of the act that was asked for first; return `limit` while there may be more, else 0."""
    for pk, instance_id in LongAct.objects.going_on().order_by("asked_at", "pk").values_list("pk", "instance"):
        with transaction.atomic():
            instance = lock_instance(instance_id, skip=True)
            act = LongAct.objects.going_on().select_related("actor").filter(pk=pk).first()
            if instance is None or act is None:
                continue
            _carry_on(act, instance, clock(), doers[Doing(act.doing)])
            return limit
    return 0


def _carry_on(act: LongAct, instance: Instance, now: datetime, do: DoChunk) -> None:
    ids = do(instance, act, now)
    act.done += len(ids)
    act.cursor = ids[-1] if ids else act.cursor
    act.finished_at = now if len(ids) < CHUNK else None
    act.save(update_fields=["done", "cursor", "finished_at"])


def actor_of(act: LongAct) -> Actor:
    """Return whoever asked for it, to be named by each of its events."""
    return Actor(user=act.actor, name=act.actor_name)


def going_on(instance: Instance, *doings: Doing) -> QuerySet[LongAct]:
    """Return the acts of these kinds that an instance is still busy with."""
    return LongAct.objects.going_on().filter(instance=instance, doing__in=doings)
