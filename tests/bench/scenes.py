"""What events are about, made beforehand: whom, where, why, and the texts with their salts and commitments.

A few thousand scenes played again and again make a history as varied as a real one at a twentieth of the cost.
"""

from __future__ import annotations

import hashlib
import json
import random
from typing import NamedTuple

from audit.kinds import Kind, Realm
from audit.recording import folded
from tests.bench.organisation import Named, Organisation

SCENES = 4000  # of each sort
SELDOM = "inc-48213"  # the ticket of what happens as seldom at every size
REASONS = (
    "Quarter end: mailbox rules of the finance team",
    "On call, disk full on the reporting server",
    "=SUM(A1:A9) as it stands in the ticket",
    "Change window, agreed with Zoë",
    "Rotate the keys of the vault; see runbook",
    'A user says "it does not work", again',
    "Patch day",
)


class Scene(NamedTuple):
    """The columns of an event that its scene decides; JSON in the canonical form."""

    realm: str
    actor: str
    target: str
    role: str | None
    resource: str | None
    commitments: str
    fields: str
    salts: str
    search: str


def is_signing_in(kind: Kind) -> bool:
    return kind.value.startswith(("session", "factor", "password", "reset"))


def is_asking(kind: Kind) -> bool:
    return kind.value.startswith(("request", "activation"))


def sort_of(kind: Kind) -> str:
    return "signing in" if is_signing_in(kind) else "asking" if is_asking(kind) else "other"


def scenes(about: Organisation, dice: random.Random) -> dict[str, list[Scene]]:
    """Return the scenes of each sort."""
    sorts = ("signing in", "asking", "other")
    return {sort: [_scene(sort, about, dice, number) for number in range(SCENES)] for sort in sorts}


def seldom_scene(about: Organisation, dice: random.Random, actor: Named, target: Named) -> Scene:
    """Return the scene of those whose own history is as long at every size, about a ticket that nobody else has."""
    return _scene("asking", about, dice, int(SELDOM.removeprefix("inc-")), (actor, target))


def _scene(
    sort: str, about: Organisation, dice: random.Random, number: int, who: tuple[Named, Named] | None = None
) -> Scene:
    alone = sort == "signing in"
    realm = Realm.DIRECTORY if alone else dice.choices(list(Realm), (55, 40, 5))[0]
    actor = dice.choice(about.people)
    target = actor if alone or dice.random() < 0.6 else dice.choice(about.people)
    if who is not None:
        realm, (actor, target) = Realm.DIRECTORY, who
    role = dice.choice(about.roles[realm]) if not alone and about.roles[realm] else None
    places = about.places[realm]
    # Much happens at few places.
    place = places[min(int(dice.expovariate(4 / len(places))), len(places) - 1)] if places and not alone else None
    texts = {"actor": actor[1], "target": target[1], "address": f"192.0.2.{dice.randrange(256)}"}
    texts |= {"role": role[1]} if role else {}
    texts |= {"resource": place[1]} if place else {}
    if sort == "asking":
        texts |= {"reason": f"{dice.choice(REASONS)} {dice.randrange(10_000)}", "ticket": f"INC-{number}"}
    salts = {name: dice.randbytes(16).hex() for name in texts}
    promises = {
        name: hashlib.sha256(bytes.fromhex(salts[name]) + text.encode()).hexdigest() for name, text in texts.items()
    }
    return Scene(
        str(realm),
        actor[0],
        target[0],
        role[0] if role else None,
        place[0] if place else None,
        _json(promises),
        _json(texts),
        _json(salts),
        folded(" ".join(texts.values())),
    )


def _json(form: dict[str, str]) -> str:
    return json.dumps(form, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
