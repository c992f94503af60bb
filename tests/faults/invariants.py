"""What must be true after every fault, told from the raw rows alone. Shares nothing with the portal: plain SQL, plain
Python and the library `cryptography`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.faults.holding import held
from tests.faults.raw import Raw, Row, ids
from tests.faults.sealing import seals_broken

TABLES = (
    "roles_assignment",
    "roles_principal",
    "roles_group",
    "roles_role",
    "roles_resource",
    "roles_stepup",
    "approvals_request",
    "approvals_requeststage",
    "approvals_requestapprover",
    "approvals_decision",
    "pim_portal_notification",
    "audit_event",
    "audit_eventtext",
    "audit_pending",
    "audit_leaf",
    "audit_batch",
)
BEGINS = {"assignment.added", "assignment.renewed", "activation.started"}
ENDS = {
    "activation.expired",
    "activation.deactivated",
    "activation.ended",
    "assignment.expired",
    "assignment.removed",
    "assignment.ended",
}
# How a request that has ended says so, and the event that tells of it.
OUTCOMES = {
    "granted": "activation.started",
    "denied": "request.denied",
    "cancelled": "request.cancelled",
    "lapsed": "request.lapsed",
    "failed": "request.failed",
}
VERDICTS = {"approve": "request.approved", "deny": "request.denied"}


@dataclass
class Memory:
    """What had ended when it was looked at before: it is still so, with the same end (terminal is final)."""

    ended: dict[str, tuple[Any, ...]] = field(default_factory=dict)

    def broken(self, rows: dict[str, list[Row]]) -> Iterator[str]:
        now = {row["id"]: (row["ended_at"], row["end_reason"]) for row in rows["roles_assignment"] if row["ended_at"]}
        now |= {row["id"]: (row["status"],) for row in rows["approvals_request"] if row["status"] in OUTCOMES}
        for pk, end in self.ended.items():
            if now.get(pk) != end:
                yield f"{pk} had ended as {end}, and now it says {now.get(pk)}"
        self.ended = now


def broken(raw: Raw, *, memory: Memory, keys: Iterable[bytes], now: datetime) -> list[str]:
    """Return every sentence about what is wrong; none when all holds."""
    return wrong(raw.rows(*TABLES), memory=memory, keys=keys, now=now)


def wrong(rows: dict[str, list[Row]], *, memory: Memory, keys: Iterable[bytes], now: datetime) -> list[str]:
    """The same of rows that were read already."""
    parts = (_ends(rows), _changes_and_events(rows), _requests(rows), _spent(rows), _outbox(rows))
    found = [sentence for part in parts for sentence in part]
    return [*found, *memory.broken(rows), *seals_broken(rows, list(keys))]


def holders(raw: Raw, now: datetime) -> dict[str, set[str]]:
    """Return, for every person, the assignments by which they hold something now."""
    return held(raw.rows(*TABLES), now)


def _ends(rows: dict[str, list[Row]]) -> Iterator[str]:
    """Nothing is active after its end, no activation outlives its eligibility, no two fill the same slot."""
    by_id = {row["id"]: row for row in rows["roles_assignment"]}
    slots: Counter[tuple[Any, ...]] = Counter()
    for row in by_id.values():
        name = f"assignment {row['id']}"
        if bool(row["ended_at"]) != bool(row["end_reason"]):
            yield f"{name} has an end without a reason, or a reason without an end"
        if row["ended_at"] and row["ends_at"] and row["ended_at"] > row["ends_at"]:
            yield f"{name} ended after its end"
        source = by_id.get(row["activated_from_id"]) if row["activated_from_id"] else None
        if row["activated_from_id"]:
            if source is None or source["type"] != "eligible" or source["role_id"] != row["role_id"]:
                yield f"{name} was activated from nothing that allows it"
            elif source["ends_at"] and (row["ends_at"] is None or row["ends_at"] > source["ends_at"]):
                yield f"{name} outlives its eligibility"
        if row["ended_at"] is None:
            slots[(row["principal_id"], row["role_id"], row["resource_id"], row["type"], bool(source))] += 1
    yield from (f"the slot {slot} is filled {times} times" for slot, times in slots.items() if times > 1)


def _changes_and_events(rows: dict[str, list[Row]]) -> Iterator[str]:
    """No assignment begins or ends without one event that says so, and none is told of that is not there."""
    done = [row for row in rows["audit_event"] if row["outcome"] == "done"]
    begun = Counter(row["assignment_id"] for row in done if row["kind"] in BEGINS)
    ended = Counter(row["assignment_id"] for row in done if row["kind"] in ENDS)
    for row in rows["roles_assignment"]:
        pk = row["id"]
        if begun[pk] != 1:
            yield f"assignment {pk} began with {begun[pk]} events"
        if ended[pk] != bool(row["ended_at"]):
            yield f"assignment {pk} ({row['end_reason'] or 'not ended'}) has {ended[pk]} events of its end"
    there = ids(rows["roles_assignment"])
    yield from (f"an event tells of assignment {pk}, which is not there" for pk in {*begun, *ended} - there)
    people = Counter(row["target_id"] for row in done if row["kind"] == "person.added")
    for row in rows["roles_principal"]:
        if row["kind"] == "user" and people[row["id"]] != 1:
            yield f"person {row['id']} was added with {people[row['id']]} events"
    if ids(rows["audit_event"]) != ids(rows["audit_eventtext"], "event_id"):
        yield "an event stands without its text, or a text without its event"


def _requests(rows: dict[str, list[Row]]) -> Iterator[str]:
    """Each request was made once and has at most one outcome; each decision has its event, and none was one's own."""
    done = [row for row in rows["audit_event"] if row["outcome"] == "done" and row["request_id"]]
    told = Counter((row["kind"], row["request_id"]) for row in done)
    outcomes = set(OUTCOMES.values())
    assignments = {row["id"]: row for row in rows["roles_assignment"]}
    decisions = Counter((VERDICTS[row["verdict"]], row["request_id"]) for row in rows["approvals_decision"])
    requests = {row["id"]: row for row in rows["approvals_request"]}
    for pk, row in requests.items():
        if told["request.made", pk] != 1:
            yield f"request {pk} was made with {told['request.made', pk]} events"
        ends = {kind: told[kind, pk] for kind in outcomes if told[kind, pk]}
        wanted = {OUTCOMES[row["status"]]: 1} if row["status"] in OUTCOMES else {}
        if ends != wanted:
            yield f"request {pk} is {row['status']}, and the history tells of {ends or 'nothing'}"
        outcome = assignments.get(row["outcome_id"]) if row["outcome_id"] else None
        if (outcome is not None) != (row["status"] == "granted"):
            yield f"request {pk} is {row['status']} with the outcome {row['outcome_id']}"
    for kind in VERDICTS.values():
        for pk in requests:
            if told[kind, pk] != decisions[kind, pk]:
                yield f"request {pk}: {decisions[kind, pk]} decisions, {told[kind, pk]} events {kind}"
    by_whom = Counter((row["request_id"], row["approver_id"]) for row in rows["approvals_decision"])
    yield from (f"{who} decided request {pk} {times} times" for (pk, who), times in by_whom.items() if times > 1)
    for row in rows["approvals_decision"]:
        if row["approver_id"] in (
            requests[row["request_id"]]["requestor_id"],
            requests[row["request_id"]]["principal_id"],
        ):
            yield f"request {row['request_id']} was decided by whom it is for"
    activations = {pk for pk, row in assignments.items() if row["activated_from_id"]}
    if activations != {row["outcome_id"] for row in requests.values() if row["outcome_id"]}:
        yield "an activation came of no request, or two requests of one"


