"""Naming somebody who decides in one's place for a span of time, and ending that."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

from django.db.models import Q
from django.utils.translation import gettext as _

from approvals.models import Deputy
from approvals.rules.deputies import NAME_DEPUTY, DeputyFacts
from approvals.services.requests import named_instead_of, said_instead_of
from audit.kinds import Kind
from audit.recording import Ids
from roles.actors import Actor, Clock
from roles.models import Purpose, User
from roles.models.principals import search_key
from roles.refusals import About, Refused, Violation, require
from roles.service import record, service
from roles.services import step_ups
from roles.services.locks import lock_principal, lock_principals
from roles.text import clean


@service(Kind.DEPUTY_NAMED)
def name_deputy(
    called: str, *, starts_at: datetime | None, ends_at: datetime, reason: str, actor: Actor, clock: Clock
) -> Deputy:
    """Let somebody decide in one's own place; `called` is their user name or e-mail address.

    `starts_at` None is at once. They decide what waits for the one who names them, and gain nothing else. Raises
    `Refused`.
    """
    if actor.user is None:
        raise Refused([Violation("nobody", _("Only a person can name a deputy."))])
    found = _found(called)
    locked = lock_principals({actor.user.pk, *([found.pk] if found else [])})
    now = clock()
    approver = User.objects.get(pk=actor.user.pk)
    deputy = User.objects.get(pk=found.pk) if found is not None and locked[found.pk].enabled else None
    begins = max(starts_at.astimezone(UTC), now) if starts_at else now
    facts = DeputyFacts(
        approver=approver,
        deputy=deputy,
        starts_at=begins,
        ends_at=ends_at,
        reason=clean(reason),
        named_already=_overlaps(approver, deputy, begins, ends_at),
        second_factor=step_ups.serves(actor, Purpose.DECIDE, approver.pk, now=now),
        now=now,
    )
    require(NAME_DEPUTY, facts, about=_about(deputy, reason=facts.reason))
    if deputy is None:
        raise AssertionError("The rules let a deputy pass who is nobody.")

    step_ups.spend(actor, Purpose.DECIDE, approver.pk, now=now)
    made = Deputy.objects.create(
        approver=approver, deputy=deputy, starts_at=begins, ends_at=ends_at, reason=facts.reason
    )
    span = {"starts_at": begins.isoformat(), "ends_at": ends_at.isoformat()}
    record(
        Kind.DEPUTY_NAMED,
        actor=actor,
        at=now,
        target=deputy,
        details={"deputy": str(made.pk), **span} | said_instead_of(approver),
        reason=facts.reason,
        instead=named_instead_of(approver),
    )
    return made


def _found(called: str) -> User | None:
    """Return who has this user name or e-mail address; nobody has an empty one."""
    key = search_key(called)
    return User.objects.filter(Q(username_key=key) | Q(email_key=key)).first() if key else None


def _overlaps(approver: User, deputy: User | None, starts_at: datetime, ends_at: datetime) -> bool:
    rows = Deputy.objects.filter(approver=approver, deputy=deputy, ended_at=None) if deputy else Deputy.objects.none()
    return rows.filter(starts_at__lt=ends_at, ends_at__gt=starts_at).exists()


@service(Kind.DEPUTY_ENDED)
def end_deputy(deputy_id: uuid.UUID, *, actor: Actor, clock: Clock) -> Deputy:
    """End that somebody stands in, before its time: by the approver, or by the deputy, who may always decline.

    It only takes away, so it asks for no second factor. Raises `Refused`, and `Deputy.DoesNotExist` for an unknown id.
    """
    approver_id = Deputy.objects.values_list("approver", flat=True).get(pk=deputy_id)
    lock_principal(approver_id)
    now = clock()
    row = Deputy.objects.select_related("approver", "deputy").get(pk=deputy_id)
    about = _about(User.objects.get(pk=row.deputy_id))
    if actor.id not in (row.approver_id, row.deputy_id):
        raise Refused([Violation("not_allowed", _("Only they themselves can end this."))], about=about)
    if row.ended_at is not None or row.ends_at <= now:
        raise Refused([Violation("over", _("This has already ended."))], about=about)

    row.ended_at = now
    row.save(update_fields=["ended_at"])
    approver = User.objects.get(pk=row.approver_id)
    record(
        Kind.DEPUTY_ENDED,
        actor=actor,
        at=now,
        target=row.deputy,
        details={"deputy": str(row.pk)} | said_instead_of(approver),
        instead=named_instead_of(approver),
    )
    return row


def _about(deputy: User | None, **text: str) -> About:
    if deputy is None:
        return About(text=text)
    return About(ids=Ids(target=deputy.pk), text={"target": deputy.name} | text)
