"""Signing in: password, second factor, and when a session ends."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
import time_machine
from axes.models import AccessAttempt
from django.test import Client
from django.urls import reverse
from django_otp.oath import TOTP

from audit.kinds import Kind, Outcome
from audit.models import Event
from pim_portal.accounts.services import factors
from pim_portal.models import PortalSession
from roles.models import RecoveryCode, RecoveryCodes, StepUp, TotpDevice, User
from tests.people import PASSWORD, person

pytestmark = pytest.mark.django_db


def code_of(user: User, *, ahead: int = 0) -> str:
    """The code that this person's app shows, `ahead` steps later."""
    device = TotpDevice.objects.get(user=user)
    totp = TOTP(bytes.fromhex(device.key), 30, 0, 6, 0)
    totp.time = time.time() + 30 * ahead
    return f"{totp.token():06d}"


def give_password(client: Client, name: str, password: str = PASSWORD, **extra):
    return client.post(reverse("sign_in"), {"username": name, "password": password, **extra})


def give_code(client: Client, user: User, code: str | None = None, **extra):
    device = TotpDevice.objects.get(user=user)
    data = {"device": device.persistent_id, "code": code or code_of(user), **extra}
    return client.post(reverse("second_factor"), data)


def sign_in(client: Client, user: User) -> Client:
    assert give_password(client, user.username).status_code == 302
    assert give_code(client, user).status_code == 302
    return client


@pytest.fixture(autouse=True)
def _set_up(petra: User) -> None:
    """The portal is set up: somebody administers it."""


def test_password_and_code_sign_somebody_in(client: Client, ines: User):
    answer = give_password(client, "ines", next="/account/")
    assert answer["Location"] == "/account/second-factor/?next=%2Faccount%2F"
    assert client.get("/account/").status_code == 302

    answer = give_code(client, ines, next="/account/")

    assert answer["Location"] == "/account/"
    assert client.get("/account/").status_code == 200
    assert Event.objects.filter(kind=Kind.SIGNED_IN, actor_id=ines.pk, outcome=Outcome.DONE).count() == 1


@pytest.mark.parametrize("name", ["ines", "INES", " ines@example.org", "Ines@Example.Org", "ｉｎｅｓ"])
def test_a_name_is_known_in_every_spelling(client: Client, ines: User, name: str):
    assert give_password(client, name).status_code == 302


@pytest.mark.parametrize("name", ["ines", "nobody", "x" * 250, "a\x00b", "\u202e", "'", "@", "@@", ""])
def test_a_wrong_name_or_password_is_refused_in_the_same_words(client: Client, ines: User, name: str):
    answer = give_password(client, name, "wrong")
    assert answer.status_code == 422
    assert not client.session.get("_auth_user_id")
    if name and "\x00" not in name:
        assert "or the password is wrong" in answer.content.decode()


def test_a_sign_in_speaks_of_no_change(client: Client):
    html = give_password(client, "", "").content.decode()
    assert "Please correct what is marked below." in html
    assert "Nothing was changed" not in html


@pytest.mark.parametrize("letter", ["\U0001d160", "\u0390"])
def test_a_name_that_grows_when_it_is_folded_is_too_long(client: Client, letter: str):
    """What counts wrong passwords keeps 255 letters of a name; 250 of these become 750."""
    answer = give_password(client, letter * 250)
    assert answer.status_code == 422
    assert "This is too long for a user name or an e-mail address." in answer.content.decode()
    assert not AccessAttempt.objects.exists()


def test_the_password_alone_opens_nothing(client: Client, ines: User):
    give_password(client, "ines")
    for page in ("account", "password_change", "factor_add", "recovery_codes"):
        assert client.get(reverse(page))["Location"].startswith("/account/second-factor/")


def test_a_wrong_code_says_to_check_the_clock(client: Client, ines: User):
    give_password(client, "ines")
    answer = give_code(client, ines, "000000")
    assert answer.status_code == 422
    assert "check your phone’s clock" in answer.content.decode()
    assert client.get("/account/").status_code == 302


def test_a_code_may_be_typed_as_the_app_shows_it(client: Client, ines: User):
    code = code_of(ines)
    give_password(client, "ines")
    assert give_code(client, ines, f" {code[:3]} {code[3:]} ").status_code == 302


