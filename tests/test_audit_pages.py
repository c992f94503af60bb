"""Audit history: what an auditor sees, what isolation hides, what can be taken away; nothing of it changes anything."""

from __future__ import annotations

import csv
import io
import json
import re
import uuid
from html import unescape
from typing import Any
from unittest.mock import patch

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django_q.models import OrmQ
from openpyxl import load_workbook

from approvals.models import Request
from approvals.selectors.showing import shown_digest
from approvals.services.decisions import approve
from audit import anchors, keys
from audit.kinds import Kind, Outcome, Realm
from audit.models import Event, EventText, Verification
from audit.recording import Ids
from pim_portal import tasks
from pim_portal.activity import downloads
from pim_portal.activity.paging import Place
from pim_portal.activity.services import go_on_verifying
from roles import ids
from roles.actors import Actor
from roles.models import Assignment, Purpose, User
from roles.refusals import Refused
from roles.services.assignments import deactivate, remove
from tests.people import (
    DAY,
    HOUR,
    NOW,
    OPERATOR,
    acting,
    at,
    give,
    group,
    make_eligible,
    person,
    request_activation,
    role,
    tree,
    unit,
)
from tests.sealed import happen, seal_all, tamper
from tests.stepping import code_of, verified
from tests.visitors import visiting

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _now():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture(autouse=True)
def key(tmp_path, settings):
    settings.PIM_AUDIT_KEY = tmp_path / "key.pem"
    return keys.make(settings.PIM_AUDIT_KEY)


@pytest.fixture
def story(ines, adam, with_approval):
    """Ines asks, Adam approves, Ines deactivates."""
    asked = request_activation(ines, with_approval, reason="Mailbox of Zoë", ticket="INC-4711")
    decision = acting(adam, Purpose.DECIDE, asked.pk)
    approve(asked.pk, actor=decision, justification="Confirmed by phone", seen=shown_digest(asked), clock=at(NOW))
    asked.refresh_from_db()
    deactivate(asked.outcome_id, actor=Actor(ines, address="192.0.2.7"), reason="Done", clock=at(NOW + HOUR / 2))
    return asked


@pytest.fixture
def world(db):
    """A resource root with a vault below, Olga its Owner, Rita who reads one branch only, and a neighbour's branch."""
    root, plan, group, vault = tree("Contoso", "Production", "Payments", "Vault")
    olga, rita = person("olga"), person("rita")
    give(olga, role(ids.OWNER), root)
    give(rita, role(ids.READER), group)
    return {"root": root, "plan": plan, "group": group, "vault": vault, "olga": olga, "rita": rita}


def page(user: User, **query: str) -> str:
    response = visiting(user).get(reverse("audit"), query)
    assert response.status_code == 200
    return response.content.decode()


def the(kind: Kind, **fields: Any) -> Event:
    return Event.objects.get(kind=kind, **fields)


def file_of(user: User, format: str, **query: str) -> Any:
    """The answer with a download; it is read while it is streamed."""
    return visiting(user).get(reverse("audit"), {"download": format, **query})


def seen_by(user: User, **query: str) -> set[str]:
    """The events that somebody can download."""
    answer = file_of(user, "jsonl", **query)
    return {json.loads(line)["uuid"] for line in b"".join(answer.streaming_content).splitlines()}


def test_an_auditor_reads_who_what_when_where_why(nina, story):
    html = page(nina)
    for column in ("Who", "What", "When", "Where", "Why"):
        assert f'data-label="{column}"' in html
    assert "Adam approved the request of Ines for Exchange Administrator at Directory." in html
    assert "Confirmed by phone" in html


def test_a_refused_attempt_stands_there(nina, story, zoe):
    assignment = Assignment.objects.filter(principal=nina).first()
    with pytest.raises(Refused):
        remove(assignment.pk, actor=acting(zoe, Purpose.ASSIGN, assignment.pk), clock=at(NOW))
    assert "Zoe tried to remove" in page(nina, outcome="refused")


# Isolation


