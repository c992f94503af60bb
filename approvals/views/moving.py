"""Moving a place, which may loosen the settings that it inherits and then waits for a second administrator."""

from __future__ import annotations

import uuid

from django.http import HttpResponse
from django.utils import timezone

from approvals.models import Request
from approvals.services.settings_changes import move_or_ask
from approvals.views.settings_waiting import asked_instead
from roles.actors import Actor
from roles.answers import read_and_send
from roles.catalogue import Permission
from roles.guards import at_place
from roles.middleware import PortalRequest
from roles.models import Resource
from roles.views.tree import show_move


@read_and_send
@at_place(Permission.DEFINE)
def move(request: PortalRequest, place: Resource) -> HttpResponse:
    """Choose where a place is moved to, look at what that changes, confirm it."""

    def mover(target_id: uuid.UUID, *, seen: str, reason: str, actor: Actor) -> HttpResponse | None:
        done = move_or_ask(place.pk, target_id, seen=seen, reason=reason, actor=actor, clock=timezone.now)
        return asked_instead(request, done) if isinstance(done, Request) else None

    return show_move(request, place, mover)
