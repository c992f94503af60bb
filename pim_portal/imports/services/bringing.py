"""What bringing in people, groups and resources has in common."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from pim_portal.imports.reading import Line
from roles.actors import Actor, Clock
from roles.models import Resource, User
from roles.models.principals import search_key
from roles.refusals import Refused, Violation


@dataclass(frozen=True, slots=True)
class Bringing:
    """Who brings in, when, why, where, and whether people are invited at once.

    `standing` are scope paths of the file for which a node stands under another one here; `locked` the people whose
    rows are locked, where that is needed.
    """

    actor: Actor
    clock: Clock
    reason: str
    within: Resource | None
    invite: bool
    batch: uuid.UUID
    standing: dict[str, str] = field(default_factory=dict)
    locked: set[uuid.UUID] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A kind of file: the columns that it needs, what its lines lock beforehand, and what makes of one what it asks."""

    needed: tuple[str, ...]
    about: tuple[str, ...]  # the columns by which the report names a line
    lock: Callable[[Iterator[Line], Bringing], None]
    bring: Callable[[Line, Bringing], str]
    weight: Callable[[Line], int] = lambda line: 1  # how many lines it counts for


class ThereError(Exception):
    """What a line asks for is there already; perhaps with a sentence."""


def wrong(sentence: str) -> Refused:
    """The refusal of one line."""
    return Refused([Violation("wrong_line", sentence, "file")])


def person_named(name: str) -> User:
    """Return whom a line names by their user name. Raises `Refused`."""
    user = User.objects.filter(username_key=search_key(name)).first()
    if user is None:
        raise wrong(_("There is nobody called {name}, here or in a line above.").format(name=name))
    return user
