"""One's own account: password, time zone and theme."""

from __future__ import annotations

from django.utils.translation import gettext as _

from audit.kinds import Kind
from audit.recording import Ids
from pim_portal.accounts.services.sessions import end_sessions_of
from pim_portal.models import EntryTicket
from roles.actors import Actor, Clock
from roles.models import Purpose, User
from roles.refusals import About, Refused, Violation
from roles.service import record, service
from roles.services import step_ups
from roles.services.locks import lock_principal


@service(Kind.PASSWORD_CHANGED)
def change_password(user: User, *, password: str, but: str, actor: Actor, clock: Clock) -> User:
    """Change one's own password; every session but `but` ends, and so does every reset link. Raises `Refused`.

    Whoever calls this has checked the old password.
    """
    lock_principal(user.pk)
    now = clock()
    user = User.objects.get(pk=user.pk)
    about = About(ids=Ids(target=user.pk), text={"target": user.name})
    if actor.id != user.pk:
        raise Refused([Violation("not_allowed", _("You change your own password only."))], about=about)
    if not step_ups.serves(actor, Purpose.FACTORS, user.pk, now=now):
        raise Refused([step_ups.needed()], about=about)
    step_ups.spend(actor, Purpose.FACTORS, user.pk, now=now)
    user.set_password(password)
    user.save(update_fields=["password"])
    EntryTicket.objects.filter(user=user, used_at=None, until__gt=now).update(until=now, secret="")
    ended = end_sessions_of(user, now=now, but=but)
    record(Kind.PASSWORD_CHANGED, actor=actor, at=now, target=user, details={"sessions_ended": ended})
    return user


@service(Kind.PASSWORD_REHASHED)
def rehash_password(user: User, *, password: str, actor: Actor, clock: Clock) -> None:
    """Store a password that was just given as today's hasher stores it, unless it was changed meanwhile."""
    lock_principal(user.pk)
    now = clock()
    fresh = User.objects.get(pk=user.pk)
    if fresh.password != user.password:
        return
    fresh.set_password(password)
    fresh.save(update_fields=["password"])
    record(Kind.PASSWORD_REHASHED, actor=actor, at=now, target=fresh)
    user.password = fresh.password


@service(Kind.PERSON_CHANGED)
def set_preferences(user: User, *, time_zone: str, theme: str, actor: Actor, clock: Clock) -> None:
    """Set one's own time zone (empty: the portal's) and theme."""
    lock_principal(user.pk)
    User.objects.filter(pk=user.pk).update(time_zone=time_zone, theme=theme)
    details = {"time_zone": time_zone, "theme": theme}
    record(Kind.PERSON_CHANGED, actor=actor, at=clock(), target=user, details=details)
