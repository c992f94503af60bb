"""Taking away everything of one world: allowed, recorded, and only then written."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.utils.translation import gettext as _

from audit.kinds import Kind
from pim_portal.exports.contents import World, paths_of
from roles.actors import Actor, Clock
from roles.authority import Authority
from roles.catalogue import GRANTS, Permission
from roles.models import Purpose
from roles.refusals import About, Refused, Violation
from roles.service import record, service
from roles.services import step_ups
from roles.text import MAX_REASON, clean, is_visible


@service(Kind.EXPORTED)
def export_everything(world: World, *, reason: str, actor: Actor, clock: Clock) -> datetime:
    """Record that somebody takes away everything of a world, and return when: what is written is as it stands then.

    Raises `Refused`. The step-up must cover the reader; it is spent.
    """
    reason = clean(reason)
    about = About(realm=world.realm, text={"reason": reason[:MAX_REASON]})
    now = clock()
    user = actor.user
    if user is None or not paths_of(authority := Authority(user, now), world):
        raise Refused([Violation("not_allowed", _("You may not export everything here."))], about=about)
    violations = []
    if not is_visible(reason) or len(reason) > MAX_REASON:
        sentence = _("Say why, in at most {limit} characters.").format(limit=MAX_REASON)
        violations.append(Violation("reason_missing", sentence, "reason"))
    if not step_ups.serves(actor, Purpose.EXPORT, user.pk, now=now):
        violations.append(step_ups.needed())
    if violations:
        raise Refused(violations, about=about)
    step_ups.spend(actor, Purpose.EXPORT, user.pk, now=now)
    record(
        Kind.EXPORTED,
        actor=actor,
        at=now,
        realm=world.realm,
        authority_id=_by(authority, world),
        details={"world": str(world), "whole": world is World.DIRECTORY},
        reason=reason,
    )
    return now


def _by(authority: Authority, world: World) -> uuid.UUID | None:
    if world is World.DIRECTORY:
        held = authority.by(Permission.DEFINE, None)
        return held.assignment_id if held else None
    roles = GRANTS[Permission.DEFINE].resource
    return next((one.assignment_id for one in authority.held if one.role_id in roles), None)