def test_the_directory_is_not_for_resource_people_nor_the_other_way_round(nina, world, story):
    there = give(world["rita"], role(ids.READER), world["vault"])
    event = str(the(Kind.ASSIGNMENT_ADDED, assignment_id=there.pk).uuid)
    asked = str(the(Kind.REQUEST_MADE).uuid)
    assert event in seen_by(world["olga"])
    assert event not in seen_by(nina)
    assert asked in seen_by(nina)
    assert asked not in seen_by(world["olga"])


def test_somebody_who_reads_a_branch_sees_it_and_all_below_and_nothing_beside(world):
    below = give(world["olga"], role(ids.READER), world["vault"])
    above = give(world["olga"], role(ids.READER), world["plan"])
    seen = seen_by(world["rita"])
    assert str(the(Kind.ASSIGNMENT_ADDED, assignment_id=below.pk).uuid) in seen
    assert str(the(Kind.ASSIGNMENT_ADDED, assignment_id=above.pk).uuid) not in seen
    places = set(Event.objects.filter(uuid__in=seen).values_list("resource_id", flat=True))
    assert places == {world["group"].pk, world["vault"].pk}


@pytest.mark.parametrize("name", ["audit_event", "audit_proof", "audit_erase"])
def test_an_event_out_of_sight_is_as_unknown_as_a_random_one(world, story, name, key):
    seal_all(key, limit=1000)
    client = visiting(world["olga"])
    hidden = client.get(reverse(name, args=[the(Kind.REQUEST_MADE).uuid]))
    random = client.get(reverse(name, args=[uuid.uuid4()]))
    assert hidden.status_code == random.status_code == 404


def test_the_story_of_a_request_out_of_sight_is_unknown(world, story, nina):
    address = reverse("audit_request", args=[story.pk])
    assert visiting(nina).get(address).status_code == 200
    assert visiting(world["olga"]).get(address).status_code == 404


def test_no_filter_widens_what_is_seen(world, story):
    for query in ({"q": "ines"}, {"request": str(story.pk)}, {"actor": "ines"}, {"resource": str(ids.DIRECTORY)}):
        assert seen_by(world["olga"], **query) == set()


def test_a_world_is_narrowed_to_and_hides_nothing_of_it(world, story, nina, adam):
    """Also what stands in the directory's tree and is of another world: the nodes of groups."""
    team = group("Team", adam)
    give(person("gerd"), role(ids.GROUP_OWNER), team.resource)
    give(person("una"), role(ids.GLOBAL_READER), unit("Sales"))
    people = [nina, world["olga"], world["rita"], *User.objects.filter(username__in=["gerd", "una"])]
    found = set()
    for user in people:
        for realm in Realm:
            all_of_it = set(Event.objects.filter(realm=realm).values_list("uuid", flat=True))
            wanted = seen_by(user) & set(map(str, all_of_it))
            assert seen_by(user, realm=realm) == wanted, (user, realm)
            if wanted:
                found.add((user.username, realm))
    assert {("nina", Realm.DIRECTORY), ("nina", Realm.GROUP), ("olga", Realm.RESOURCE)} <= found


def test_a_sign_in_belongs_to_the_directory(nina, world, ines):
    from audit.recording import write

    signed = write(Kind.SIGNED_IN, at=NOW, realm=Realm.DIRECTORY, actor_id=ines.pk, ids=Ids(target=ines.pk))
    assert str(signed.uuid) in seen_by(nina)
    assert str(signed.uuid) not in seen_by(world["olga"])


# Filters


