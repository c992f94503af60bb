"""Delivering the history to the web hooks. May be called by anybody at any time, by several at once (`claims`).

Each web hook has a thread of its own: a dead target holds up no other. What was taken is remembered only after the
target said so; what came in between arrives once more, in its place and under the same ids.
"""

from __future__ import annotations

import json
import logging
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Final, NamedTuple

from django.db import connections
from django.utils.translation import gettext as _

from pim_portal.models import WebHook
from pim_portal.streams import claims, signing
from pim_portal.streams.heeding import retry_after
from pim_portal.streams.leaves import FORMAT, LeafGone, last_leaf, told
from pim_portal.streams.posting import Answer, post
from roles.actors import Clock

logger = logging.getLogger(__name__)

SECONDS: Final = 8.0  # how long one run goes on; the last sending takes as long at most, so it ends within 20 s
MOST_EVENTS: Final = 100  # in one message
MOST_BYTES: Final = 512 * 1024  # of one message, unless a single event is longer
MOST_LOOKED_AT: Final = 5000  # leaves, where few are of the kinds that are asked for


class Batch(NamedTuple):
    """The leaves from `first` to `last`, and the events among them that are asked for, as JSON."""

    first: int
    last: int
    events: list[bytes]

    def body(self, hook: WebHook) -> bytes:
        """Return the message: our own JSON, described in docs/streams.md."""
        about = {"format": FORMAT, "type": "audit.events", "hook": str(hook.pk), "first": self.first, "last": self.last}
        return json.dumps(about).encode()[:-1] + b', "events": [' + b",\n".join(self.events) + b"]}"


def deliver_hooks(*, allow_private: bool, clock: Clock, seconds: float = SECONDS) -> int:
    """Send what is due to every web hook for at most about `seconds`; return how many messages were taken.

    An error that is not the target's is raised when all are done.
    """
    waiting = list(claims.due(clock()).values_list("pk", flat=True))
    if not waiting:
        return 0
    deadline = time.monotonic() + seconds

    def one(pk: uuid.UUID) -> int:
        try:
            return _keep_sending(pk, deadline=deadline, allow_private=allow_private, clock=clock)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(waiting), thread_name_prefix="web-hook") as pool:
        running = [pool.submit(one, pk) for pk in waiting]
    return sum(each.result() for each in running)


def _keep_sending(pk: uuid.UUID, *, deadline: float, allow_private: bool, clock: Clock) -> int:
    """Send batch after batch to one web hook until there is nothing left, one is not taken, or the time is over."""
    taken = 0
    while hook := claims.claim(pk, clock()):
        if hook.test_asked_at is not None:
            _test(hook, allow_private=allow_private, clock=clock)
        elif _send(hook, allow_private=allow_private, clock=clock):
            taken += 1
        else:
            break
        if time.monotonic() >= deadline:
            break
    return taken


def _send(hook: WebHook, *, allow_private: bool, clock: Clock) -> bool:
    try:
        batch = next_batch(hook)
    except LeafGone as gone:
        sentence = _("Leaf {leaf} of the history is gone. Verify the history.").format(leaf=gone.number)
        return claims.failed(hook, sentence, clock=clock)
    if not batch.events:
        return claims.passed(hook, batch.last)
    if not claims.on_its_way(hook, batch.last):
        return False
    # The same at every attempt, another one when it is sent anew on purpose.
    id = f"pim_{hook.pk.hex}_{hook.generation}_{batch.first}_{batch.last}"
    answer = _post(hook, id, batch.body(hook), allow_private=allow_private, clock=clock)
    if answer.error:
        wants = retry_after(answer.status, answer.retry_after, now=clock())
        return claims.failed(hook, answer.error, clock=clock, wants=wants)
    return claims.delivered(hook, now=clock())


def next_batch(hook: WebHook) -> Batch:
    """Return what comes next: the batch that was on its way when it broke off, else as much as one message may hold."""
    first, again = hook.position + 1, hook.upto > hook.position
    last = hook.upto if again else min(last_leaf(), hook.position + MOST_LOOKED_AT)
    events: list[bytes] = []
    size, seen = 0, hook.position
    for leaf, text in told(first, last, kinds=hook.kinds):
        if text is not None:
            full = len(events) == MOST_EVENTS or size + len(text) > MOST_BYTES
            if full and events and not again:
                break
            events.append(text)
            size += len(text)
        seen = leaf
    return Batch(first, seen, events)


def _test(hook: WebHook, *, allow_private: bool, clock: Clock) -> None:
    about = {"format": FORMAT, "type": "test", "hook": str(hook.pk), "events": []}
    id = f"pim_{hook.pk.hex}_test_{uuid.uuid4().hex}"
    answer = _post(hook, id, json.dumps(about).encode(), allow_private=allow_private, clock=clock)
    claims.tested(hook, answer.error, now=clock())


def _post(hook: WebHook, id: str, body: bytes, *, allow_private: bool, clock: Clock) -> Answer:
    now = clock()
    headers = signing.headers(hook.secrets(now), id=id, at=int(now.timestamp()), body=body)
    return post(hook.url, headers, body, allow_private=allow_private)
