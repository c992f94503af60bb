"""Links that let people in, or back in: invitations, resets, and the operator's last resort.

A link is 32 random bytes, known by its SHA-256. It never gives a session and never skips the second factor.
"""

from __future__ import annotations

import hashlib
import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from audit.kinds import Kind
from audit.recording import Ids
from pim_portal.accounts.selectors import could_administer, still_stands
from pim_portal.accounts.services import factors
from pim_portal.accounts.services.sessions import end_sessions_of
from pim_portal.models import EntryTicket, TicketKind
from roles import ids
from roles.actors import Actor, Clock
from roles.authority import Authority, Held
from roles.catalogue import Permission
from roles.models import Purpose, User
from roles.refusals import About, Refused, Violation
from roles.selectors.administrators import lasting_administrators
from roles.service import record, service
from roles.services import step_ups
from roles.services.locks import lock_principal
from roles.services.people import taking_over
from roles.services.principals import add_person
from roles.text import clean, is_visible

LASTS = {
    TicketKind.INVITATION: timedelta(days=7),
    TicketKind.RESET_PASSWORD: timedelta(hours=2),
    TicketKind.RESET_FACTOR: timedelta(hours=2),
    TicketKind.RECOVERY: timedelta(hours=2),
}


@dataclass(frozen=True, slots=True)
class Given:
    """A ticket that was just made, with the secret that its link carries."""

    ticket: EntryTicket
    secret: str


def digest_of(secret: str) -> str:
    """Return what is stored to know a secret by; anything typed into an address may be asked for."""
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()


@service(Kind.PERSON_INVITED)
def invite(
    *, username: str, name: str, email: str, job_title: str, department: str, actor: Actor, clock: Clock
) -> Given:
    """Add somebody and make the link by which they choose their password. Raises `Refused`."""
    user = add_person(
        username=username,
        name=name,
        email=email,
        job_title=job_title,
        department=department,
        actor=actor,
        clock=clock,
    )
    now = clock()
    held = Authority(actor.user, now).by(Permission.MANAGE_PEOPLE) if actor.user else None
    return _invitation(user, held=held, actor=actor, now=now)


@service(Kind.PERSON_INVITED)
def invite_again(user_id: uuid.UUID, *, actor: Actor, clock: Clock) -> Given:
    """Make a new invitation for somebody who has not joined yet; the link before it stops working."""
    lock_principal(user_id)
    now = clock()
    user = User.objects.get(pk=user_id)
    held = Authority(actor.user, now).by(Permission.MANAGE_PEOPLE) if actor.user else None
    violations = _not_by(actor, held, now)
    if actor.user is not None:
        violations += taking_over(user, by=Authority(actor.user, now))
    if user.has_usable_password():
        violations.append(Violation("joined", _("This person has already joined.")))
    if not user.enabled:
        violations.append(_disabled())
    if violations:
        raise Refused(violations, about=_about(user))
    _spend(actor, now)
    return _invitation(user, held=held, actor=actor, now=now)


def _invitation(user: User, *, held: Held | None, actor: Actor, now: datetime) -> Given:
    given = _give(TicketKind.INVITATION, user, actor=actor, now=now)
    details = {"ticket": str(given.ticket.pk), "until": given.ticket.until.isoformat()}
    authority_id = held.assignment_id if held else None
    record(Kind.PERSON_INVITED, actor=actor, at=now, target=user, authority_id=authority_id, details=details)
    return given


@service(Kind.RESET_TICKET_GIVEN)
def help_back_in(user_id: uuid.UUID, *, kind: TicketKind, reason: str, actor: Actor, clock: Clock) -> Given:
    """Make a link for somebody who lost their password or phone. Raises `Refused`.

    Never for oneself; for somebody who is or may become Privileged Role Administrator only by another one (DESIGN.md
    §6). The operator of the server (an actor without a user) may help everybody who is enabled.
    """
    lock_principal(user_id)
    now = clock()
    user = User.objects.get(pk=user_id)
    held = Authority(actor.user, now).by(Permission.RESET_PEOPLE) if actor.user else None
    violations = _not_by(actor, held, now)
    if actor.user is not None:
        violations += _not_for(user, kind=kind, by=actor.user, now=now)
    if not is_visible(reason):
        violations.append(Violation("reason_missing", _("Say how you made sure who is asking."), "reason"))
    if not user.enabled:
        violations.append(_disabled())
    if violations:
        raise Refused(violations, about=_about(user, reason=clean(reason)))
    _spend(actor, now)
    given = _give(kind, user, actor=actor, now=now)
    record(
        Kind.RESET_TICKET_GIVEN,
        actor=actor,
        at=now,
        target=user,
        authority_id=held.assignment_id if held else None,
        details={"ticket": str(given.ticket.pk), "kind": str(kind), "until": given.ticket.until.isoformat()},
        reason=clean(reason),
    )
    return given


