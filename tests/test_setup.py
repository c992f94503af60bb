"""The first set-up: once, for ever, by whoever holds the code that the server prints."""

from __future__ import annotations

import threading
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.kinds import Kind
from audit.models import Event
from pim_portal.models import EntryTicket, SetUp, TicketKind
from pim_portal.setup import services
from roles import ids
from roles.actors import Actor
from roles.authority import Authority
from roles.models import Assignment, Resource, ResourceKind, User
from roles.refusals import Refused
from tests.people import NOW, PASSWORD, at

FIRST = Actor(user=None, name="First set-up")


def form(code: str, **changes: str) -> dict[str, str]:
    data = {
        "code": code,
        "name": "Ada Lovelace",
        "username": "ada",
        "email": "ada@example.org",
        "new_password": PASSWORD,
        "repeated": PASSWORD,
        "root": "Contoso",
    }
    return data | changes


def set_up(code: str | None, name: str = "ada", *, now=NOW) -> User:
    return services.set_up(
        code=code,
        username=name,
        name=name.capitalize(),
        email=f"{name}@example.org",
        password=PASSWORD,
        root="",
        actor=FIRST,
        clock=at(now),
    )


@pytest.mark.django_db
def test_until_it_is_set_up_every_way_in_leads_to_the_set_up(client: Client):
    assert client.get("/", follow=True).redirect_chain[-1][0] == "/setup/"
    assert client.get("/setup/").status_code == 200


@pytest.mark.django_db
def test_the_code_makes_the_first_administrator_and_owner(client: Client):
    code = services.make_code(clock=timezone.now)

    assert client.post("/setup/", form(code))["Location"] == reverse("sign_in")

    ada = User.objects.get(username="ada")
    held = {one.role_id for one in Authority(ada, timezone.now()).held}
    assert held == {ids.PRIVILEGED_ROLE_ADMINISTRATOR, ids.SECURITY_ADMINISTRATOR, ids.OWNER}
    assert set(Assignment.objects.filter(principal=ada).values_list("type", "ends_at")) == {("active", None)}
    assert Resource.objects.get(kind=ResourceKind.ROOT).name == "Contoso"
    assert Event.objects.filter(kind=Kind.PORTAL_SET_UP, target_id=ada.pk).count() == 1
    assert client.get("/setup/").status_code == 404
    assert client.post("/setup/", form(code, username="eve")).status_code == 404
    assert client.post(reverse("sign_in"), {"username": "ada", "password": PASSWORD}).status_code == 302


@pytest.mark.django_db
@pytest.mark.parametrize("code", ["", "wrong", "\x00", "A" * 40, "💥"])
def test_a_stranger_who_comes_first_gets_nothing(client: Client, code: str):
    services.make_code(clock=timezone.now)
    answer = client.post("/setup/", form(code))
    assert answer.status_code == 422
    assert "code" in answer.context["form"].errors
    assert not User.objects.exists()


@pytest.mark.django_db
def test_without_a_code_of_the_server_no_code_is_right(client: Client):
    assert client.post("/setup/", form("AAAA")).status_code == 422
    assert not User.objects.exists()


@pytest.mark.django_db
def test_ten_wrong_codes_ask_for_a_new_one():
    code = services.make_code(clock=at(NOW))
    for _i in range(10):
        with pytest.raises(Refused, match="wrong_code"):
            services.check_code("nonsense", clock=at(NOW))
    with pytest.raises(Refused, match="too_many_codes"):
        set_up(code)
    assert set_up(services.make_code(clock=at(NOW))).username == "ada"


@pytest.mark.django_db
def test_a_code_lasts_a_day():
    code = services.make_code(clock=at(NOW))
    with pytest.raises(Refused, match="code_over"):
        set_up(code, now=NOW + timedelta(hours=24))
    assert set_up(code, now=NOW + timedelta(hours=24) - timedelta(microseconds=1))


@pytest.mark.django_db
def test_a_weak_password_is_refused_and_nothing_typed_is_lost(client: Client):
    code = services.make_code(clock=timezone.now)
    answer = client.post("/setup/", form(code, new_password="short", repeated="short"))
    assert "new_password" in answer.context["form"].errors
    assert 'value="ada@example.org"' in answer.content.decode()
    assert SetUp.objects.get().wrong_codes == 0


