"""The first set-up: once, for ever, by whoever holds the code that `manage.py setup` prints."""

from __future__ import annotations

import hashlib
import hmac
import uuid
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from audit.kinds import Kind
from pim_portal.accounts.services.tickets import Given, open_door
from pim_portal.models import SetUp
from roles import ids
from roles.actors import Actor, Clock
from roles.models import Assignment, AssignmentType, RecoveryCode, Resource, ResourceKind, Role, User
from roles.refusals import About, Refused, Violation
from roles.service import record, service
from roles.services.assignments import assign
from roles.services.principals import add_person
from roles.services.resources import add_resource
from roles.text import clean

CODE_LASTS = timedelta(hours=24)
WRONG_CODES = 10


def is_set_up() -> bool:
    """Return whether the portal has, or ever had, somebody who administers it."""
    return SetUp.objects.filter(done_at__isnull=False).exists() or _somebody_administered()


def make_code(*, clock: Clock) -> str:
    """Make the one-time set-up code; one made before stops working. Raises `Refused` once the portal is set up."""
    with transaction.atomic():
        row = _locked()
        now = clock()
        if row.done_at is not None or _somebody_administered():
            raise Refused([_done()])
        code = RecoveryCode.fresh()
        row.code_digest, row.code_until, row.wrong_codes = _digest(code), now + CODE_LASTS, 0
        row.save()
        return code


def check_code(code: str, *, clock: Clock) -> None:
    """Raise `Refused` for a wrong code, and count it: after ten a new one has to be made on the server."""
    with transaction.atomic():
        row = _locked()
        violation = _wrong(row, code, clock())
        if violation is not None and violation.code == "wrong_code":
            row.wrong_codes += 1
            row.save(update_fields=["wrong_codes"])
    if violation is not None:
        raise Refused([violation])


@service(Kind.PORTAL_SET_UP)
def set_up(
    *,
    code: str | None,
    username: str,
    name: str,
    email: str,
    password: str | None,
    root: str,
    actor: Actor,
    clock: Clock,
) -> User:
    """Make the first person and give them Security Administrator and Privileged Role Administrator, permanently.

    `root` names the first resource root, whose Owner they become; empty: none. Without a password they need a link.
    `code` is None for the operator's command only. Raises `Refused`, and always does once it was done.
    """
    row = _locked()
    now = clock()
    about = About(text={"target": clean(name)})
    if row.done_at is not None or _somebody_administered():
        raise Refused([_done()], about=about)
    if code is not None and (violation := _wrong(row, code, now)):
        raise Refused([violation], about=about)
    user = add_person(username=username, name=name, email=email, actor=actor, clock=clock)
    if password is not None:
        user.set_password(password)
        user.save(update_fields=["password"])
    directory = Resource.objects.get(pk=ids.DIRECTORY)
    for role_id in (ids.PRIVILEGED_ROLE_ADMINISTRATOR, ids.SECURITY_ADMINISTRATOR):
        _give(user, role_id, directory, actor=actor, clock=clock)
    if clean(root):
        try:
            resource = add_resource(ResourceKind.ROOT, name=root, parent=None, actor=actor, clock=clock)
        except Refused as refused:
            raise Refused([Violation("root", refused.sentence, "root")], about=about) from refused
        _give(user, ids.OWNER, resource, actor=actor, clock=clock)
    row.done_at, row.code_digest, row.code_until = now, "", None
    row.save()
    record(Kind.PORTAL_SET_UP, actor=actor, at=now, target=user)
    return user


@service(Kind.PORTAL_SET_UP)
def set_up_with_link(*, username: str, name: str, email: str, root: str, actor: Actor, clock: Clock) -> Given:
    """Set up from the server's shell; the link in the answer lets the first person choose their password."""
    user = set_up(
        code=None, username=username, name=name, email=email, password=None, root=root, actor=actor, clock=clock
    )
    return open_door(user, actor=actor, now=clock())


def _give(user: User, role_id: uuid.UUID, resource: Resource, *, actor: Actor, clock: Clock) -> Assignment:
    return assign(
        user.pk,
        role=Role.objects.get(pk=role_id),
        resource=resource,
        type=AssignmentType.ACTIVE,
        reason=_("First set-up of the portal"),
        actor=actor,
        clock=clock,
    )


def _locked() -> SetUp:
    SetUp.objects.get_or_create(pk=1)
    return SetUp.objects.select_for_update().get(pk=1)


def _somebody_administered() -> bool:
    return Assignment.objects.filter(role=ids.PRIVILEGED_ROLE_ADMINISTRATOR, resource=ids.DIRECTORY).exists()


def _wrong(row: SetUp, code: str, now: datetime) -> Violation | None:
    how = _("Make a new one on the server: manage.py setup")
    if row.done_at is not None:
        return _done()
    if not row.code_digest or row.code_until is None or row.code_until <= now:
        return Violation("code_over", _("The set-up code is no longer valid.") + " " + how, "code")
    if row.wrong_codes >= WRONG_CODES:
        return Violation("too_many_codes", _("Too many wrong codes were entered.") + " " + how, "code")
    if not hmac.compare_digest(row.code_digest, _digest(code)):
        sentence = _("This is not the code.") + " " + how
        return Violation("wrong_code", sentence, "code")
    return None


def _done() -> Violation:
    return Violation("set_up", _("This portal is already set up."))


def _digest(code: str) -> str:
    return hashlib.sha256(RecoveryCode.digest_of(code).encode()).hexdigest()
