"""Sessions: what is written down when they begin and end."""

from __future__ import annotations

from datetime import datetime

from audit.kinds import Kind, Outcome
from pim_portal.models import PortalSession
from roles.actors import Actor, Clock
from roles.middleware import SESSION_MARK, named_by
from roles.models import StepUp, User
from roles.service import record, service
from roles.services import step_ups
from roles.waiting import one_transaction


def end_sessions_of(user: User, *, now: datetime, but: str | None = None) -> int:
    """End the sessions of this person, all or all but the one with the key `but`; return how many there were.

    Their second factors end with them: a form that was sent before may be waiting for its turn.
    """
    rows = PortalSession.objects.filter(user=user)
    given = StepUp.objects.filter(user=user)
    if kept := rows.filter(pk=but).first():
        rows = rows.exclude(pk=kept.pk)
        given = given.exclude(session=named_by(kept.get_decoded().get(SESSION_MARK, "")))
    step_ups.withdraw(given, now=now)
    return rows.delete()[0]


@service(Kind.SESSIONS_ENDED)
def end_other_sessions(user: User, *, but: str, actor: Actor, clock: Clock) -> int:
    """End every session of oneself but this one; return how many there were."""
    now = clock()
    ended = end_sessions_of(user, now=now, but=but)
    record(Kind.SESSIONS_ENDED, actor=actor, at=now, target=user, details={"ended": ended})
    return ended


def record_sign_in(user: User, *, actor: Actor, clock: Clock) -> None:
    """Write down that somebody has given password and second factor."""
    with one_transaction("The record of a sign-in"):
        record(Kind.SIGNED_IN, actor=actor, at=clock(), target=user)


def record_sign_out(user: User, *, actor: Actor, clock: Clock) -> None:
    """Write down that somebody signed out."""
    with one_transaction("The record of a sign-in"):
        record(Kind.SIGNED_OUT, actor=actor, at=clock(), target=user)


def record_wrong_password(user: User, *, address: str, clock: Clock) -> None:
    """Write down that somebody, who need not be this person, gave a wrong password."""
    actor = Actor(user=None, name="", address=address)
    with one_transaction("The record of a sign-in"):
        details = {"refused": ["wrong_password"]}
        record(Kind.SIGNED_IN, actor=actor, at=clock(), target=user, outcome=Outcome.REFUSED, details=details)


def record_lock(user: User, *, address: str, clock: Clock) -> None:
    """Write down that sign-in as this person is locked for that address after too many wrong passwords."""
    actor = Actor(user=None, name="", address=address)
    with one_transaction("The record of a sign-in"):
        record(Kind.SIGN_IN_LOCKED, actor=actor, at=clock(), target=user)
