"""Step-ups: giving a fresh second factor, and spending it on one submitted form."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django_otp import verify_token
from django_otp.models import Device

from audit.kinds import Kind, Outcome
from roles import wording
from roles.actors import Actor, Clock, Presented
from roles.models import Purpose, RecoveryCodes, StepUp, User
from roles.models.prepared import Prepared
from roles.models.step_ups import ALSO_SERVED_BY, FRESH_FOR
from roles.refusals import Refused, Violation
from roles.service import record
from roles.waiting import one_transaction


def give(
    user: User, *, actor: Actor, device_id: str, token: str, purpose: Purpose, session: str, clock: Clock
) -> StepUp:
    """Verify a code against one chosen device of this person and remember it as a step-up of five minutes.

    Not a service: a wrong code must count against the device, so nothing here is rolled back. Raises `Refused` with
    *wrong_code* or *too_many_codes*; both are in the history. Raises `Busy` when it waited too long for the device:
    then the code is unused.
    """
    with one_transaction("A step-up"):
        device = verify_token(user, device_id, token)
        now = clock()
        if device is not None:
            step_up = StepUp.objects.create(
                user=user, session=session, purpose=purpose, device=device_id, verified_at=now, until=now + FRESH_FOR
            )
            kind = Kind.RECOVERY_CODE_USED if isinstance(device, RecoveryCodes) else Kind.SECOND_FACTOR_GIVEN
            record(kind, actor=actor, at=now, target=user, details={"purpose": str(purpose)})
            return step_up
        violation = _refusal(user, device_id, now)
        record(
            Kind.SECOND_FACTOR_GIVEN,
            actor=actor,
            at=now,
            target=user,
            outcome=Outcome.REFUSED,
            details={"purpose": str(purpose), "refused": [violation.code]},
        )
    raise Refused([violation])


def _refusal(user: User, device_id: str, now: datetime) -> Violation:
    device = Device.from_persistent_id(device_id)
    if device is not None and device.user_id == user.pk:
        allowed = device.verify_is_allowed()
        if not allowed[0] and allowed[1]:
            left = wording.roughly(max(allowed[1]["locked_until"] - now, timedelta()))
            sentence = _("Too many wrong codes. Try again in %(left)s, or use another second factor if you have one.")
            return Violation("too_many_codes", sentence % {"left": left}, "code")
    sentence = _(
        "That code is wrong or was used before. Wait for the next one, and check your phone’s clock: "
        "here it is %(time)s UTC."
    )
    return Violation("wrong_code", sentence % {"time": f"{now.astimezone(UTC):%H:%M:%S}"}, "code")


def fresh(user: User, *, session: str, purpose: Purpose, now: datetime, own_code: bool = False) -> StepUp | None:
    """Return an unspent step-up that would serve this purpose now, or None.

    The second factor of the sign-in counts as one, unless `own_code` demands a code given for the act itself.
    """
    purposes = [purpose] if own_code else [purpose, Purpose.SIGN_IN]
    return _UNSPENT.first(user.pk, session, purposes, now)


def _unspent(user_id: uuid.UUID, session: str, purposes: list[str], now: datetime) -> QuerySet[StepUp]:
    rows = StepUp.objects.filter(user=user_id, session=session, purpose__in=purposes, used_at=None, until__gt=now)
    return rows.order_by("-until", "pk")[:1]


_UNSPENT = Prepared(_unspent)
_PRESENTED = Prepared(
    lambda pk, user_id, session, now: StepUp.objects.filter(pk=pk, user=user_id, session=session, until__gt=now)
)


def needed() -> Violation:
    """The violation of acting without a fresh second factor."""
    return Violation("second_factor", _("Enter a current code from your second factor."), "code")


def serves(actor: Actor, purpose: Purpose, about: uuid.UUID, *, now: datetime, own_code: bool = False) -> bool:
    """Return whether the step-up that came with this form covers this act on this object.

    So does one that was spent when the actor ordered what is carried out now.
    """
    if actor.user is not None and purpose in actor.ordered:
        return True
    presented = actor.presented
    if presented is None or actor.user is None or about not in presented.objects:
        return False
    row = _PRESENTED.first(presented.step_up, actor.user.pk, presented.session, now)
    if row is None or row.purpose not in ({purpose} if own_code else _serving(purpose)):
        return False
    return row.used_at is None or row.spent_on == presented.digest


def _serving(purpose: Purpose) -> frozenset[Purpose]:
    """Return the purposes for which a factor may have been given that serves this one."""
    return frozenset({purpose, Purpose.SIGN_IN}) | ALSO_SERVED_BY.get(purpose, frozenset())


def spend(actor: Actor, purpose: Purpose, about: uuid.UUID, *, now: datetime) -> None:
    """Spend the step-up on this form, in the transaction of what it allows; raises `Refused` when another form did."""
    if actor.user is not None and purpose in actor.ordered:
        return  # it was spent on the order
    presented = actor.presented
    if presented is None or actor.user is None or about not in presented.objects:
        raise Refused([needed()])
    mine = StepUp.objects.filter(pk=presented.step_up, user=actor.user, session=presented.session, until__gt=now)
    mine = mine.filter(purpose__in=_serving(purpose))
    if mine.filter(used_at=None).update(used_at=now, spent_on=presented.digest):
        return
    if not mine.filter(spent_on=presented.digest).exists():
        raise Refused([needed()])


def withdraw(rows: QuerySet[StepUp], *, now: datetime) -> None:
    """Let these serve nothing any more: the session or the factor that they came from is gone."""
    rows.filter(until__gt=now).update(until=now)


def present(step_up: StepUp, *objects: uuid.UUID) -> Presented:
    """Return this step-up as it comes with one form over these objects."""
    return Presented(step_up=step_up.pk, session=step_up.session, objects=frozenset(objects))