FILTERS: dict[str, Any] = {
    "kind": lambda s: {"kind": "request.made"},
    "actor by name": lambda s: {"actor": "adam"},
    "actor by id": lambda s: {"actor": str(User.objects.get(username="adam").pk)},
    "target": lambda s: {"target": "INES"},
    "role by name": lambda s: {"role": "exchange admin"},
    "role by id": lambda s: {"role": str(s.role_id)},
    "resource": lambda s: {"resource": "directory"},
    "request": lambda s: {"request": str(s.pk)},
    "authority": lambda s: {"authority": str(s.assignment_id)},
    "outcome": lambda s: {"outcome": "done"},
    "span": lambda s: {"span": "1"},
    "text": lambda s: {"q": "ZOË"},
}
MATCHES: dict[str, Any] = {
    "kind": lambda e, s: e.kind == Kind.REQUEST_MADE,
    "actor by name": lambda e, s: e.actor_id == User.objects.get(username="adam").pk,
    "actor by id": lambda e, s: e.actor_id == User.objects.get(username="adam").pk,
    "target": lambda e, s: e.target_id == s.principal_id,
    "role by name": lambda e, s: e.role_id == s.role_id,
    "role by id": lambda e, s: e.role_id == s.role_id,
    "resource": lambda e, s: e.resource_id == ids.DIRECTORY,
    "request": lambda e, s: e.request_id == s.pk,
    "authority": lambda e, s: e.authority_id == s.assignment_id,
    "outcome": lambda e, s: e.outcome == Outcome.DONE,
    "span": lambda e, s: e.occurred_at >= NOW - DAY,
    "text": lambda e, s: "zoë" in e.text.search,
}


@pytest.mark.parametrize("name", FILTERS)
def test_each_filter_shows_exactly_what_matches(nina, story, name):
    all_of = Event.objects.filter(uuid__in=seen_by(nina)).select_related("text")
    expected = {str(one.uuid) for one in all_of if MATCHES[name](one, story)}
    assert expected
    assert seen_by(nina, **FILTERS[name](story)) == expected


def test_a_place_is_filtered_with_everything_below_it(world):
    deep = give(world["rita"], role(ids.READER), world["vault"])
    event = str(the(Kind.ASSIGNMENT_ADDED, assignment_id=deep.pk).uuid)
    for place in ("plan", "group", "vault"):
        assert event in seen_by(world["olga"], resource=str(world[place].pk))
    assert event in seen_by(world["olga"], resource="production")
    assert event not in seen_by(world["olga"], resource="nowhere")


def test_what_is_no_id_finds_no_request(nina, story):
    assert seen_by(nina, request="not-an-id") == set()


def pills(html: str) -> dict[str, str]:
    """What the filters that are set to an id say."""
    found = re.findall(r'<span class="pill" data-set>([^<]+?) <b>([^<]+)</b>', html)
    return dict(found)


def test_a_filter_set_to_an_id_says_its_name_and_can_be_taken_away(nina, story, ines):
    authority = Event.objects.exclude(authority_id=None).filter(target_id=ines.pk).latest("id").authority_id
    query = {"target": ines.pk, "role": story.role_id, "resource": ids.DIRECTORY, "request": story.pk}
    html = page(nina, **{name: str(pk) for name, pk in query.items()}, actor=str(ines.pk), authority=str(authority))
    assert pills(html) == {
        "Who": "Ines",
        "To whom": "Ines",
        "Role": "Exchange Administrator",
        "Where, and below": "Directory",
        "Request": "Ines: Exchange Administrator",
        "Done under": "Exchange Administrator at Directory",
    }
    assert f'name="actor" value="{ines.pk}"' in html
    without = unescape(re.search(r'href="([^"]+)" aria-label="Remove the filter “Who”"', html)[1])  # type: ignore[index]
    assert "actor" not in without
    assert str(story.pk) in without


def test_a_place_where_nothing_happened_yet_has_a_name_for_whoever_may_read_there(world):
    assert pills(page(world["olga"], resource=str(world["vault"].pk))) == {"Where, and below": "Vault"}
    assert not pills(page(world["rita"], resource=str(world["plan"].pk)))


@pytest.mark.parametrize("name", ["actor", "target", "role", "resource", "request", "authority"])
def test_a_filter_names_nothing_that_the_history_hides(world, story, ines, name):
    hidden = {"actor": ines.pk, "target": ines.pk, "role": story.role_id, "resource": ids.DIRECTORY}
    pk = {**hidden, "request": story.pk, "authority": story.assignment_id}[name]
    random = uuid.uuid4()
    shown, unknown = (re.sub(r'value="\w{64}"', "", page(world["olga"], **{name: str(one)})) for one in (pk, random))
    assert shown.replace(str(pk), str(random)) == unknown


# One event, one story