@pytest.mark.parametrize("code", ["", "-1", "1e5", "９９９９９９", "٣", "\x00", "0x1", "9" * 40, "9" * 5000, "💥"])
def test_a_code_that_is_none_is_refused(client: Client, ines: User, code: str):
    give_password(client, "ines")
    assert give_code(client, ines, code or " ").status_code == 422


def test_a_code_is_accepted_once(client: Client, ines: User):
    code = code_of(ines)
    give_password(client, "ines")
    assert give_code(client, ines, code).status_code == 302
    other = Client()
    give_password(other, "ines")
    assert give_code(other, ines, code).status_code == 422


def test_the_device_of_somebody_else_is_no_choice(client: Client, ines: User, adam: User):
    give_password(client, "ines")
    answer = give_code(client, adam)
    assert answer.status_code == 422
    assert client.get("/account/").status_code == 302


def test_a_recovery_code_works_once(client: Client, ines: User):
    codes = RecoveryCodes.objects.create(user=ines, name="Recovery codes", confirmed=True)
    code = RecoveryCode.fresh()
    RecoveryCode.objects.create(device=codes, digest=RecoveryCode.digest_of(code))
    other = RecoveryCode.fresh()
    RecoveryCode.objects.create(device=codes, digest=RecoveryCode.digest_of(other))
    for expected in (302, 422):
        browser = Client()
        give_password(browser, "ines")
        answer = browser.post(reverse("second_factor"), {"device": codes.persistent_id, "code": code.lower()})
        assert answer.status_code == expected


def test_somebody_without_a_factor_can_only_enrol_one(client: Client):
    user = person("newton", factor=False)
    give_password(client, "newton")
    assert client.get(reverse("second_factor"))["Location"] == "/account/second-factor/enrol/"
    page = client.get(reverse("enrol"))
    assert page.status_code == 200
    assert not TotpDevice.objects.filter(user=user).exists()

    sealed = page.context["sealed"]
    key = page.context["form"].unsealed(sealed)
    totp = TOTP(bytes.fromhex(key), 30, 0, 6, 0)
    totp.time = time.time()
    wrong = client.post(reverse("enrol"), {"key": sealed, "code": "000000"})
    assert wrong.status_code == 422
    assert not TotpDevice.objects.filter(user=user).exists()
    answer = client.post(reverse("enrol"), {"key": sealed, "code": f"{totp.token():06d}"})

    assert answer.status_code == 200
    assert len(answer.context["codes"]) == 10
    assert client.get("/account/").status_code == 200
    assert factors.has_factor(user)
    assert answer.context["codes"][0] not in str(list(RecoveryCode.objects.values_list("digest")))


def test_nobody_with_a_factor_enrols_by_password_alone(client: Client, ines: User):
    give_password(client, "ines")
    assert client.get(reverse("enrol"))["Location"] == "/account/second-factor/"
    assert client.post(reverse("enrol"), {"key": "x", "code": "1"}).status_code == 302
    assert TotpDevice.objects.filter(user=ines).count() == 1


def test_a_sealed_key_serves_its_own_session_only(client: Client):
    person("newton", factor=False)
    person("noether", factor=False)
    give_password(client, "newton")
    sealed = client.get(reverse("enrol")).context["sealed"]
    other = Client()
    give_password(other, "noether")
    answer = other.post(reverse("enrol"), {"key": sealed, "code": "123456"})
    assert "open for too long" in answer.content.decode()


def test_ten_wrong_passwords_lock_sign_in_and_say_for_how_long(client: Client, ines: User):
    for _i in range(9):
        assert give_password(client, "ines", "wrong").status_code == 422
    answer = give_password(client, "INES", "wrong")
    assert answer.status_code == 429
    assert "locked for another" in answer.content.decode()
    assert give_password(client, "ines").status_code == 429
    assert Event.objects.filter(kind=Kind.SIGN_IN_LOCKED, target_id=ines.pk).count() == 1
    assert give_password(client, "petra").status_code == 302


