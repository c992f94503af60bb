"""An id in a posted field opens nothing: what one may not see is answered as a random id, and nothing changes."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import time_machine
from django.urls import reverse

from reviews.models import Verdict
from roles import ids
from roles.models import Resource, User
from tests.people import (
    EXCHANGE_ADMINISTRATOR,
    NOW,
    configure,
    custom_role,
    directory,
    give,
    group,
    make_eligible,
    person,
    request_activation,
    role,
    tree,
    unit,
)
from tests.reviewing import chosen, started
from tests.stepping import body_without, rows_of_everything, verified

RANDOM = uuid.UUID(int=0x5EED)
WRITTEN_ANYWAY = ("audit.", "roles.StepUp", "django_q.")


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@dataclass
class World:
    """Olga owns the tree Root and sees nothing else; Petra administers the directory and sees no resource.

    Theirs is what stands in a tree of its own, and what others have; Ines is eligible for one role at Root and below.
    """

    people: dict[str, User]
    root: Resource
    prod: Resource
    theirs: Resource
    ids: dict[str, uuid.UUID] = field(default_factory=dict)


@pytest.fixture
def world(db: None) -> World:
    cast = {name: person(name) for name in ("olga", "petra", "ines", "adam", "zoe", "amelie", "uwe")}
    root, prod = tree("Root", "Prod")
    theirs = tree("Theirs", "Their subscription")[0]
    made = World(cast, root, prod, theirs)
    give(cast["olga"], role(ids.OWNER), root)
    give(cast["petra"], role(ids.PRIVILEGED_ROLE_ADMINISTRATOR))
    give(cast["amelie"], role(ids.USER_ADMINISTRATOR))
    give(cast["uwe"], role(ids.OWNER), theirs)
    exchange = role(EXCHANGE_ADMINISTRATOR)
    configure(exchange, approvers=[cast["uwe"]])
    mine = make_eligible(cast["ines"], role(ids.READER), prod)
    there = make_eligible(cast["zoe"], role(ids.READER), theirs)
    waiting = make_eligible(cast["zoe"], exchange)
    review = started(role(ids.READER), stages=[chosen(cast["uwe"])], place=theirs, now=NOW)
    own_review = started(role(ids.READER), stages=[chosen(cast["adam"])], place=root, now=NOW)
    made.ids = {
        "their place": theirs.pk,
        "a unit": unit("Berlin").pk,
        "the directory": directory().pk,
        "their role": custom_role(theirs, "Made there").pk,
        "a directory role": exchange.pk,
        "their assignment": there.pk,
        "my eligibility": mine.pk,
        "somebody's eligibility": waiting.pk,
        "their request": request_activation(cast["zoe"], waiting).pk,
        "a stranger": cast["zoe"].pk,
        "a group": group("Team").pk,
        "their row": Verdict.objects.filter(instance=review).values_list("pk", flat=True)[0],
        "my instance": own_review.pk,
        "Root's assignment": make_eligible(cast["adam"], role(ids.READER), root).pk,
    }
    return made


@dataclass(frozen=True)
class Try:
    """Who sends which form with a foreign id in which field; `at` is what the path is about."""

    who: str
    page: str
    at: tuple[str, ...]
    name: str
    foreign: str
    fields: dict[str, Any] = field(default_factory=dict)
    get: bool = False


REVIEW = {
    "name": "Quarter",
    "covers": "both",
    "frequency": "once",
    "end": "never",
    "kind_1": "chosen",
    "days_1": "10",
    "look_back_days": "30",
    "if_unanswered": "no_change",
}
DUTY = {"name": "Apart", "reach": "hold", "reason": "so", "save": "1", "seen": ""}
GIVE = {"type": "eligible", "duration": "until", "ends_at": "2027-01-01T12:00", "reason": "needed"}
PERSON = {"name": "Zoe", "username": "zoe", "email": "zoe@example.org"}

TRIES = [
    Try("olga", "resource:place_move", ("prod",), "to", "their place", get=True),
    Try("olga", "resource:place_move", ("prod",), "to", "their place", {"reason": "so", "seen": "x"}),
    Try("olga", "resource:place_move", ("prod",), "to", "the directory", {"reason": "so", "seen": "x"}),
    Try("olga", "resource:assignments_add", ("root",), "role", "their role", GIVE | {"principal": "a stranger"}),
    Try("olga", "resource:assignments_add", ("root",), "role", "a directory role", GIVE | {"principal": "a stranger"}),
    Try("olga", "resource:assignments_end", ("root",), "chosen", "their assignment", {"reason": "so"}),
    Try("olga", "resource:assignments_end", ("root",), "chosen", "somebody's eligibility", {"reason": "so"}),
    Try("olga", "resource:role_settings_copy", ("root", "reader"), "to", "their role", {"copy": "1", "seen": "x"}),
    Try("olga", "resource:role_settings_copy", ("root", "reader"), "to", "a directory role", {"preview": "1"}),
    Try("olga", "resource:role_settings_difference", ("root", "reader"), "with", "their role", get=True),
    Try("olga", "resource:duty_add", ("root",), "roles", "their role", DUTY),
    Try("olga", "resource:duty_add", ("root",), "roles", "a directory role", DUTY),
    Try("olga", "resource:review_add", ("root",), "roles", "their role", REVIEW | {"reviewers_1": "a stranger"}),
    Try("olga", "resource:review_add", ("root",), "roles", "a directory role", REVIEW | {"reviewers_1": "a stranger"}),
    Try("olga", "resource:person_compare_at", ("root", "ines"), "with", "a stranger", get=True),
    Try("olga", "resource:person_at", ("root", "ines"), "chosen", "their assignment", {"reason": "so"}),
    Try("petra", "directory:assignments_end", (), "chosen", "Root's assignment", {"reason": "so"}),
    Try("petra", "world_act", ("directory",), "chosen", "Root's assignment", {"reason": "so", "act": "remove"}),
    Try("petra", "person_leave", ("adam",), "chosen", "Root's assignment", {"reason": "so"}),
    Try("petra", "directory:role_settings_difference", ("exchange",), "with", "their role", get=True),
    Try("ines", "approvals:activate", (), "eligibility", "their assignment", {"duration": "1", "reason": "so"}),
    Try("ines", "approvals:activate", (), "eligibility", "their assignment", get=True),
    *(
        Try("ines", page, at, "resource", foreign, {"duration": "1", "when": "now", "reason": "so"} | fields)
        for page, at, fields in [("approvals:activate", (), {"eligibility": "my eligibility"})]
        for foreign in ("their place", "a unit", "the directory")
    ),
    Try(
        "adam",
        "approvals:decide_selected",
        (),
        "request",
        "their request",
        {"verdict": "approve", "justification": "x"},
    ),
    Try("adam", "reviews:review", ("my instance",), "selection", "their row", {"verdict": "approved", "reason": "x"}),
    Try("amelie", "person_change", ("zoe",), "manager", "a group", PERSON),
    Try("amelie", "person_change", ("zoe",), "manager", "their place", PERSON),
]


def put(world: World, word: str) -> Any:
    known = {"root": world.root.pk, "prod": world.prod.pk, "reader": ids.READER, "exchange": EXCHANGE_ADMINISTRATOR}
    known |= {name: user.pk for name, user in world.people.items()} | world.ids
    return known.get(word, word)


def answer_to(world: World, one: Try, foreign: uuid.UUID) -> tuple[int, str, str]:
    """What the form with this id comes to: status, where it leads, and the page without the id."""
    client = verified(world.people[one.who])
    path = reverse(one.page, args=[put(world, word) for word in one.at])
    sent = {name: put(world, value) for name, value in one.fields.items()} | {one.name: str(foreign)}
    answer: Any = client.get(path, sent) if one.get else client.post(path, sent)
    body = body_without(answer.content.decode(), str(foreign))
    return answer.status_code, re.sub(str(foreign), "", answer.headers.get("Location", "")), body


def state() -> dict[str, list[Any]]:
    """What stands in the portal, but for the history, second factors and when somebody signed in last."""
    User.objects.update(last_login=None)
    return {name: rows for name, rows in rows_of_everything().items() if not name.startswith(WRITTEN_ANYWAY)}


@pytest.mark.slow
def test_a_foreign_id_is_answered_as_a_random_one_and_changes_nothing(world):
    before, wrong = state(), []
    for one in TRIES:
        said = answer_to(world, one, put(world, one.foreign))
        if said != answer_to(world, one, RANDOM):
            wrong.append((one, said[:2]))
        if state() != before:
            wrong.append((one, "something changed"))
            before = state()
    assert wrong == []