def test_the_details_say_everything_with_the_seal(nina, story, key):
    event = the(Kind.ACTIVATION_DEACTIVATED)
    html = visiting(nina).get(reverse("audit_event", args=[event.uuid])).content.decode()
    assert "Waits to be sealed" in html
    assert "192.0.2.7" in html
    seal_all(key, limit=1000)
    html = visiting(nina).get(reverse("audit_event", args=[event.uuid])).content.decode()
    assert re.search(r"Leaf \d+ in batch 1", html)
    assert str(event.uuid) in html


def test_the_story_of_a_request_goes_from_asking_to_its_end(nina, story):
    html = visiting(nina).get(reverse("audit_request", args=[story.pk])).content.decode()
    told = [
        "Ines asked for Exchange Administrator at Directory.",
        "Adam approved the request of Ines",
        "was activated for Ines, approved by Adam.",
        "Ines deactivated Exchange Administrator at Directory.",
    ]
    places = [html.index(one, html.index("timeline")) for one in told]
    assert places == sorted(places)


def test_an_activation_lists_what_was_done_under_it(nina, petra, zoe):
    eligible = make_eligible(person("paul"), role(ids.PRIVILEGED_ROLE_ADMINISTRATOR))
    activation = request_activation(eligible.principal.user, eligible).outcome
    given = give_as(eligible.principal.user, zoe)
    event = the(Kind.ASSIGNMENT_ADDED, assignment_id=given.pk)
    assert event.authority_id == activation.pk
    started = the(Kind.ACTIVATION_STARTED)
    html = visiting(nina).get(reverse("audit_event", args=[started.uuid])).content.decode()
    assert "What was done under this assignment" in html
    assert reverse("audit_event", args=[event.uuid]) in html
    assert seen_by(nina, authority=str(activation.pk)) == {str(event.uuid)}


def give_as(user: User, to: User) -> Assignment:
    from roles.models import AssignmentType
    from roles.services.assignments import assign
    from tests.people import directory

    return assign(
        to.pk,
        role=role(ids.SECURITY_READER),
        resource=directory(),
        type=AssignmentType.ACTIVE,
        starts_at=None,
        ends_at=NOW + DAY,
        reason="on call",
        actor=acting(user, Purpose.ASSIGN, to.pk),
        clock=at(NOW),
    )


# Downloads


def test_csv_and_xlsx_hold_every_event_and_no_formula(nina, story):
    happen(1, reason="=HYPERLINK(1)")
    answer = file_of(nina, "csv")
    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))
    assert {row["Event"] for row in rows} == seen_by(nina)
    assert [row["Why"] for row in rows if "HYPERLINK" in row["Why"]] == ["'=HYPERLINK(1)"]
    answer = file_of(nina, "xlsx")
    sheet = load_workbook(io.BytesIO(b"".join(answer.streaming_content))).active
    assert sheet.max_row == len(rows) + 1
    assert answer["Content-Disposition"].endswith('.xlsx"')


def test_a_download_goes_on_part_by_part_in_order(nina, monkeypatch):
    happen(25)
    monkeypatch.setattr(downloads, "PART", 4)
    monkeypatch.setattr(downloads, "COPIED", 4)
    answer = file_of(nina, "jsonl")
    lines = [json.loads(line) for line in b"".join(answer.streaming_content).splitlines()]
    stamps = [(line["occurred_at"], line["id"]) for line in lines]
    assert stamps == sorted(stamps, reverse=True)
    assert len({line["uuid"] for line in lines}) == len(lines) >= 25


@pytest.mark.parametrize("format", ["csv", "jsonl"])
def test_a_download_ends_when_the_right_to_it_ends(nina, monkeypatch, format):
    happen(12)
    monkeypatch.setattr(downloads, "PART", 4)
    monkeypatch.setattr(downloads, "COPIED", 4)
    monkeypatch.setattr("roles.downloads.islice", lambda rows, count: list_of(rows, 4))
    answer = file_of(nina, format)
    stream = iter(answer.streaming_content)
    first = next(stream) + (next(stream) if format == "csv" else b"")
    assert first
    held = Assignment.objects.get(principal=nina, role_id=ids.GLOBAL_READER)
    remove(held.pk, actor=OPERATOR, reason="left", clock=at(NOW))
    rest = b"".join(stream).decode()
    assert "The right to read this ended" in rest
    assert rest.count("\n") <= 2


