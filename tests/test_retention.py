"""How long events are kept: who may change it, what it may be, who is told, and what the pages say."""

from __future__ import annotations

import io
import json
import uuid
import zipfile
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from audit import archive_files, proofs
from audit.archive_files import file_of
from audit.groups import LEAST, Group
from audit.kinds import Kind, Outcome, Realm
from audit.models import Event, Retention
from audit.recording import Ids
from pim_portal.keeping import taking
from pim_portal.keeping.services import change_retention, is_due
from pim_portal.keeping.staying import retention
from pim_portal.models import Notification
from pim_portal.notifications.catalogue import BY_NAME
from roles import ids
from roles.actors import Actor
from roles.models import Purpose, StepUp
from roles.refusals import Refused
from roles.services.assignments import deactivate
from tests.archived import DAY, archive, happened, keep, known_archive, sealed
from tests.people import (
    EXCHANGE_ADMINISTRATOR,
    acting,
    give,
    make_eligible,
    person,
    request_activation,
    role,
    tree,
)
from tests.sealed import key_in
from tests.stepping import give_step_up
from tests.visitors import visiting

pytestmark = pytest.mark.django_db
FOR_EVER = dict.fromkeys(Group)


@pytest.fixture
def sven():
    return give(person("sven"), role(ids.SECURITY_ADMINISTRATOR), now=timezone.now()).principal.user


@pytest.fixture
def nina():
    return give(person("nina"), role(ids.GLOBAL_READER), now=timezone.now()).principal.user


def fresh(user: Any) -> Any:
    """A client of somebody who gave their second factor just now."""
    client = visiting(user)
    step_up, now = give_step_up(client, user), timezone.now()
    StepUp.objects.filter(pk=step_up.pk).update(verified_at=now, until=now + DAY / 24)
    return client


def change(user: Any, **how: Any) -> list[Group]:
    actor = how.pop("actor", None) or acting(user, Purpose.SETTINGS, user.pk, now=timezone.now())
    wanted = FOR_EVER | {Group(name): days for name, days in how.pop("days", {"alerts": 90}).items()}
    return change_retention(wanted, reason=how.pop("reason", "The law"), actor=actor, clock=timezone.now)


def test_a_change_is_an_event_and_the_auditors_are_told(sven, nina):
    assert change(sven, days={"alerts": 90, "signing_in": 400}) == [Group.SIGNING_IN, Group.ALERTS]
    assert retention() == FOR_EVER | {Group.ALERTS: 90, Group.SIGNING_IN: 400}
    event = Event.objects.get(kind=Kind.RETENTION_CHANGED)
    assert event.details == {
        "days_before": {"signing_in": None, "alerts": None},
        "days_after": {"signing_in": 400, "alerts": 90},
        "shortened": ["signing_in", "alerts"],
    }
    assert event.authority_id
    mail = Notification.objects.get(event=event, recipient=nina)
    letter = BY_NAME[mail.mail].compose(mail, timezone.now())
    assert letter.subject == "Audit events are kept for a shorter time"
    assert ("Alerts and incidents", "90 days (before: for ever)") in letter.facts
    change(sven, days={"alerts": 90})
    mail = Notification.objects.filter(recipient=nina).latest("created_at")
    assert BY_NAME[mail.mail].compose(mail, timezone.now()).subject == "Audit events are kept for a longer time"


REFUSED: dict[str, dict[str, Any]] = {
    "too_short": {"days": {"alerts": 89}},
    "unchanged": {"days": {}},
    "reason_missing": {"reason": " "},
}


@pytest.mark.parametrize("code", REFUSED)
def test_what_it_may_not_be_is_refused(sven, code):
    with pytest.raises(Refused) as refused:
        change(sven, **REFUSED[code])
    assert refused.value.codes == {code}
    assert not Retention.objects.exists()
    assert Event.objects.filter(kind=Kind.RETENTION_CHANGED, outcome=Outcome.REFUSED).exists()


def test_changes_of_settings_stay_for_as_long_as_an_alert_may_look_back(sven):
    assert LEAST[Group.SETTINGS].days == 366
    with pytest.raises(Refused, match="too_short"):
        change(sven, days={"settings": 365})
    change(sven, days={"settings": 366})


