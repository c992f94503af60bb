"""Faults of the mail server: each of its moods for one run of the sender, then it is well again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.faults.arena import Arena
from tests.faults.work import due_items, overdue

CLOSED = "smtp://127.0.0.1:1"


def _waiting(arena: Arena) -> set[Any]:
    return {pk for (pk,) in arena.raw.tuples("SELECT id FROM pim_portal_notification WHERE state = 'waiting'")}


def mail_server_in_every_mood(arena: Arena) -> str:
    """Down, silent beyond the timeout, 421, 451, 550, 554 after the text, hung up after the text."""
    box = arena.postbox
    due_items(arena, 6)
    seen = []
    before = arena.waiting(condition="state = 'failed'")

    def run(name: str, begin: Callable[[], object], end: Callable[[], object] = lambda: None, **mail: str) -> None:
        arena.hurry()
        waited = _waiting(arena)
        assert waited, f"No mail is left to try {name!r} with."
        begin()
        arena.tick(**mail)
        end()
        # The sweep of that tick writes mails of its own.
        seen.append(f"{name}: {len(waited - _waiting(arena))} of {len(waited)} settled")
        arena.check()

    run("down", lambda: None, PIM_EMAIL_URL=CLOSED)
    assert not overdue(arena)
    assert arena.waiting(condition="state = 'waiting' AND attempts > 0") == 0, "An outage cost attempts."
    run("silent", lambda: setattr(box, "stall", 12), lambda: setattr(box, "stall", 0))
    run("421", lambda: box.answers_to_rcpt.append("421 4.3.2 Going down"))
    run(
        "hung up after the text",
        lambda: setattr(box, "drop_after_data", True),
        lambda: setattr(box, "drop_after_data", False),
    )
    arena.repeats += 1
    box.answers_to_rcpt[:] = ["451 4.7.1 Greylisted", "550 5.1.1 No such person", "451 4.7.1 Greylisted"]
    box.answers_to_data[:] = ["554 5.7.1 Looks like spam"]
    run("451, 550, 554", lambda: None)
    run("well", lambda: None)
    failed = arena.waiting(condition="state = 'failed'") - before
    assert failed == 2, f"{failed} mails were set aside."
    return f"{'; '.join(seen)}; the 2 refused for good are set aside and shown; {arena.check_post()} arrived"