def test_a_right_password_forgets_the_wrong_ones(client: Client, ines: User):
    for _round in range(2):
        for _i in range(9):
            give_password(client, "Ines@example.org", "wrong")
        assert give_password(Client(), "ines@example.org").status_code == 302


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example/",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "javascript:1",
        "/a\nb",
        "nowhere",
        "sign_out",
        "entry",
        "?page=2",
        "#top",
        "a.b",
    ],
)
def test_next_leads_nowhere_else(client: Client, ines: User, wanted: str):
    give_password(client, "ines")
    assert give_code(client, ines, next=wanted)["Location"] == "/"
    assert client.get(reverse("sign_in"), {"next": wanted})["Location"] == "/"


def test_the_session_key_changes_with_each_factor(client: Client, ines: User):
    keys = []
    give_password(client, "ines")
    keys.append(client.session.session_key)
    give_code(client, ines)
    keys.append(client.session.session_key)
    assert len(set(keys)) == 2
    assert list(PortalSession.objects.filter(user=ines).values_list("pk", flat=True)) == [keys[1]]


def test_the_sign_in_counts_as_a_fresh_factor(client: Client, ines: User):
    sign_in(client, ines)
    assert StepUp.objects.get(user=ines).used_at is None
    assert "code" not in client.get(reverse("password_change")).context["form"].fields


def test_signing_out_ends_the_session(client: Client, ines: User):
    sign_in(client, ines)
    answer = client.post(reverse("sign_out"), {"next": "/account/"})
    assert answer["Location"] == "/account/sign-in/?next=%2Faccount%2F"
    assert "cookies" not in answer["Clear-Site-Data"]
    assert not PortalSession.objects.filter(user=ines).exists()
    opened = client.get(reverse("sign_out"))
    assert (opened.status_code, opened["Allow"]) == (405, "POST")
    assert "There is nothing to look at here" in opened.content.decode()


def test_somebody_disabled_is_out_at_once(client: Client, ines: User):
    sign_in(client, ines)
    User.objects.filter(pk=ines.pk).update(enabled=False)
    assert client.get("/account/")["Location"].startswith("/account/sign-in/")
    assert give_password(Client(), "ines").status_code == 422


def test_a_session_ends_after_idling(client: Client, ines: User, settings):
    with time_machine.travel("2026-11-23 12:00 +0000", tick=False) as clock:
        sign_in(client, ines)
        clock.shift(timedelta(minutes=settings.PIM_IDLE_MINUTES) - timedelta(seconds=1))
        assert client.get("/account/").status_code == 200
        clock.shift(timedelta(minutes=settings.PIM_IDLE_MINUTES))
        answer = client.get("/account/")
        assert answer["Location"] == "/account/sign-in/?next=/account/&over=idle"
        assert "nothing was done" in client.get(answer["Location"]).content.decode()


def test_a_session_ends_absolutely(client: Client, ines: User, settings):
    with time_machine.travel("2026-11-23 12:00 +0000", tick=False) as clock:
        sign_in(client, ines)
        for _i in range(settings.PIM_SESSION_HOURS * 6 - 1):
            clock.shift(timedelta(minutes=10))
            assert client.get("/account/").status_code == 200
        clock.shift(timedelta(minutes=10))
        assert client.get("/account/")["Location"].endswith("over=old")


def test_last_seen_is_written_once_a_minute(client: Client, ines: User):
    with time_machine.travel("2026-11-23 12:00 +0000", tick=False) as clock:
        sign_in(client, ines)
        clock.shift(timedelta(seconds=59))
        client.get("/account/")
        first = PortalSession.objects.get(user=ines).last_seen_at
        assert first is not None
        clock.shift(timedelta(seconds=1))
        client.get("/account/")
        assert PortalSession.objects.filter(user=ines, last_seen_at=first + timedelta(minutes=1)).exists()


@pytest.mark.parametrize("cookie", ['"\\000\\000\\000aaaaaaaaa"', "x", "é" * 32, "a" * 4000, "../../etc/passwd"])
def test_a_forged_session_cookie_is_nobody(client: Client, cookie: str, settings):
    client.cookies[settings.SESSION_COOKIE_NAME] = cookie
    assert client.get("/account/").status_code == 302


def test_a_form_without_its_token_is_refused(ines: User):
    browser = Client(enforce_csrf_checks=True)
    assert give_password(browser, "ines").status_code == 403