def test_only_who_looks_after_the_portal_changes_it_and_with_a_fresh_second_factor(nina, sven):
    with pytest.raises(Refused, match="not_allowed"):
        change(nina)
    with pytest.raises(Refused, match="second_factor"):
        change(sven, actor=acting(sven, Purpose.EXPORT, sven.pk, now=timezone.now()))
    assert not Retention.objects.exists()


def test_the_worker_waits_until_something_was_old_for_a_month(tmp_path):
    happened(1, ago=100 * DAY)
    sealed(key_in(tmp_path))
    keep(90)
    assert not is_due(clock=timezone.now)
    happened(1, ago=121 * DAY)
    sealed(key_in(tmp_path))
    assert is_due(clock=timezone.now)
    archive(tmp_path / "archives", tmp_path / "key.pem")
    assert not is_due(clock=timezone.now)


def test_the_page_says_how_long_and_what_went_where(nina, sven):
    made = known_archive()
    known_archive(Realm.RESOURCE)
    page = visiting(nina).get(reverse("keeping"))
    text = page.content.decode()
    assert text.count("For ever") >= len(Group)
    assert f"{made.name}.jsonl" in text
    assert "Kept elsewhere" in text
    assert "pim-audit-1-2-resource" not in text  # whoever reads the directory reads nothing of resources
    assert reverse("keeping_change") not in text
    assert reverse("keeping_change") in visiting(sven).get(reverse("keeping")).content.decode()


def test_it_is_changed_on_its_page(sven):
    client = fresh(sven)
    answer = client.post(reverse("keeping_change"), {"alerts": "80", "reason": "The law"})
    assert answer.status_code == 422
    assert "from 90 to 36,500" in answer.content.decode()
    answer = client.post(reverse("keeping_change"), {"alerts": "180", "reason": "The law"})
    assert answer.status_code == 302
    assert retention()[Group.ALERTS] == 180


@pytest.fixture
def moved(tmp_path, settings):
    settings.PIM_AUDIT_ARCHIVES, settings.PIM_AUDIT_KEY = tmp_path / "archives", tmp_path / "key.pem"
    key = key_in(tmp_path)
    return settings, key


