"""Ending what somebody has: many changes by one form, each in a transaction of its own and each with its own result."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from pim_portal.people.selectors.leaving import Everything, Item
from pim_portal.people.services import disable
from roles.actors import Actor, Clock
from roles.models import User
from roles.refusals import Refused
from roles.services.approvers import remove_approver
from roles.services.assignments import remove


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of one of them: `refused` holds the sentences, empty when it has ended. No item: disabling."""

    item: Item | None
    refused: str = ""


def objects_of(
    user: User, chosen: Collection[uuid.UUID], everything: Everything, actor_id: uuid.UUID
) -> set[uuid.UUID]:
    """Return what the second factor of the form must cover: the rows, the roles whose settings change, the act."""
    return {*chosen, *everything.roles_of(chosen), user.pk, actor_id}


def end_access(
    user: User,
    chosen: Collection[uuid.UUID],
    *,
    everything: Everything,
    and_disable: bool,
    reason: str,
    actor: Actor,
    clock: Clock,
) -> Iterator[Ended]:
    """End the chosen ones of what somebody has, and then disable them if that is wished; refuses nothing as a whole."""
    seats = {one.key for one in everything.seats}
    for item in everything.items:
        if item.key not in chosen:
            continue
        try:
            if item.key in seats:
                remove_approver(item.key, principal_id=user.pk, actor=actor, clock=clock)
            else:
                remove(item.key, actor=actor, reason=reason, clock=clock)
        except Refused as refused:
            yield Ended(item, refused.sentence)
        else:
            yield Ended(item)
    if and_disable:
        try:
            disable(user.pk, reason=reason, actor=actor, clock=clock)
        except Refused as refused:
            yield Ended(None, refused.sentence)
        else:
            yield Ended(None)