def list_of(rows: Any, count: int) -> list[Any]:
    return [row for _number, row in zip(range(count), rows, strict=False)]


def test_a_download_costs_the_same_queries_for_each_part(nina, monkeypatch, django_assert_max_num_queries):
    happen(40)
    with django_assert_max_num_queries(60):
        b"".join(file_of(nina, "jsonl").streaming_content)


def test_the_page_costs_the_same_queries_for_ten_and_for_fifty_rows(nina, django_assert_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client = visiting(nina)
    client.get(reverse("audit"))
    with CaptureQueriesContext(connection) as few:
        client.get(reverse("audit"), {"per_page": "50"})
    happen(60)
    with CaptureQueriesContext(connection) as many:
        client.get(reverse("audit"), {"per_page": "50"})
    assert len(few) == len(many)


# Erasing


def test_who_looks_after_the_portal_erases_the_text_of_an_event(story):
    sven = person("sven")
    give(sven, role(ids.SECURITY_ADMINISTRATOR))
    event = the(Kind.REQUEST_MADE)
    address = reverse("audit_erase", args=[event.uuid])
    client = verified(sven)
    assert client.post(address, {"reason": ""}).status_code == 422
    answer = client.post(address, {"reason": "Asked for by letter"})
    assert answer.status_code == 302
    assert EventText.objects.get(pk=event.pk).fields == {}
    html = client.get(reverse("audit_event", args=[event.uuid])).content.decode()
    assert "Erased on request" in html
    assert "(erased) asked for (erased)" in html


def test_an_auditor_is_offered_no_erasing(nina, story):
    event = the(Kind.REQUEST_MADE)
    html = visiting(nina).get(reverse("audit_event", args=[event.uuid])).content.decode()
    assert "Erase" not in html
    assert verified(nina).post(reverse("audit_erase", args=[event.uuid]), {"reason": "x"}).status_code == 404


def test_erasing_needs_a_fresh_second_factor(story):
    sven = person("sven")
    give(sven, role(ids.SECURITY_ADMINISTRATOR))
    event = the(Kind.REQUEST_MADE)
    address = reverse("audit_erase", args=[event.uuid])
    client = visiting(sven)
    with time_machine.travel(NOW + HOUR / 6, tick=False):
        client.get(reverse("audit"))
        answer = client.post(address, {"reason": "Asked"})
        assert answer.status_code == 422
        assert EventText.objects.get(pk=event.pk).fields
        answer = client.post(address, {"reason": "Asked", **code_of(sven)})
        assert answer.status_code == 302


# Verifying


def start(client: Client, **data: str) -> Any:
    return client.post(reverse("audit_verification"), data)


def run_tasks() -> None:
    """What the worker would do, until nothing of it is left."""
    while waiting := [row for row in OrmQ.objects.order_by("pk") if row.func() == "pim_portal.tasks.verify"]:
        for row in waiting:
            row.delete()
            tasks.verify(*row.task["args"])


def test_an_auditor_verifies_and_reads_the_result(nina, story, key):
    seal_all(key)
    client = visiting(nina)
    assert start(client).status_code == 302
    running = client.get(reverse("audit_verification"))
    assert "Verifying…" in running.content.decode()
    assert running["Refresh"] == "3"
    run_tasks()
    done = client.get(reverse("audit_verification"))
    assert "Nothing was changed." in done.content.decode()
    assert "Refresh" not in done
    told = the(Kind.HISTORY_VERIFIED)
    assert (told.outcome, told.actor_id) == (Outcome.DONE, nina.pk)


@pytest.mark.parametrize("anchor", ["file:{tmp_path}", "nowhere.at.all"])
def test_an_anchor_that_cannot_be_read_is_told_instead_of_passed_over(nina, story, key, settings, tmp_path, anchor):
    settings.PIM_AUDIT_ANCHORS = [anchor.format(tmp_path=tmp_path)]
    seal_all(key)
    answer = start(visiting(nina))
    assert answer.status_code == 422
    assert "An anchor cannot be read" in answer.content.decode()
    assert not Verification.objects.exists()


def test_the_counts_of_events_are_written_as_everywhere(nina, story, key):
    seal_all(key)
    tip = anchors.tip()
    assert tip
    with patch.object(anchors, "tip", return_value=tip._replace(leaves=12345)):
        html = visiting(nina).get(reverse("audit_verification")).content.decode()
    assert "<dd>12,345</dd>" in html


def test_the_page_names_the_first_wrong_thing_and_leads_there(nina, story, key):
    seal_all(key)
    event = the(Kind.REQUEST_MADE)
    tamper("UPDATE audit_event SET outcome = 'failed' WHERE id = %s", event.pk)
    client = visiting(nina)
    start(client)
    run_tasks()
    html = client.get(reverse("audit_verification")).content.decode()
    assert "Something is wrong." in html
    assert str(event.uuid) in html
    assert reverse("audit_event", args=[event.uuid]) in html
    assert the(Kind.HISTORY_VERIFIED).outcome == Outcome.FAILED


def test_a_tip_out_of_a_mail_is_checked(nina, key):
    happen(4)
    seal_all(key)
    client = visiting(nina)
    assert start(client, tips="nothing of the kind").status_code == 422
    start(client, tips=f"Tip: pim-audit-tip 1 9 99 {'ab' * 32}")
    run_tasks()
    assert "cut_off" in client.get(reverse("audit_verification")).content.decode()


def test_a_long_verification_goes_on_in_chunks_and_once(nina, key, monkeypatch):
    happen(30)
    seal_all(key, limit=3)
    monkeypatch.setitem(go_on_verifying.__kwdefaults__, "seconds", 0)
    start(visiting(nina))
    start(visiting(nina))
    assert Verification.objects.count() == 1
    run_tasks()
    assert Verification.objects.get().finished_at is not None
    assert Event.objects.filter(kind=Kind.HISTORY_VERIFIED).count() == 1


def test_a_verification_that_ran_twice_tells_once(nina, key):
    happen(3)
    seal_all(key)
    start(visiting(nina))
    row = Verification.objects.get()
    tasks.verify(str(row.pk))
    tasks.verify(str(row.pk))
    tasks.verify(str(uuid.uuid4()))
    assert Event.objects.filter(kind=Kind.HISTORY_VERIFIED).count() == 1


def test_resource_people_cannot_verify(world):
    assert visiting(world["olga"]).get(reverse("audit_verification")).status_code == 403
    assert start(visiting(world["olga"])).status_code == 403
    assert not Verification.objects.exists()


def test_reading_changes_nothing(nina, story, key):
    seal_all(key)
    before = Event.objects.count()
    client = visiting(nina)
    before = Event.objects.count()
    event = the(Kind.REQUEST_MADE)
    for address in (
        reverse("audit"),
        reverse("audit_export"),
        reverse("audit_verification"),
        reverse("audit_event", args=[event.uuid]),
        reverse("audit_proof", args=[event.uuid]),
        reverse("audit_request", args=[story.pk]),
    ):
        assert client.get(address).status_code == 200
    assert Event.objects.count() == before
    assert not Verification.objects.exists()
    assert isinstance(story, Request)


@pytest.mark.parametrize(
    "text", ["0001-01-01T00:00+23:59~1", "2026-11-26T14:00Z~" + "9" * 5000, "2026-11-26T14:00Z~" + "9" * 19, "noon~1"]
)
def test_a_place_in_the_history_that_cannot_be_is_none(text):
    assert Place.parse(text) is None


def test_an_export_says_how_many_events_it_takes_and_counts_no_further_than_anybody_reads(
    nina, story, key, monkeypatch
):
    seal_all(key, limit=1000)
    monkeypatch.setattr("pim_portal.activity.views.audit.MOST_TOLD", 1000)
    count = len(seen_by(nina))
    client = visiting(nina)
    assert f"{count} sealed events." in client.get(reverse("audit_export")).content.decode()
    monkeypatch.setattr("pim_portal.activity.views.audit.MOST_TOLD", count - 1)
    assert f"More than {count - 1} sealed events." in client.get(reverse("audit_export")).content.decode()
