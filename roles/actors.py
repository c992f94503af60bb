"""Who acts, with which second factor, from where; and the clock that a service reads once, after its lock."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from roles.models import User

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Presented:
    """A step-up that comes with one submitted form. It covers the objects of that form, and no second form."""

    step_up: uuid.UUID
    session: str
    objects: frozenset[uuid.UUID]
    form: uuid.UUID = field(default_factory=uuid.uuid4)

    @property
    def digest(self) -> str:
        """The digest of this form and the set of its objects, under which the step-up is spent."""
        parts = [str(self.form), *sorted(str(one) for one in self.objects)]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts. `user` is None when the portal itself does (the sweep) or its operator by a command."""

    user: User | None
    presented: Presented | None = None
    address: str = ""
    name: str = ""
    # Kinds of act for which this person gave a fresh second factor when they ordered exactly what is done now: a file
    # that they confirmed. Only who carries out such an order says so (`pim_portal.imports.services.orders`).
    ordered: frozenset[str] = frozenset()

    @classmethod
    def portal(cls) -> Actor:
        """The portal itself: what the clock decided is only written down."""
        return cls(user=None, name="PIM Portal")

    @classmethod
    def operator(cls, name: str) -> Actor:
        """Somebody with a shell on the server."""
        return cls(user=None, name=f"{name} (operator)")

    @property
    def id(self) -> uuid.UUID | None:
        return self.user.pk if self.user else None

    @property
    def label(self) -> str:
        return self.user.name if self.user else self.name

    def covering(self, objects: Iterable[uuid.UUID]) -> Actor:
        """Return this actor with the step-up bound to exactly these objects."""
        if self.presented is None:
            return self
        return replace(self, presented=replace(self.presented, objects=frozenset(objects)))