def _not_for(user: User, *, kind: TicketKind, by: User, now: datetime) -> list[Violation]:
    violations = []
    if user.pk == by.pk:
        sentence = _("Nobody resets their own password or second factor. Ask another administrator.")
        violations.append(Violation("oneself", sentence))
    administers = any(
        one.role_id == ids.PRIVILEGED_ROLE_ADMINISTRATOR and one.resource_id == ids.DIRECTORY
        for one in Authority(by, now).held
    )
    if could_administer(user) and not administers:
        sentence = _(
            "This person is or may become Privileged Role Administrator. Only another Privileged Role Administrator "
            "may reset their password or second factor."
        )
        violations.append(Violation("target_administers", sentence))
    if kind.removes_factors and lasting_administrators(now) == {user.pk}:
        sentence = _(
            "Nobody else could administer roles while this person is without a second factor. Give somebody else "
            "Privileged Role Administrator without an end first, or use “manage.py recover” on the server."
        )
        violations.append(Violation("last_administrator", sentence))
    if not user.has_usable_password():
        violations.append(Violation("not_joined", _("This person has not joined yet. Make a new invitation instead.")))
    return violations


def open_door(user: User, *, actor: Actor, now: datetime) -> Given:
    """Make an invitation for somebody whom the set-up has just made, in its transaction."""
    return _invitation(user, held=None, actor=actor, now=now)


def use(ticket_id: uuid.UUID, *, password: str | None, actor: Actor, clock: Clock) -> EntryTicket:
    """Use a link once: choose the password, or drop the lost second factor, as its kind says. Raises `Refused`.

    Every session of the person ends, and every other link for them stops working.
    """
    invited = EntryTicket.objects.filter(pk=ticket_id, kind=TicketKind.INVITATION).exists()
    door = service(Kind.PERSON_JOINED if invited else Kind.RESET_TICKET_USED)(_use)
    return door(ticket_id, password=password, actor=actor, clock=clock)


def _use(ticket_id: uuid.UUID, *, password: str | None, actor: Actor, clock: Clock) -> EntryTicket:
    user_id = EntryTicket.objects.get(pk=ticket_id).user_id
    lock_principal(user_id)
    now = clock()
    ticket = EntryTicket.objects.select_related("user", "made_by").get(pk=ticket_id)
    user, kind = ticket.user, TicketKind(ticket.kind)
    about = _about(user)
    if ticket.used_at is not None or ticket.until <= now or not user.enabled or not still_stands(ticket):
        raise Refused([Violation("ticket_over", _("This link no longer works. Ask for a new one."))], about=about)
    if kind.gives_password:
        if not password:
            raise Refused([Violation("password_missing", _("Choose a password."), "new_password")], about=about)
        user.set_password(password)
        user.save(update_fields=["password"])
    if kind.removes_factors:
        factors.remove_all(user, actor=actor, now=now, even_the_last=ticket.made_by_id is None)
    close_links_of(user, now)
    EntryTicket.objects.filter(pk=ticket.pk).update(used_at=now)
    ended = end_sessions_of(user, now=now)
    record(
        Kind.PERSON_JOINED if kind is TicketKind.INVITATION else Kind.RESET_TICKET_USED,
        actor=actor,
        at=now,
        target=user,
        details={"ticket": str(ticket.pk), "kind": str(kind), "sessions_ended": ended},
    )
    return ticket


def _give(kind: TicketKind, user: User, *, actor: Actor, now: datetime) -> Given:
    close_links_of(user, now, kind=kind)
    secret = secrets.token_urlsafe(32)
    ticket = EntryTicket.objects.create(
        kind=kind,
        user=user,
        digest=digest_of(secret),
        secret=secret,
        made_by=actor.user,
        made_at=now,
        until=now + LASTS[kind],
    )
    return Given(ticket, secret)


def close_links_of(user: User, now: datetime, *, kind: TicketKind | None = None) -> None:
    """Let the links of this person that still work stop working: all, or those of one kind."""
    waiting = EntryTicket.objects.filter(user=user, used_at=None)
    if kind is not None:
        waiting = waiting.filter(kind=kind)
    waiting.update(secret="")
    waiting.filter(until__gt=now).update(until=now)


def _not_by(actor: Actor, held: Held | None, now: datetime) -> list[Violation]:
    if actor.user is None:
        return []
    violations = []
    if held is None:
        violations.append(Violation("not_allowed", _("You may not do this to people.")))
    if not step_ups.serves(actor, Purpose.PEOPLE, actor.user.pk, now=now):
        violations.append(step_ups.needed())
    return violations


def _spend(actor: Actor, now: datetime) -> None:
    if actor.user is not None:
        step_ups.spend(actor, Purpose.PEOPLE, actor.user.pk, now=now)


def _disabled() -> Violation:
    return Violation("disabled", _("This person is disabled. Enable them first."))


def _about(user: User, **text: str) -> About:
    return About(ids=Ids(target=user.pk), text={"target": user.name} | text)
