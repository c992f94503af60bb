"""A second factor cannot be guessed: after some wrong codes the device waits, even for the right one."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from roles.actors import Actor
from roles.models import Purpose, RecoveryCode, RecoveryCodes, StepUp, TotpDevice, User
from roles.refusals import Refused
from roles.services import step_ups


def give(user: User, device: TotpDevice | RecoveryCodes, code: str) -> StepUp:
    return step_ups.give(
        user,
        actor=Actor(user=user),
        device_id=device.persistent_id,
        token=code,
        purpose=Purpose.SIGN_IN,
        session="s",
        clock=timezone.now,
    )


@pytest.fixture
def codes(ines: User) -> tuple[RecoveryCodes, str]:
    device = RecoveryCodes.objects.create(user=ines, name="Recovery codes", confirmed=True)
    code = RecoveryCode.fresh()
    device.codes.create(digest=RecoveryCode.digest_of(code))
    return device, code


def guess_wrong(user: User, device: TotpDevice | RecoveryCodes) -> None:
    for _attempt in range(5):
        with pytest.raises(Refused):
            give(user, device, "no code")


def test_after_five_wrong_codes_the_right_one_waits(ines: User, codes: tuple[RecoveryCodes, str]) -> None:
    device, code = codes
    guess_wrong(ines, device)

    with pytest.raises(Refused, match="too_many_codes"):
        give(ines, device, code)

    assert device.left == 1


def test_how_long_it_waits_is_said_so_that_no_seconds_and_no_zone_are_missing(
    ines: User, codes: tuple[RecoveryCodes, str]
) -> None:
    device, code = codes
    guess_wrong(ines, device)
    RecoveryCodes.objects.update(throttling_failure_timestamp=timezone.now() - timedelta(minutes=14, seconds=30))
    with pytest.raises(Refused) as refusal:
        give(ines, device, code)
    assert "Try again in less than a minute" in refusal.value.sentence


def test_the_wait_ends(ines: User, codes: tuple[RecoveryCodes, str]) -> None:
    device, code = codes
    guess_wrong(ines, device)
    RecoveryCodes.objects.update(throttling_failure_timestamp=timezone.now() - timedelta(minutes=16))

    assert give(ines, device, code)


def test_an_authenticator_app_waits_as_well(ines: User) -> None:
    app = TotpDevice.objects.get(user=ines)
    guess_wrong(ines, app)

    with pytest.raises(Refused, match="too_many_codes"):
        give(ines, app, "123456")

    app.refresh_from_db()
    assert app.throttling_failure_count == 5