def test_an_auditor_takes_an_archive_away_and_that_is_an_event(nina, moved, tmp_path):
    settings, key = moved
    happened(3)
    sealed(key)
    keep(90)
    (made,) = archive(settings.PIM_AUDIT_ARCHIVES, settings.PIM_AUDIT_KEY)
    answer: Any = fresh(nina).post(reverse("archive_take", args=[made.event]))
    assert answer["Content-Type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as zipped:
        assert set(zipped.namelist()) == {
            f"{made.name}.jsonl",
            f"{made.name}.texts.jsonl",
            "verify.py",
            "README.txt",
        }
        assert made.sha256 in zipped.read("README.txt").decode()
    told = Event.objects.get(kind=Kind.ARCHIVE_TAKEN)
    assert (told.actor_id, told.details["archive"]) == (nina.pk, 1)


def test_whoever_may_not_read_a_world_gets_none_of_its_archives(nina, tmp_path):
    tree()
    made = known_archive(Realm.RESOURCE)
    assert visiting(nina).get(reverse("archive_take", args=[made.event])).status_code == 404
    actor = acting(nina, Purpose.EXPORT, made.event, now=timezone.now())
    with pytest.raises(Refused, match="not_allowed"):
        taking.take(made, folder=tmp_path, actor=actor, clock=timezone.now)
    mine = known_archive()
    actor = acting(nina, Purpose.EXPORT, mine.event, now=timezone.now())
    with pytest.raises(Refused, match="not_at_hand"):
        taking.take(mine, folder=tmp_path, actor=actor, clock=timezone.now)


def test_pages_of_what_is_archived_say_so_to_whoever_may_see_it(nina, moved):
    settings, key = moved
    ines, zoe = person("ines"), person("zoe")
    request = uuid.uuid4()
    mine, found = (
        *happened(actor_id=ines.pk, ids=Ids(request=request)),
        *happened(kind=Kind.INCIDENT_RAISED, ids=Ids(target=ines.pk)),
    )
    sealed(key)
    keep(90)
    archive(settings.PIM_AUDIT_ARCHIVES, settings.PIM_AUDIT_KEY)
    assert not Event.objects.filter(pk=mine.pk).exists()

    def status(user: Any, name: str, event: Any) -> int:
        return visiting(user).get(reverse(name, args=[event])).status_code

    page = visiting(nina).get(reverse("audit_event", args=[mine.uuid])).content.decode()
    assert "This event was moved into an archive" in page
    assert "Download the archive" in page
    own = visiting(ines).get(reverse("my_audit_event", args=[mine.uuid])).content.decode()
    assert "This event was moved into an archive" in own
    assert "Download the archive" not in own
    # What was only found about somebody is no part of their own history, archived or not.
    assert status(ines, "my_audit_event", found.uuid) == 404
    assert status(nina, "audit_event", found.uuid) == 200
    assert status(zoe, "my_audit_event", mine.uuid) == status(zoe, "my_audit_event", uuid.uuid4()) == 404
    assert status(zoe, "audit_event", mine.uuid) == 404
    story = visiting(nina).get(reverse("audit_request", args=[request])).content.decode()
    assert "1 more event of this was moved into an archive." in story
    assert status(zoe, "audit_request", request) == 404


def test_the_proof_of_an_archived_event_comes_out_of_its_archive(nina, moved, tmp_path):
    settings, key = moved
    mine, *_others = happened(3, actor_id=nina.pk)
    sealed(key)
    keep(90)
    (made,) = archive(settings.PIM_AUDIT_ARCHIVES, settings.PIM_AUDIT_KEY)
    client, there = visiting(nina), reverse("audit_proof", args=[mine.uuid])
    assert there in client.get(reverse("audit_event", args=[mine.uuid])).content.decode()
    assert there not in client.get(reverse("my_audit_event", args=[mine.uuid])).content.decode()
    proof = json.loads(client.get(there).content)
    assert proof["text"]["actor"] == "Ines Okafor"
    said = proofs.verify_proof(proof, proofs.read_keys([key.public.hex()]))
    assert said.startswith(f"Event {mine.uuid}")
    zoe = person("zoe")
    assert visiting(zoe).get(there).status_code == 404

    # Erased there, it proves itself without the text.
    archive_files.erase_texts(settings.PIM_AUDIT_ARCHIVES, made.name, [proof["leaf"]])
    proof = json.loads(client.get(there).content)
    assert (proof["text"], proofs.verify_proof(proof, None)) == ({}, said)

    file = file_of(settings.PIM_AUDIT_ARCHIVES, made.name)
    file.write_text(file.read_text().replace('"number":0', '"number":1'))
    with pytest.raises(proofs.Broken, match="was changed"):
        proofs.verify_proof(json.loads(client.get(there).content), None)
    file.write_text(file.read_text()[:200] + "\n")
    assert client.get(there).status_code == 404
    file.unlink()
    assert client.get(there).status_code == 404
    page = client.get(reverse("audit_event", args=[mine.uuid])).content.decode()
    assert "it is kept elsewhere, and the proof of this event with it" in page
    assert there not in page


def test_the_pages_of_an_assignment_and_of_a_request_say_what_is_in_archives(petra, moved):
    settings, key = moved
    ines = person("ines")
    eligible = make_eligible(ines, role(EXCHANGE_ADMINISTRATOR), now=timezone.now())
    asked = request_activation(ines, eligible, now=timezone.now())
    deactivate(asked.outcome_id, actor=Actor(ines), reason="Done", clock=timezone.now)
    happened(2, ids=Ids(request=asked.pk))
    happened(3, ids=Ids(assignment=asked.outcome_id))
    happened(4, ids=Ids(authority=asked.outcome_id))
    happened(5, ids=Ids(authority=asked.outcome_id), realm=Realm.RESOURCE)
    sealed(key)
    keep(90)
    archive(settings.PIM_AUDIT_ARCHIVES, settings.PIM_AUDIT_KEY)
    client = visiting(petra)
    there = reverse("directory:assignment", kwargs={"pk": asked.outcome_id})
    page = " ".join(client.get(there).content.decode().split())
    assert "3 more events of this were moved into archives." in page
    assert "4 more events of this were moved into archives." in page
    page = client.get(reverse("approvals:request", args=[asked.pk])).content.decode()
    assert "2 more events of this were moved into archives." in " ".join(page.split())
