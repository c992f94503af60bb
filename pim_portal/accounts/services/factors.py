"""Own second factors: authenticator apps and recovery codes."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _
from django_otp import verify_token

from audit.kinds import Kind
from audit.recording import Ids
from roles.actors import Actor, Clock
from roles.models import Purpose, RecoveryCode, RecoveryCodes, StepUp, TotpDevice, User
from roles.models.factors import CODES
from roles.refusals import About, Refused, Violation
from roles.service import record, service
from roles.services import step_ups
from roles.services.administrators import keep_an_administrator
from roles.services.locks import lock_principal
from roles.text import clean, is_visible

MAX_APPS = 5


@service(Kind.FACTOR_ADDED)
def enrol(user: User, *, key: str, name: str, code: str, session: str, actor: Actor, clock: Clock) -> StepUp:
    """Add the first authenticator app of somebody who has no second factor; its code opens the session.

    Raises `Refused` when they have one after all: a password alone never adds a second way in.
    """
    lock_principal(user.pk)
    now = clock()
    if has_factor(user):
        sentence = _("You already have a second factor. Sign in with it to add another one.")
        raise Refused([Violation("factor_exists", sentence)], about=_about(user))
    app = _new_app(user, key=key, name=name, now=now)
    try:
        step_up = step_ups.give(
            user,
            actor=actor,
            device_id=app.persistent_id,
            token=code,
            purpose=Purpose.SIGN_IN,
            session=session,
            clock=clock,
        )
    except Refused as refused:
        raise Refused(refused.violations, about=_about(user)) from refused
    record(Kind.FACTOR_ADDED, actor=actor, at=now, target=user, details={"first": True}, factor=app.name)
    return step_up


@service(Kind.FACTOR_ADDED)
def add_app(user: User, *, key: str, name: str, code: str, actor: Actor, clock: Clock) -> TotpDevice:
    """Add one more authenticator app, shown to work by its code. Raises `Refused`."""
    lock_principal(user.pk)
    now = clock()
    violations = _without_step_up(user, actor, now)
    if TotpDevice.objects.filter(user=user, confirmed=True).count() >= MAX_APPS:
        sentence = _("You have %(count)s authenticator apps, and more are not allowed. Remove one first.")
        violations.append(Violation("too_many_apps", sentence % {"count": MAX_APPS}))
    if violations:
        raise Refused(violations, about=_about(user))
    app = _new_app(user, key=key, name=name, now=now)
    if verify_token(user, app.persistent_id, code) is None:
        sentence = _(
            "That code does not fit the new app. Enter the one it shows now, and check your phone’s clock: "
            "here it is %(time)s UTC."
        )
        violation = Violation("wrong_code", sentence % {"time": f"{now:%H:%M:%S}"}, "app_code")
        raise Refused([violation], about=_about(user))
    step_ups.spend(actor, Purpose.FACTORS, user.pk, now=now)
    record(Kind.FACTOR_ADDED, actor=actor, at=now, target=user, details={"first": False}, factor=app.name)
    return app


@service(Kind.FACTOR_REMOVED)
def remove_app(user: User, *, app_id: int, actor: Actor, clock: Clock) -> None:
    """Remove one of several authenticator apps. The last one stays: it is replaced by adding another one first."""
    lock_principal(user.pk)
    now = clock()
    apps = TotpDevice.objects.filter(user=user, confirmed=True)
    app = apps.filter(pk=app_id).first()
    violations = _without_step_up(user, actor, now)
    if app is None:
        violations.append(Violation("gone", _("This authenticator app was removed before.")))
    elif apps.count() == 1:
        sentence = _("This is your only authenticator app. To replace it, add the new one first, then remove this one.")
        violations.append(Violation("last_app", sentence))
    if violations or app is None:
        raise Refused(violations, about=_about(user))
    step_ups.spend(actor, Purpose.FACTORS, user.pk, now=now)
    step_ups.withdraw(StepUp.objects.filter(user=user, device=app.persistent_id), now=now)
    app.delete()
    record(Kind.FACTOR_REMOVED, actor=actor, at=now, target=user, factor=app.name)


@service(Kind.RECOVERY_CODES_MADE)
def make_recovery_codes(user: User, *, actor: Actor, clock: Clock) -> list[str]:
    """Make a new set of recovery codes; those made before are worth nothing any more. Raises `Refused`.

    Returns the codes: they are shown this once, only their hashes are kept.
    """
    lock_principal(user.pk)
    now = clock()
    if violations := _without_step_up(user, actor, now):
        raise Refused(violations, about=_about(user))
    step_ups.spend(actor, Purpose.FACTORS, user.pk, now=now)
    return _new_codes(user, actor=actor, now=now)


@service(Kind.RECOVERY_CODES_MADE)
def make_first_recovery_codes(user: User, *, actor: Actor, clock: Clock) -> list[str]:
    """Make the set that comes with the first authenticator app, whose code was given a moment ago."""
    lock_principal(user.pk)
    now = clock()
    if RecoveryCodes.objects.filter(user=user).exists():
        raise Refused([Violation("codes_exist", _("You already have recovery codes."))], about=_about(user))
    return _new_codes(user, actor=actor, now=now)


def remove_all(user: User, *, actor: Actor, now: datetime, even_the_last: bool) -> None:
    """Remove every second factor of somebody who is locked; the next sign-in enrols anew.

    Part of using a reset ticket. Refuses to leave nobody who administers, unless the operator of the server said so
    (`even_the_last`), who is the last resort of exactly that person.
    """
    for device in [*TotpDevice.objects.filter(user=user), *RecoveryCodes.objects.filter(user=user)]:
        device.delete()
        record(Kind.FACTOR_REMOVED, actor=actor, at=now, target=user, details={"reset": True}, factor=device.name)
    if not even_the_last:
        keep_an_administrator(now, about=_about(user))


def has_factor(user: User) -> bool:
    """Return whether this person can give a second factor."""
    apps = TotpDevice.objects.filter(user=user, confirmed=True)
    return apps.exists() or RecoveryCode.objects.filter(device__user=user, used_at=None).exists()


def _new_app(user: User, *, key: str, name: str, now: datetime) -> TotpDevice:
    name = clean(name)[:64]
    app = TotpDevice(
        user=user, key=key, name=name if is_visible(name) else _("Authenticator app"), confirmed=True, created_at=now
    )
    app.save()
    return app


def _new_codes(user: User, *, actor: Actor, now: datetime) -> list[str]:
    # The row stays, so that a session which was opened by a code of the old set stays open.
    codes_of, _made = RecoveryCodes.objects.get_or_create(
        user=user, defaults={"name": _("Recovery codes"), "confirmed": True}
    )
    codes = [RecoveryCode.fresh() for _i in range(CODES)]
    codes_of.codes.all().delete()
    RecoveryCode.objects.bulk_create(
        RecoveryCode(device=codes_of, digest=RecoveryCode.digest_of(code)) for code in codes
    )
    RecoveryCodes.objects.filter(pk=codes_of.pk).update(created_at=now)
    record(Kind.RECOVERY_CODES_MADE, actor=actor, at=now, target=user, details={"count": len(codes)})
    return codes


def _without_step_up(user: User, actor: Actor, now: datetime) -> list[Violation]:
    if actor.id != user.pk:
        return [Violation("not_allowed", _("Second factors are one’s own affair."))]
    return [] if step_ups.serves(actor, Purpose.FACTORS, user.pk, now=now) else [step_ups.needed()]


def _about(user: User) -> About:
    return About(ids=Ids(target=user.pk), text={"target": user.name})
