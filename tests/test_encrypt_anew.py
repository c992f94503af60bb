"""A former secret key can be forgotten once what it encrypted is encrypted anew."""

from __future__ import annotations

from io import StringIO

import pytest
from cryptography.fernet import InvalidToken
from django.core.management import CommandError, call_command

from audit.kinds import Kind
from audit.models import Event
from pim_portal.models import EntryTicket, WebHook
from pim_portal.operations import encryption
from roles.models import TotpDevice
from tests.people import person

pytestmark = pytest.mark.django_db

FORMER = "the former key " * 5
PRESENT = "the present key " * 5


@pytest.fixture
def changed(settings):
    """Three people with authenticator apps under the former key, and the key then changed."""
    settings.SECRET_KEY = FORMER
    settings.SECRET_KEY_FALLBACKS = []
    for name in ("ines", "jonas", "noor"):
        person(name)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = PRESENT, [FORMER]
    return settings


def test_the_columns_are_those_of_factors_links_and_web_hooks():
    assert encryption.encrypted_fields() == {
        TotpDevice: ["key"],
        EntryTicket: ["secret"],
        WebHook: ["secret", "old_secret"],
    }


def test_without_it_the_former_key_is_still_needed(changed):
    changed.SECRET_KEY_FALLBACKS = []
    with pytest.raises(InvalidToken):
        list(TotpDevice.objects.all())


def test_after_it_the_present_key_reads_everything(changed, monkeypatch):
    monkeypatch.setattr(encryption, "ROWS", 2)  # so that there is more than one part
    keys = dict(TotpDevice.objects.values_list("pk", "key"))
    said = StringIO()
    call_command("encrypt_anew", stdout=said)
    changed.SECRET_KEY_FALLBACKS = []
    assert dict(TotpDevice.objects.values_list("pk", "key")) == keys
    assert said.getvalue() == "3 rows are encrypted with the present key.\n"


def test_each_part_is_an_event(changed, monkeypatch):
    monkeypatch.setattr(encryption, "ROWS", 2)
    call_command("encrypt_anew", stdout=StringIO())
    told = Event.objects.filter(kind=Kind.SECRETS_ENCRYPTED).order_by("pk").values_list("details", flat=True)
    assert list(told) == [
        {"table": "roles_totpdevice", "rows": 2},
        {"table": "roles_totpdevice", "rows": 1},
    ]


def test_a_key_that_is_missing_is_asked_for(changed):
    changed.SECRET_KEY_FALLBACKS = []
    with pytest.raises(CommandError, match="PIM_SECRET_KEY_FALLBACKS"):
        call_command("encrypt_anew", stdout=StringIO())
    assert not Event.objects.filter(kind=Kind.SECRETS_ENCRYPTED).exists()


@pytest.mark.parametrize("rows", [1, 200])
def test_what_no_key_reads_is_named_and_keeps_nothing_else_from_being_encrypted(changed, monkeypatch, rows):
    monkeypatch.setattr(encryption, "ROWS", rows)
    keys = dict(TotpDevice.objects.values_list("pk", "key"))
    unread = sorted(keys)[1]
    changed.SECRET_KEY = "a key that nobody knows any longer " * 3
    TotpDevice.objects.get(pk=unread).save()
    changed.SECRET_KEY = PRESENT
    said = StringIO()
    with pytest.raises(CommandError, match=f"stay so: roles_totpdevice {unread}\\. Name that key"):
        call_command("encrypt_anew", stdout=said)
    changed.SECRET_KEY_FALLBACKS = []
    others = TotpDevice.objects.exclude(pk=unread)
    assert dict(others.values_list("pk", "key")) == {pk: key for pk, key in keys.items() if pk != unread}
    assert said.getvalue() == "2 rows are encrypted with the present key.\n"


def test_of_many_that_no_key_reads_the_first_are_named(changed):
    for number in range(4):
        person(f"p{number}")
    changed.SECRET_KEY, changed.SECRET_KEY_FALLBACKS = "a key that came after " * 4, []
    with pytest.raises(CommandError, match=r"roles_totpdevice (\S+, ){4}\S+ and 2 more\. Name"):
        call_command("encrypt_anew", stdout=StringIO())
