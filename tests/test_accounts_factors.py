"""One's own account: factors, recovery codes, password, sessions."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_otp.oath import TOTP

from audit.kinds import Kind, Outcome
from audit.models import Event
from pim_portal.accounts.services import factors, profiles, tickets
from pim_portal.models import PortalSession, TicketKind
from roles.actors import Actor
from roles.models import Purpose, RecoveryCode, StepUp, TotpDevice, User
from roles.models.factors import fresh_key
from roles.refusals import Refused
from roles.services import step_ups
from tests.people import NOW, PASSWORD, acting, at, person
from tests.test_accounts_sign_in import code_of, give_password, sign_in

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _set_up(petra: User) -> None:
    """The portal is set up: somebody administers it."""


@pytest.fixture
def signed_in(client: Client, ines: User) -> Client:
    return sign_in(client, ines)


def add_app(client: Client, **changes: str):
    page = client.get(reverse("factor_add"))
    key = page.context["form"].unsealed(page.context["sealed"])
    totp = TOTP(bytes.fromhex(key), 30, 0, 6, 0)
    totp.time = time.time()
    data = {"key": page.context["sealed"], "name": "Tablet", "app_code": f"{totp.token():06d}"}
    return client.post(reverse("factor_add"), data | changes)


def stale(user: User) -> None:
    """Let the second factor of the sign-in be older than five minutes."""
    StepUp.objects.filter(user=user).update(until=timezone.now())


def test_a_second_app_is_added_and_the_first_removed(signed_in: Client, ines: User):
    assert add_app(signed_in).status_code == 302
    stale(ines)
    first, second = TotpDevice.objects.filter(user=ines).order_by("pk")
    assert second.name == "Tablet"
    totp = TOTP(bytes.fromhex(second.key), 30, 0, 6, 0)
    totp.time = time.time() + 30
    form = {"device": second.persistent_id, "code": f"{totp.token():06d}"}
    assert signed_in.post(reverse("factor_remove", args=[first.pk]), form).status_code == 302
    assert list(TotpDevice.objects.filter(user=ines)) == [second]
    assert signed_in.get("/account/").status_code == 200


def test_the_only_app_cannot_be_removed(signed_in: Client, ines: User):
    app = TotpDevice.objects.get(user=ines)
    answer = signed_in.post(reverse("factor_remove", args=[app.pk]), {})
    assert "add the new one first" in answer.content.decode()
    assert Event.objects.filter(kind=Kind.FACTOR_REMOVED, outcome=Outcome.REFUSED).count() == 1


def test_no_more_than_five_apps(signed_in: Client, ines: User):
    for _i in range(4):
        TotpDevice.objects.create(user=ines, name="App", confirmed=True)
    assert "more are not allowed" in add_app(signed_in).content.decode()


def test_a_factor_without_a_fresh_one_is_refused(signed_in: Client, ines: User):
    stale(ines)
    answer = add_app(signed_in)
    assert "code" in answer.context["form"].errors
    assert TotpDevice.objects.filter(user=ines).count() == 1


def test_a_wrong_code_of_the_new_app_spends_nothing(signed_in: Client, ines: User):
    answer = add_app(signed_in, app_code="000000")
    assert answer.status_code == 422
    assert "here it is" in answer.content.decode()
    assert StepUp.objects.get(user=ines).used_at is None
    assert TotpDevice.objects.filter(user=ines).count() == 1


def test_the_factors_of_others_are_not_there(signed_in: Client, adam: User):
    theirs = TotpDevice.objects.get(user=adam)
    for pk in (theirs.pk, 999_999, 2**63, 10**40):
        assert signed_in.get(reverse("factor_remove", args=[pk])).status_code == 404
        assert signed_in.post(reverse("factor_remove", args=[pk])).status_code == 404
    with pytest.raises(Refused, match="not_allowed"):
        factors.remove_app(adam, app_id=theirs.pk, actor=acting(person("eve"), Purpose.FACTORS, adam.pk), clock=at(NOW))


def test_new_recovery_codes_replace_the_old_ones(signed_in: Client, ines: User):
    first = signed_in.post(reverse("recovery_codes"), {}).context["codes"]
    stale(ines)
    form = {"device": TotpDevice.objects.get(user=ines).persistent_id, "code": code_of(ines, ahead=1)}
    second = signed_in.post(reverse("recovery_codes"), form).context["codes"]
    assert len({*first, *second}) == 20
    kept = set(RecoveryCode.objects.filter(device__user=ines).values_list("digest", flat=True))
    assert kept == {RecoveryCode.digest_of(code) for code in second}


def test_a_changed_password_ends_the_other_sessions(signed_in: Client, ines: User):
    other = Client()
    give_password(other, "ines")
    assert PortalSession.objects.filter(user=ines).count() == 2
    new = "another long password"

    answer = signed_in.post(reverse("password_change"), {"password": PASSWORD, "new_password": new, "repeated": new})

    assert answer.status_code == 302
    assert signed_in.get("/account/").status_code == 200
    assert PortalSession.objects.filter(user=ines).count() == 1
    assert give_password(Client(), "ines").status_code == 422
    assert give_password(Client(), "ines", new).status_code == 302


def test_the_right_password_forgets_the_wrong_ones_before_it_also_where_it_is_changed(signed_in: Client, ines: User):
    form = {"new_password": "another long password", "repeated": "another long password"}
    for _i in range(9):
        assert signed_in.post(reverse("password_change"), form | {"password": "wrong"}).status_code == 422
    assert signed_in.post(reverse("password_change"), form | {"password": PASSWORD}).status_code == 302
    assert give_password(Client(), "ines", "wrong").status_code == 422
    assert give_password(Client(), "ines", "another long password").status_code == 302


@pytest.mark.parametrize(
    ("old", "new", "again", "field"),
    [
        ("wrong", "another long password", "another long password", "password"),
        (PASSWORD, "another long password", "another long passwort", "repeated"),
        (PASSWORD, "short", "short", "new_password"),
        (PASSWORD, "x" * 129, "x" * 129, "new_password"),
        (PASSWORD, "ines@example.org", "ines@example.org", "new_password"),
        (PASSWORD, "nul\x00 in a password", "nul\x00 in a password", "new_password"),
    ],
)
def test_a_password_that_will_not_do_is_refused(signed_in: Client, old: str, new: str, again: str, field: str):
    form = {"password": old, "new_password": new, "repeated": again}
    answer = signed_in.post(reverse("password_change"), form)
    assert answer.status_code == 422
    assert field in answer.context["form"].errors


@pytest.mark.parametrize("new", ["Bartholomew Featherstone", "featherstone2026", "bartholomew.feather"])
def test_a_password_that_resembles_ones_name_is_refused(client: Client, new: str):
    bart = sign_in(client, person("bf", name="Bartholomew Featherstone"))
    answer = bart.post(reverse("password_change"), {"password": PASSWORD, "new_password": new, "repeated": new})
    assert list(answer.context["form"].errors) == ["new_password"]


def test_all_other_sessions_are_ended_at_once(signed_in: Client, ines: User):
    other = sign_in_by_password_only(ines)
    assert signed_in.post(reverse("sessions_end")).status_code == 302
    assert PortalSession.objects.filter(user=ines).count() == 1
    assert other.get(reverse("second_factor"))["Location"].startswith("/account/sign-in/")


def sign_in_by_password_only(user: User) -> Client:
    browser = Client()
    give_password(browser, user.username)
    return browser


# What a form asks a code of


def device_in(page: Any) -> str:
    """The second factor that a browser would send from this page: the chosen one, or the first there is."""
    html = str(page.context["form"]["device"])
    found = re.search(r'value="([^"]*)" selected', html) or re.search(r'value="([^"]*)"', html)
    return found[1] if found else ""


@pytest.mark.parametrize("with_codes", [False, True])
def test_whoever_took_longer_than_five_minutes_types_a_code_and_goes_on(
    signed_in: Client, ines: User, with_codes: bool
):
    if with_codes:
        factors.make_recovery_codes(ines, actor=acting(ines, Purpose.FACTORS, ines.pk), clock=at(NOW))
    assert "code" not in signed_in.get(reverse("recovery_codes")).context["form"].fields
    stale(ines)

    refused = signed_in.post(reverse("recovery_codes"), {})
    assert list(refused.context["form"].errors) == ["code"]

    sent = {"device": device_in(refused), "code": code_of(ines, ahead=1)}
    assert signed_in.post(reverse("recovery_codes"), sent).context["codes"]


def test_recovery_codes_are_spoken_of_where_there_are_some(signed_in: Client, ines: User):
    def pages() -> list[str]:
        stale(ines)
        at_sign_in = sign_in_by_password_only(ines).get(reverse("second_factor"))
        return [page.content.decode() for page in (at_sign_in, signed_in.get(reverse("password_change")))]

    assert ["recovery code" in page for page in pages()] == [False, False]
    factors.make_recovery_codes(ines, actor=acting(ines, Purpose.FACTORS, ines.pk), clock=at(NOW))
    assert ["or one of your recovery codes if you chose those" in page for page in pages()] == [True, True]


@pytest.mark.parametrize("apps_left", [1, 2])
def test_a_factor_that_is_gone_meanwhile_is_said_to_be_and_another_one_serves(
    client: Client, ines: User, apps_left: int
):
    phone = TotpDevice.objects.get(user=ines)
    gone, *_others = [TotpDevice.objects.create(user=ines, name="Old", confirmed=True) for _i in range(apps_left)]
    give_password(client, "ines")
    sent = {"device": gone.persistent_id, "code": "123456"}
    gone.delete()

    refused = client.post(reverse("second_factor"), sent)

    assert "You no longer have this second factor." in refused.content.decode()
    assert device_in(refused) == phone.persistent_id
    sent = {"device": device_in(refused), "code": code_of_app(phone)}
    assert client.post(reverse("second_factor"), sent)["Location"] == "/"


def code_of_app(app: TotpDevice) -> str:
    totp = TOTP(bytes.fromhex(app.key), 30, 0, 6, 0)
    totp.time = time.time()
    return f"{totp.token():06d}"


# What waited for somebody's lock while their sessions were ended


def reset(user: User) -> None:
    """Use the operator's link for this person, as whoever holds it does: another password, and no second factor."""
    given = tickets.help_back_in(
        user.pk, kind=TicketKind.RECOVERY, reason="stolen", actor=Actor.operator("root"), clock=at(NOW)
    )
    tickets.use(given.ticket.pk, password="their own new password", actor=Actor(user=user), clock=at(NOW))


