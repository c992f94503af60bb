"""The operator's commands around the history: erasing somebody's text, and the key that set-up makes."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import transaction

from audit import keys
from audit.kinds import Kind, Realm
from audit.models import Event, EventText
from roles import ids
from roles.actors import Actor
from roles.service import record
from tests.people import EXCHANGE_ADMINISTRATOR, NOW, give, make_eligible, person, request_activation, role
from tests.sealed import found, key_in, seal_all
from tests.visitors import visiting

pytestmark = pytest.mark.django_db


def untold(user) -> int:
    return Event.objects.concerning(user.pk).filter(text__erased_at=None).count()


def test_it_erases_all_that_concerns_somebody_and_nothing_else(capsys, tmp_path):
    key = key_in(tmp_path)
    ines, zoe = person("ines"), person("zoe")
    request_activation(ines, make_eligible(ines, role(EXCHANGE_ADMINISTRATOR)))
    seal_all(key)
    before = untold(zoe)
    call_command("erase_person", "ines", "--reason", "She asked for it.", "--yes")
    assert "was erased" in capsys.readouterr().out
    assert (untold(ines), untold(zoe)) == (0, before)
    assert not EventText.objects.filter(search__contains="ines").exists()
    assert Event.objects.get(kind=Kind.TEXT_ERASED).text.fields["reason"] == "She asked for it."
    seal_all(key)
    assert found(key) == ""


def test_it_only_counts_until_it_is_told_to(capsys):
    ines = person("ines")
    there = untold(ines)
    call_command("erase_person", "ines@example.org", "--reason", "asked")
    assert capsys.readouterr().out.startswith("1 event has text that would be erased")
    assert untold(ines) == there == 1
    assert not Event.objects.filter(kind=Kind.TEXT_ERASED).exists()


def test_it_takes_the_id_of_somebody_the_history_knows(capsys):
    ines = person("ines")
    call_command("erase_person", str(ines.pk), "--reason", "asked", "--yes")
    assert capsys.readouterr().out.startswith("The personal text of 1 event was erased.")
    assert untold(ines) == 0


@pytest.mark.parametrize("name", ["nobody", "3b0b1f0e-6f0a-4d9e-8f43-0c2a2f6a7d55"])
def test_it_says_so_when_there_is_no_such_person(name):
    with pytest.raises(CommandError, match=r"Nobody|nobody"):
        call_command("erase_person", name, "--reason", "asked", "--yes")


def test_an_empty_reason_is_refused():
    person("ines")
    with pytest.raises(CommandError, match="Say why"):
        call_command("erase_person", "ines", "--reason", " ", "--yes")


def test_setup_makes_the_key_once(capsys):
    file = settings.PIM_AUDIT_KEY
    for one in (file, keys.public_file(file)):
        one.unlink(missing_ok=True)
    try:
        call_command("setup")
        made = keys.read(file).id
        assert str(file) in capsys.readouterr().out
        call_command("setup")
        assert keys.read(file).id == made
        assert str(file) not in capsys.readouterr().out
    finally:
        for one in (file, keys.public_file(file)):
            one.unlink(missing_ok=True)


def test_setup_leaves_a_missing_key_alone_once_something_was_sealed(tmp_path):
    """A key that was lost is the operator's to replace, knowingly."""
    person("ines")
    seal_all(key_in(tmp_path))
    settings.PIM_AUDIT_KEY.unlink(missing_ok=True)
    call_command("setup")
    assert not settings.PIM_AUDIT_KEY.exists()


def test_the_page_of_an_assignment_lists_what_was_done_under_it():
    petra, ines = person("petra"), person("ines")
    held = give(petra, role(ids.PRIVILEGED_ROLE_ADMINISTRATOR))
    actor = Actor(user=petra)
    with transaction.atomic():
        record(Kind.PERSON_CHANGED, actor=actor, at=NOW, target=ines, authority=held, reason="Under it")
        record(Kind.PERSON_CHANGED, actor=actor, at=NOW, target=ines, reason="Under nothing")
        record(Kind.GROUP_CHANGED, actor=actor, at=NOW, authority=held, realm=Realm.GROUP, reason="Elsewhere")
    page = visiting(petra).get(f"/manage/directory/assignments/{held.pk}/").text
    assert "Done under it" in page
    assert "Under it" in page
    assert "Under nothing" not in page
    assert "Elsewhere" not in page
