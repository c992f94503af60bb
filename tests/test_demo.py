"""The demo: its doors open with one click and only in the demo."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client, RequestFactory
from django.utils import timezone
from pytest_django import Settings

from audit.kinds import Kind
from audit.models import Event
from pim_portal.demo import doors
from pim_portal.demo.codes import device_of, next_code
from pim_portal.demo.environment import prepare
from pim_portal.environment import BASE_DIR, DATABASE_FILE
from pim_portal.models import SampleMail
from roles.models import Purpose, StepUp, TotpDevice, User
from roles.services import step_ups
from tests.people import acting, person

DOORS = ["", "codes/", "enter/", "mailbox/", "mailbox/1/", "mailbox/1/html/", "mailbox/1/open/"]


@pytest.fixture
def demo(settings: Settings, db: None) -> None:
    settings.PIM_DEMO = True
    settings.ROOT_URLCONF = "tests.demo_urls"


@pytest.fixture
def letter(ines: User) -> SampleMail:
    """A mail to Ines with one link."""
    address = "http://localhost:8000/tasks/requests/?tab=all&amp;page=2"
    return SampleMail.objects.create(
        recipient=ines.email,
        subject="Your request was granted",
        text=f"It is granted.\n\nOpen it:\n{address.replace('&amp;', '&')}\n\nhttp://localhost:8000/\n",
        html=f'<html><body><a class="button" href="{address}">Open it</a> <a href="http://localhost:8000">PIM</a></body></html>',
    )


def enter(client: Client, user: User, **data: str) -> Any:
    return client.post("/demo/enter/", {"username": user.username, **data})


def who(client: Client) -> str | None:
    return client.session.get("_auth_user_id")


# Outside the demo


@pytest.mark.parametrize("door", DOORS)
def test_outside_the_demo_no_door_exists(client: Client, ines: User, letter: SampleMail, door: str) -> None:
    assert client.get(f"/demo/{door}").status_code == 404
    assert client.post(f"/demo/{door}", {"username": ines.username}).status_code == 404
    assert who(client) is None


def test_outside_the_demo_nobody_can_be_entered(ines: User, rf: RequestFactory) -> None:
    with pytest.raises(PermissionDenied):
        doors.enter(rf.post("/demo/enter/"), ines)


def test_outside_the_demo_the_sign_in_page_shows_no_people(client: Client, petra: User) -> None:
    page = client.get("/account/sign-in/")

    assert page.status_code == 200
    assert petra.username not in page.text
    assert "demo" not in page.text


def run(*arguments: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PIM_", "DATABASE_", "DJANGO_"))}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=BASE_DIR,
        env={**kept, "PIM_DATA_DIR": str(folder), **variables},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"DATABASE_URL": "postgres://pim:pim@127.0.0.1/pim"}, "unset DATABASE_URL"),
        ({"DATABASE_URL": "sqlite:////var/lib/pim/pim.sqlite3"}, "unset DATABASE_URL"),
        ({"PIM_BASE_URL": "https://pim.example.org"}, "may then only be http://127.0.0.1"),
        ({"PIM_BASE_URL": "http://127.0.0.1:9999"}, "which is not port 8000"),
        ({"PIM_ALLOWED_HOSTS": "pim.example.org"}, "may then only name 127.0.0.1"),
        ({"PIM_TRUSTED_PROXIES": "1"}, "behind no proxy"),
        ({"PIM_EMAIL_URL": "smtp+tls://mail.example.org"}, "only be a local one"),
    ],
)
def test_the_demo_does_not_start_as_anything_else(tmp_path: Path, variables: dict[str, str], sentence: str) -> None:
    result = run("demo", folder=tmp_path, **variables)

    assert result.returncode != 0
    assert sentence in result.stderr
    assert "Traceback" not in result.stderr


def test_the_demo_does_not_start_on_the_database_of_a_real_portal(tmp_path: Path) -> None:
    (tmp_path / DATABASE_FILE).touch()

    result = run("demo", folder=tmp_path)

    assert result.returncode != 0
    assert "holds the database of a real portal" in result.stderr


def test_production_does_not_start_with_the_demo_on(tmp_path: Path) -> None:
    production = {"PIM_SECRET_KEY": os.environ["PIM_SECRET_KEY"], "PIM_BASE_URL": "https://pim.example.org"}

    assert "PIM_DEMO is on" not in run("check", folder=tmp_path, **production).stderr
    assert "PIM_DEMO is on" in run("check", folder=tmp_path, PIM_DEMO="1", **production).stderr


@pytest.mark.parametrize("port", ["0", "70000", "http", "", "٣٤٥٦", "-1"])
def test_what_is_no_port_is_told_by_a_sentence(port: str) -> None:
    with pytest.raises(SystemExit, match="is no port"):
        prepare(["--port", port], {})


def test_a_port_in_use_is_told_by_a_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        result = run("demo", f"--port={taken.getsockname()[1]}", folder=tmp_path)

    assert result.returncode != 0
    assert "is in use by another program" in result.stderr
    assert "Traceback" not in result.stderr


# Signing in with one click


def test_one_click_signs_in_with_password_and_second_factor(demo: None, client: Client, ines: User) -> None:
    response = enter(client, ines, next="/account/")

    assert response["Location"] == "/account/"
    assert client.get("/account/").status_code == 200
    assert StepUp.objects.get(user=ines).purpose == Purpose.SIGN_IN
    told = set(Event.objects.filter(actor_id=ines.pk).values_list("kind", flat=True))
    assert told == {Kind.SECOND_FACTOR_GIVEN, Kind.SIGNED_IN}


def test_whoever_plays_several_people_never_waits_for_a_code(
    demo: None, client: Client, ines: User, adam: User
) -> None:
    for user in (ines, adam) * 5:
        enter(client, user)
        assert who(client) == str(user.pk)

    device = device_of(ines)
    assert device is not None
    actor = acting(ines, Purpose.ACTIVATE, ines.pk, now=timezone.now())
    assert step_ups.give(
        ines,
        actor=actor,
        device_id=device.persistent_id,
        token=next_code(device),
        purpose=Purpose.ACTIVATE,
        session="typed",
        clock=timezone.now,
    )


def test_the_codes_that_are_shown_can_be_typed(demo: None, client: Client, petra: User, ines: User) -> None:
    code = client.get("/demo/codes/").json()["ines"]
    client.post("/account/sign-in/", {"username": "ines", "password": "a long enough password"})
    device = device_of(ines)
    assert device is not None

    response = client.post("/account/second-factor/", {"device": device.persistent_id, "code": code})

    assert response.status_code == 302
    assert client.get("/account/").status_code == 200


def test_looking_at_the_people_changes_nothing(demo: None, client: Client, ines: User) -> None:
    before = TotpDevice.objects.values().get(user=ines)

    assert "ines" in client.get("/demo/").text
    assert client.get("/demo/enter/", {"username": "ines"}).status_code == 405
    assert TotpDevice.objects.values().get(user=ines) == before
    assert who(client) is None


def test_a_click_leads_to_pages_of_the_portal_only(demo: None, client: Client, ines: User) -> None:
    assert enter(client, ines, next="https://evil.example/")["Location"] == "/"


@pytest.mark.parametrize("name", ["nobody", "", "\0", "noor", "pauli"])
def test_who_cannot_sign_in_is_not_let_in_by_a_click(demo: None, client: Client, name: str) -> None:
    person("noor", factor=False)
    User.objects.filter(pk=person("pauli").pk).update(enabled=False)

    response = client.post("/demo/enter/", {"username": name}, follow=True)

    assert "Nobody of this name can sign in" in response.text
    assert who(client) is None


def test_a_locked_second_factor_stays_locked(demo: None, client: Client, ines: User) -> None:
    TotpDevice.objects.update(throttling_failure_count=5, throttling_failure_timestamp=timezone.now())

    response = client.post("/demo/enter/", {"username": "ines"}, follow=True)

    assert "Too many wrong codes" in response.text
    assert who(client) is None


def test_every_page_of_the_demo_shows_the_code_of_who_is_signed_in(demo: None, client: Client, ines: User) -> None:
    enter(client, ines)

    page = client.get("/account/").text

    device = device_of(ines)
    assert device is not None
    assert "You are Ines." in page
    assert next_code(device) in page


# The mailbox


def test_the_mailbox_lists_the_mails_of_a_recipient(demo: None, client: Client, letter: SampleMail) -> None:
    SampleMail.objects.create(recipient="adam@example.org", subject="Somebody asks", text="")

    page = client.get("/demo/mailbox/", {"to": letter.recipient}).text

    assert letter.subject in page
    assert "Somebody asks" not in page


def test_opening_a_mail_and_its_links_changes_nothing(demo: None, client: Client, letter: SampleMail) -> None:
    for page in ("", "html/", "open/?to=/account/"):
        assert client.get(f"/demo/mailbox/{letter.pk}/{page}").status_code == 200
        assert client.get("/demo/mailbox/999/").status_code == 404
    assert who(client) is None
    assert not Event.objects.filter(kind=Kind.SIGNED_IN).exists()


def test_a_link_of_a_mail_opens_as_the_person_it_was_sent_to(
    demo: None, client: Client, adam: User, ines: User, letter: SampleMail
) -> None:
    enter(client, adam)
    page = client.get(f"/demo/mailbox/{letter.pk}/").text
    wanted = re.search(r'name="next" value="([^"]*)"', page)
    assert wanted is not None

    response = enter(client, ines, next=wanted[1].replace("&amp;", "&"))

    assert response["Location"] == "/tasks/requests/?tab=all&page=2"
    assert who(client) == str(ines.pk)


def test_the_links_of_a_mail_as_it_looks_lead_to_the_question_who_opens_them(
    demo: None, client: Client, ines: User, letter: SampleMail
) -> None:
    page = client.get(f"/demo/mailbox/{letter.pk}/html/").text
    links = re.findall(r'target="_top" href="([^"]*)"', page)

    assert "http://localhost:8000" not in page
    assert 'value="/tasks/requests/?tab=all&amp;page=2"' in client.get(links[0]).text
    enter(client, ines)
    assert client.get(links[0])["Location"] == "/tasks/requests/?tab=all&page=2"


def test_a_mail_is_shown_without_scripts_and_in_a_frame_of_this_page_only(
    demo: None, client: Client, letter: SampleMail
) -> None:
    headers = client.get(f"/demo/mailbox/{letter.pk}/html/").headers

    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "sandbox allow-top-navigation-by-user-activation" in policy
    assert "frame-ancestors 'self'" in policy
    assert headers["X-Frame-Options"] == "SAMEORIGIN"
    assert "frame-src 'self'" in client.get(f"/demo/mailbox/{letter.pk}/").headers["Content-Security-Policy"]


@pytest.mark.parametrize("to", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "/\n/evil", ""])
def test_a_link_that_leads_elsewhere_opens_the_front_page(
    demo: None, client: Client, letter: SampleMail, to: str
) -> None:
    page = client.get(f"/demo/mailbox/{letter.pk}/open/", {"to": to}).text

    assert 'name="next" value="/"' in page


def test_a_link_to_somebody_who_cannot_be_played_is_simply_opened(
    demo: None, client: Client, letter: SampleMail
) -> None:
    TotpDevice.objects.all().delete()

    assert client.get(f"/demo/mailbox/{letter.pk}/open/", {"to": "/setup/"})["Location"] == "/setup/"
    assert 'href="/tasks/requests/?tab=all&amp;page=2"' in client.get(f"/demo/mailbox/{letter.pk}/").text