def changed_password(user: User, actor: Actor) -> None:
    profiles.change_password(user, password="that of a thief", but="x" * 32, actor=actor, clock=at(NOW))


def added_app(user: User, actor: Actor) -> None:
    key = fresh_key()
    code = TOTP(bytes.fromhex(key), 30, 0, 6, 0)
    code.time = time.time()
    factors.add_app(user, key=key, name="Thief", code=f"{code.token():06d}", actor=actor, clock=at(NOW))


@pytest.mark.parametrize("act", [changed_password, added_app])
def test_what_waits_while_its_session_is_ended_by_a_link_does_nothing(ines: User, act: Callable[[User, Actor], None]):
    """The form was read, and its second factor was fresh, before the link was used; its turn comes afterwards."""
    before = User.objects.get(pk=ines.pk)
    actor = acting(ines, Purpose.FACTORS, ines.pk)
    reset(ines)
    with pytest.raises(Refused, match="second_factor"):
        act(before, actor)
    assert User.objects.get(pk=ines.pk).check_password("their own new password")
    assert not TotpDevice.objects.filter(user=ines).exists()


def test_the_second_factor_of_a_session_that_was_ended_serves_nothing_and_that_of_this_one_does(
    signed_in: Client, ines: User
):
    other = acting(ines, Purpose.FACTORS, ines.pk, now=timezone.now())
    assert signed_in.post(reverse("sessions_end")).status_code == 302
    assert not step_ups.serves(other, Purpose.FACTORS, ines.pk, now=timezone.now())
    assert "code" not in signed_in.get(reverse("password_change")).context["form"].fields