@pytest.mark.django_db
def test_an_empty_form_says_of_each_field_what_to_write(client: Client):
    answer = client.post("/setup/", dict.fromkeys(form(""), ""))
    said = {field: [str(one) for one in errors] for field, errors in answer.context["form"].errors.items()}
    assert said == {
        "code": ["Write the code that “manage.py setup” printed."],
        "name": ["Write your name."],
        "username": ["Give yourself a user name."],
        "email": ["Write your e-mail address."],
        "new_password": ["Choose a new password."],
        "repeated": ["Write the new password again."],
    }


@pytest.mark.django_db
def test_where_somebody_ever_administered_there_is_no_set_up(petra: User, client: Client):
    User.objects.update(enabled=False)
    assert client.get("/setup/").status_code == 404
    with pytest.raises(Refused, match="set_up"):
        services.make_code(clock=timezone.now)


@pytest.mark.django_db
def test_the_command_prints_a_code_that_works():
    out = StringIO()
    call_command("setup", stdout=out)
    assert set_up(out.getvalue().split()[-1], now=timezone.now())


@pytest.mark.django_db
def test_the_command_sets_up_without_a_browser(client: Client, settings):
    out = StringIO()
    person = {"username": "ada", "name": "Ada Lovelace", "email": "ada@example.org"}
    call_command("setup", no_browser=True, root="Contoso", stdout=out, **person)

    link = out.getvalue().split()[-1].removeprefix(settings.PIM_BASE_URL)
    assert client.get(link).status_code == 200
    assert client.post(link, {"new_password": PASSWORD, "repeated": PASSWORD}).status_code == 200
    assert client.post(reverse("sign_in"), {"username": "ada", "password": PASSWORD}).status_code == 302
    with pytest.raises(CommandError, match="already set up"):
        call_command("setup", no_browser=True, **person | {"username": "eve", "email": "eve@example.org"})
    assert User.objects.count() == 1


@pytest.mark.django_db
def test_the_command_asks_for_what_is_missing():
    with pytest.raises(CommandError, match="--name and --email"):
        call_command("setup", no_browser=True, username="ada")


@pytest.mark.django_db
def test_the_operator_can_always_let_the_only_administrator_back_in(petra: User, client: Client, settings):
    out = StringIO()
    call_command("recover", "petra@example.org", reason="lost phone, came by", stdout=out)
    link = out.getvalue().split()[-1].removeprefix(settings.PIM_BASE_URL)
    assert Event.objects.filter(kind=Kind.RESET_TICKET_GIVEN, target_id=petra.pk, actor_id=None).count() == 1

    new = "another long password"
    assert client.post(link, {"new_password": new, "repeated": new}).status_code == 200

    answer = client.post(reverse("sign_in"), {"username": "petra", "password": new})
    assert client.get(answer["Location"])["Location"] == reverse("enrol")
    assert EntryTicket.objects.get().kind == TicketKind.RECOVERY


@pytest.mark.django_db
@pytest.mark.parametrize(("who", "why", "sentence"), [("nobody", "x", "Nobody has"), ("petra", " ", "made sure")])
def test_recover_says_what_is_wrong(petra: User, who: str, why: str, sentence: str):
    with pytest.raises(CommandError, match=sentence):
        call_command("recover", who, reason=why)


@pytest.mark.django_db(transaction=True)
def test_fifty_at_a_time_make_one_administrator():
    code = services.make_code(clock=timezone.now)
    start = threading.Barrier(50)
    made, refused = [], []

    def try_it(number: int) -> None:
        start.wait()
        try:
            made.append(set_up(code, f"first{number}", now=timezone.now()))
        except Refused as refusal:
            refused.append(refusal)
        finally:
            connection.close()

    threads = [threading.Thread(target=try_it, args=(number,)) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (len(made), len(refused)) == (1, 49)
    assert User.objects.count() == 1
    assert Assignment.objects.filter(role=ids.PRIVILEGED_ROLE_ADMINISTRATOR).count() == 1


@pytest.mark.django_db
def test_a_host_that_has_no_name_for_the_operator_sets_the_portal_up(tmp_path, settings, monkeypatch):
    """A container often runs as a number that no list of users knows."""
    for variable in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr("os.getuid", lambda: 987_654)
    settings.PIM_AUDIT_KEY = tmp_path / "key.pem"
    call_command("setup", no_browser=True, username="ada", name="Ada", email="ada@example.org", stdout=StringIO())
    made = Event.objects.get(kind=Kind.AUDIT_KEY_MADE)
    assert made.text.fields["actor"] == "user 987654 (operator)"