def _spent(rows: dict[str, list[Row]]) -> Iterator[str]:
    """A second factor was spent on one form, within its time."""
    for row in rows["roles_stepup"]:
        if bool(row["used_at"]) != bool(row["spent_on"]):
            yield f"step-up {row['id']} was spent on nothing"
        if row["used_at"] and row["used_at"] >= row["until"]:
            yield f"step-up {row['id']} was spent after its time"


def _outbox(rows: dict[str, list[Row]]) -> Iterator[str]:
    """Whoever is to be told is told once: each approver of a request that waits, and its requestor of the result."""
    mails = rows["pim_portal_notification"]
    to = Counter((row["event_id"], row["due_id"], row["mail"], row["recipient_id"], row["address"]) for row in mails)
    yield from (f"{one} stands {times} times in the outbox" for one, times in to.items() if times > 1)
    stages = {row["id"]: row for row in rows["approvals_requeststage"]}
    asked = {(stages[row["stage_id"]]["request_id"], row["principal_id"]) for row in rows["approvals_requestapprover"]}
    made = {row["id"]: row["request_id"] for row in rows["audit_event"] if row["kind"] == "request.made"}
    waits = {(made.get(row["event_id"]), row["recipient_id"]) for row in mails if row["mail"] == "request_waits"}
    yield from (f"{who} was not told of request {pk}" for pk, who in asked - waits)


def post_broken(raw: Raw, message_ids: list[str], *, repeats: int) -> list[str]:
    """What is sent arrived, and nothing else; twice only under the same Message-ID, at most `repeats` times."""
    arrived = Counter(one.partition("<")[2].partition("@")[0].partition(".")[0] for one in message_ids)
    rows = raw.rows("pim_portal_notification")["pim_portal_notification"]
    state = {row["id"]: row["state"] for row in rows}
    found = [f"mail {pk} is {state[pk]} and never arrived" for pk in state if state[pk] == "sent" and not arrived[pk]]
    found += [f"a mail arrived that stands in no outbox: {pk}" for pk in arrived if pk not in state]
    found += [f"mail {pk} waits for ever" for pk in state if state[pk] == "waiting"]
    twice = sum(times - 1 for times in arrived.values())
    if twice > repeats:
        found.append(f"{twice} mails arrived again, where {repeats} might")
    return found