def test_a_code_of_an_app_that_was_removed_serves_nothing(ines: User):
    kept, lost = TotpDevice.objects.get(user=ines), TotpDevice.objects.create(user=ines, name="Lost", confirmed=True)
    by_kept, by_lost = acting(ines, Purpose.FACTORS, ines.pk), acting(ines, Purpose.FACTORS, ines.pk)
    StepUp.objects.filter(pk=by_lost.presented.step_up).update(device=lost.persistent_id)
    again = acting(ines, Purpose.FACTORS, ines.pk)
    factors.remove_app(ines, app_id=lost.pk, actor=by_kept, clock=at(NOW))
    with pytest.raises(Refused, match="second_factor"):
        factors.make_recovery_codes(ines, actor=by_lost, clock=at(NOW))
    assert factors.make_recovery_codes(ines, actor=again, clock=at(NOW))
    assert list(TotpDevice.objects.filter(user=ines)) == [kept]


@pytest.mark.parametrize("zone", ["Europe/Paris", "", "UTC"])
def test_time_zone_and_theme_are_kept(signed_in: Client, ines: User, zone: str):
    assert signed_in.post("/account/", {"time_zone": zone, "theme": "dark"}).status_code == 302
    ines.refresh_from_db()
    assert (ines.time_zone, ines.theme) == (zone, "dark")


@pytest.mark.parametrize("zone", ["../../etc/passwd", "Mars/Phobos", "\x00", "x" * 5000])
def test_an_unknown_time_zone_is_refused(signed_in: Client, zone: str):
    assert signed_in.post("/account/", {"time_zone": zone, "theme": "dark"}).status_code == 422


@pytest.mark.django_db(transaction=True)
def test_one_code_given_many_times_at_once_is_accepted_once(ines: User):
    device = TotpDevice.objects.get(user=ines)
    code, start = code_of(ines), threading.Barrier(8)
    accepted, refused = [], []

    def give(number: int) -> None:
        start.wait()
        try:
            accepted.append(
                step_ups.give(
                    ines,
                    actor=acting(ines, Purpose.SIGN_IN),
                    device_id=device.persistent_id,
                    token=code,
                    purpose=Purpose.SIGN_IN,
                    session=str(number) * 64,
                    clock=timezone.now,
                )
            )
        except Refused as refusal:
            refused.append(refusal)
        finally:
            connection.close()

    threads = [threading.Thread(target=give, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(accepted), len(refused)) == (1, 7)
