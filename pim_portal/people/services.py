"""Disabling and changing people: what each app does of it, in one transaction."""

from __future__ import annotations

import uuid

from django.utils.translation import gettext as _

from approvals.services.closing import cancel_requests_of
from audit.kinds import Kind
from audit.recording import Ids
from pim_portal.accounts.services.sessions import end_sessions_of
from pim_portal.accounts.services.tickets import close_links_of
from roles.actors import Actor, Clock
from roles.models import User
from roles.refusals import About, Refused, Violation
from roles.service import service
from roles.services.locks import lock_principals
from roles.services.people import chain_of, change_person
from roles.services.principals import disable_person
from roles.text import MAX_REASON, clean, is_visible


@service(Kind.PERSON_CHANGED)
def change(
    user_id: uuid.UUID, *, email: str, manager_id: uuid.UUID | None, actor: Actor, clock: Clock, **values: str
) -> User:
    """Change who somebody is. With the address end the links that were mailed to it, or still wait to be; see
    `roles.services.people.change_person`. Raises `Refused`."""
    lock_principals({user_id, *chain_of(manager_id)})
    former = User.objects.values_list("email", flat=True).get(pk=user_id)
    user = change_person(user_id, email=email, manager_id=manager_id, actor=actor, clock=clock, **values)
    if former and user.email != former:
        close_links_of(user, clock())
    return user


@service(Kind.PERSON_DISABLED)
def disable(user_id: uuid.UUID, *, reason: str, actor: Actor, clock: Clock) -> User:
    """Disable somebody at once: roles end, requests, sessions and links with them. Raises `Refused`."""
    if not is_visible(reason) or len(clean(reason)) > MAX_REASON:
        sentence = _("Say why, in at most {limit} characters.").format(limit=MAX_REASON)
        raise Refused([Violation("reason_missing", sentence, "reason")], about=About(ids=Ids(target=user_id)))
    user = disable_person(user_id, reason=reason, actor=actor, clock=clock)
    now = clock()
    cancel_requests_of(user.pk, actor=actor, now=now, why="The person was disabled.")
    close_links_of(user, now)
    end_sessions_of(user, now=now)
    return user
