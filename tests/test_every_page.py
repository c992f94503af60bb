"""Every page and action, tried by every kind of person. An address that is not in the table fails the suite.

What a viewer may not open: a section without an id answers 403, every path with an id answers 404, exactly as for a
random id. Whoever is not signed in with both factors is sent to sign in.
"""

from __future__ import annotations

import io
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

import pytest
import time_machine
from django.apps import apps
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from approvals.models import Request
from approvals.services.settings_changes import change_or_ask
from audit import keys
from audit.kinds import Outcome
from audit.models import Event
from audit.services.sealing import seal
from pim_portal.imports.reading import NEEDED
from pim_portal.imports.services.uploads import receive
from pim_portal.models import Download, PortalSession, SetUp, Upload
from roles import ids
from roles.actors import Actor
from roles.models import Purpose, Resource, ResourceKind, Role, TotpDevice, User
from tests.archived import known_archive
from tests.deputising import named
from tests.emergencies import break_it, glass_allowed
from tests.hooks import hook_of
from tests.keeping import kept_by
from tests.people import (
    EXCHANGE_ADMINISTRATOR,
    HOUR,
    PASSWORD,
    acting,
    configure,
    custom_role,
    directory,
    give,
    group,
    make_eligible,
    person,
    request_activation,
    role,
    tree,
    unit,
)
from tests.reviewing import chosen, started
from tests.separating import kept_apart
from tests.visitors import visiting

pytestmark = pytest.mark.django_db

EVERYONE = {"zoe", "ines", "adam", "petra", "nina", "olga", "rita", "amelie", "sven", "gina", "greta", "gabi"}
SEE_PEOPLE = {"petra", "nina", "amelie", "sven", "gina", "gabi"}
MANAGE_PEOPLE = {"petra", "amelie"}
RESET_PEOPLE = {"amelie"}
OPERATORS = {"petra", "sven"}
MANAGE_GROUPS = {"gina"}
SEE_TEAM = {"petra", "nina", "sven", "gina", "greta", "gabi"}
TEAM_ADMINISTRATORS = {"petra", "gina", "greta"}  # it holds no roles


@dataclass(frozen=True)
class Row:
    """Who gets a page by GET. `to`: what the path is about. `only_post`: GET is 405. `denied`: what the others get."""

    who: set[str]
    to: str = ""
    only_post: bool = False
    denied: int = 404
    strangers: int | None = None
    unverified: int | None = None
    redirects: set[str] = field(default_factory=set)


# Who may look at the directory, at an administrative unit, at a resource; and who may change what is there.
SEE_DIRECTORY = {"petra", "nina", "sven", "gabi"}
SEE_RESOURCE = {"olga", "rita"}
DIRECTORY_ADMINISTRATORS = {"petra"}
RESOURCE_ADMINISTRATORS = {"olga"}


def at_each_place(page: str, *, changes: bool = False, to: str = "") -> dict[str, Row]:
    """The rows of a page that stands at every place: `changes` where only its administrators may open it.

    `to` is what the rest of the path is about: `x` means the target `x` in the directory and its units, and `x_there`
    at the resource.
    """
    directory = DIRECTORY_ADMINISTRATORS if changes else SEE_DIRECTORY
    resource = RESOURCE_ADMINISTRATORS if changes else SEE_RESOURCE
    there = f"place+{to}_there" if to else "place"
    return {
        f"directory:{page}": Row(directory, to=to, denied=404 if to else 403),
        f"unit:{page}": Row(directory, to=f"unit+{to}" if to else "unit"),
        f"resource:{page}": Row(resource, to=there),
    }


def of_an_assignment(page: str, *, changes: bool = False) -> dict[str, Row]:
    """The rows of a page about an assignment, which stands at the very place where it was given."""
    rows = at_each_place(page, changes=changes, to="assignment")
    return rows | {f"unit:{page}": Row(rows[f"unit:{page}"].who, to="unit+assignment_in_unit")}


def of_somebody_there(page: str) -> dict[str, Row]:
    """The rows of a page about somebody who has something at the place."""
    rows = at_each_place(page, to="ines")
    return rows | {f"resource:{page}": replace(rows[f"resource:{page}"], to="place+ines")}


def of_a_custom_role(page: str) -> dict[str, Row]:
    """The rows of a form about a custom role, which stands where it was made: never at an administrative unit."""
    rows = at_each_place(page, changes=True, to="custom")
    return rows | {f"unit:{page}": Row(set(), to="unit+custom")}


def of_a_duty_rule(page: str) -> dict[str, Row]:
    """The rows of a form about a rule of separation of duties, which stands where it was made: never at a unit."""
    rows = at_each_place(page, changes=True, to="duty")
    return rows | {f"unit:{page}": Row(set(), to="unit+duty")}


def of_an_upload(page: str) -> dict[str, Row]:
    """The rows of a page about a file to import, which only its sender sees, at the place that it was sent for."""
    rows = at_each_place(page, changes=True, to="upload")
    return rows | {f"unit:{page}": Row(rows[f"unit:{page}"].who, to="unit+upload_in_unit")}


def of_the_team(page: str, *, changes: bool = False, to: str = "") -> dict[str, Row]:
    """The rows of a page about who belongs to a group."""
    who = TEAM_ADMINISTRATORS if changes else SEE_TEAM
    return {f"group:{page}": Row(who, to=f"team+{to}" if to else "team")}


def of_a_review(page: str, *, changes: bool = False, instance: bool = False) -> dict[str, Row]:
    """The rows of a page about a review, or an instance of it, which stands at the very place that it is about."""
    what = "instance" if instance else "review"
    rows = at_each_place(page, changes=changes, to=what)
    return rows | {f"unit:{page}": Row(rows[f"unit:{page}"].who, to=f"unit+{what}_in_unit")}


OURS = {"audit", "roles", "approvals", "reviews", "pim_portal"}

PAGES: dict[str, Row] = {
    "overview": Row(EVERYONE),
    "dismiss_step": Row(EVERYONE, to="step", only_post=True),
    "licences": Row(SEE_PEOPLE, denied=403),
    "world_list": Row(SEE_DIRECTORY, to="world+listed"),
    "insights": Row(SEE_DIRECTORY, to="world"),
    "world_act": Row(DIRECTORY_ADMINISTRATORS, to="world"),
    "world_review": Row(DIRECTORY_ADMINISTRATORS, to="world"),
    "world_requests": Row(SEE_DIRECTORY, to="world"),
    "world_reviews": Row(SEE_DIRECTORY, to="world"),
    "access": Row(EVERYONE),
    "search": Row(EVERYONE),
    "quick_start": Row(EVERYONE),
    "words": Row(EVERYONE),
    "find_role": Row(EVERYONE),
    "healthz": Row(EVERYONE, strangers=200, unverified=200),
    "healthz_worker": Row(set(), denied=503, strangers=503, unverified=503),
    "readyz": Row(EVERYONE, strangers=200, unverified=200),
    "metrics": Row(set(), denied=404, strangers=404, unverified=404),
    "robots_txt": Row(EVERYONE, strangers=200, unverified=200),
    "security_txt": Row(set(), denied=404, strangers=404, unverified=404),
    "change_password": Row(set(), denied=302, strangers=302, unverified=302, redirects=EVERYONE),
    "approvals:my_roles": Row(EVERYONE),
    "approvals:activate": Row(set(), denied=302, redirects=EVERYONE),
    "approvals:profiles": Row(EVERYONE),
    "approvals:profile_activate": Row({"ines"}, to="profile"),
    "approvals:profile_rename": Row({"ines"}, to="profile"),
    "approvals:profile_pin": Row({"ines"}, to="profile", only_post=True),
    "approvals:profile_delete": Row({"ines"}, to="profile"),
    "approvals:deactivate": Row({"ines"}, to="activation"),
    "approvals:prolong": Row({"ines"}, to="activation"),
    "approvals:extend": Row({"ines"}, to="assignment"),
    "approvals:renew": Row({"ines"}, to="assignment"),
    "approvals:my_requests": Row(EVERYONE),
    "approvals:cancel": Row({"ines"}, to="request", only_post=True),
    "approvals:approvals": Row(EVERYONE),
    "approvals:decide_selected": Row(set(), denied=302, redirects=EVERYONE),
    "approvals:request": Row({"ines", "adam"} | SEE_DIRECTORY, to="request"),
    "approvals:decide": Row({"adam", "ines"} | SEE_DIRECTORY, to="request", only_post=True),
    "approvals:deputies": Row(EVERYONE),
    "approvals:deputy_add": Row(EVERYONE),
    "approvals:deputy_end": Row({"adam", "nina"}, to="deputy", only_post=True),
    "approvals:cancel_for": Row(DIRECTORY_ADMINISTRATORS, to="request"),
    "approvals:break_glass": Row({"ines"}, to="assignment"),
    "approvals:emergency_review": Row(
        {"adam", "petra"}, to="emergency", redirects={"ines"} | SEE_DIRECTORY - DIRECTORY_ADMINISTRATORS
    ),
    # Not before a day is over: until then it leads back to its request.
    "approvals:change_alone": Row(set(), to="change", redirects={"greta"}),
    "results": Row(set(), denied=302, redirects=EVERYONE),
    "resources": Row(SEE_RESOURCE | {"gabi"}, denied=403),
    "directory_export": Row(DIRECTORY_ADMINISTRATORS, denied=403),
    "resources_export": Row(RESOURCE_ADMINISTRATORS, denied=403),
    "root_add": Row(RESOURCE_ADMINISTRATORS, denied=403),
    # What it gives: `test_elevation`.
    "elevate": Row({"gabi"}, denied=403),
    "elevation_end": Row(set(), denied=403, only_post=True),
    **at_each_place("overview"),
    **at_each_place("below"),
    **at_each_place("place_add", changes=True),
    "unit:place_add": Row(set(), to="unit"),
    "unit:place_rename": Row(DIRECTORY_ADMINISTRATORS, to="unit"),
    "unit:place_retire": Row(DIRECTORY_ADMINISTRATORS, to="unit"),
    "unit:place_restore": Row(DIRECTORY_ADMINISTRATORS, to="unit"),
    "resource:place_rename": Row(RESOURCE_ADMINISTRATORS, to="place"),
    "resource:place_move": Row(RESOURCE_ADMINISTRATORS, to="below"),
    "resource:place_retire": Row(RESOURCE_ADMINISTRATORS, to="below"),
    "resource:place_restore": Row(RESOURCE_ADMINISTRATORS, to="below"),
    **at_each_place("assignments"),
    **at_each_place("assignments_add", changes=True),
    **at_each_place("assignments_end", changes=True),
    **of_an_assignment("assignment"),
    **of_an_assignment("assignment_change", changes=True),
    **of_an_assignment("assignment_renew", changes=True),
    **of_an_assignment("assignment_remove", changes=True),
    **at_each_place("roles"),
    **at_each_place("role", to="role"),
    **at_each_place("role_add", changes=True),
    "unit:role_add": Row(set(), to="unit"),
    **of_a_custom_role("role_change"),
    **of_a_custom_role("role_retire"),
    **of_a_custom_role("role_restore"),
    **at_each_place("requests"),
    **at_each_place("reach"),
    **at_each_place("settings"),
    **at_each_place("role_settings", to="role"),
    **at_each_place("role_settings_difference", to="role"),
    **at_each_place("role_settings_edit", changes=True, to="role"),
    **at_each_place("role_settings_reset", changes=True, to="role"),
    **at_each_place("role_settings_copy", changes=True, to="role"),
    **at_each_place("duties"),
    **at_each_place("duty_conflicts"),
    **at_each_place("duty_add", changes=True),
    "unit:duty_add": Row(set(), to="unit"),
    **at_each_place("duty", to="duty"),
    **of_a_duty_rule("duty_change"),
    **of_a_duty_rule("duty_retire"),
    **at_each_place("imports", changes=True),
    **of_somebody_there("person_at"),
    **of_somebody_there("person_compare_at"),
    **of_an_upload("import"),
    **of_an_upload("import_confirm"),
    **{name: replace(row, only_post=True) for name, row in of_an_upload("import_discard").items()},
    **at_each_place("reviews"),
    **at_each_place("review_add", changes=True),
    **of_a_review("review"),
    **of_a_review("review_change", changes=True),
    **of_a_review("review_delete", changes=True),
    **of_a_review("review_instance", instance=True),
    **of_a_review("review_stop", changes=True, instance=True),
    **of_a_review("review_reset", changes=True, instance=True),
    **of_a_review("review_remind", changes=True, instance=True),
    **of_a_review("review_apply", changes=True, instance=True),
    **at_each_place("alerts"),
    **{name: replace(row, only_post=True) for name, row in at_each_place("alerts_scan", changes=True).items()},
    "directory:alerts_scan": Row(OPERATORS, only_post=True, denied=403),
    **at_each_place("alert", to="alert"),
    **at_each_place("alert_settings", changes=True, to="alert"),
    **at_each_place("alert_dismiss", changes=True, to="alert"),
    **at_each_place("alert_fix", changes=True, to="alert"),
    "reviews:reviews": Row(EVERYONE),
    "reviews:review": Row({"adam"}, to="running"),
    "reviews:say_all": Row({"adam"}, to="running"),
    "reviews:results": Row(set(), to="running", redirects=SEE_DIRECTORY),
    "people": Row(SEE_PEOPLE, denied=403),
    "invite": Row(MANAGE_PEOPLE, denied=403),
    "person": Row(SEE_PEOPLE, to="zoe"),
    "person_invite": Row(MANAGE_PEOPLE, to="zoe"),
    "person_disable": Row(MANAGE_PEOPLE, to="zoe"),
    "person_enable": Row(MANAGE_PEOPLE, to="zoe"),
    "person_reset": Row(RESET_PEOPLE, to="zoe"),
    "person_access": Row(SEE_PEOPLE, to="zoe"),
    "person_activity": Row(SEE_PEOPLE, to="zoe"),
    "person_compare": Row(SEE_PEOPLE, to="zoe"),
    "person_leave": Row(SEE_PEOPLE, to="zoe"),
    "person_change": Row(MANAGE_PEOPLE, to="zoe"),
    "groups": Row(SEE_PEOPLE | {"greta"}, denied=403),
    "group_add": Row(MANAGE_GROUPS, denied=403),
    "group": Row(SEE_PEOPLE | {"greta"}, to="team"),
    "group_change": Row(TEAM_ADMINISTRATORS, to="team"),
    "group_disable": Row(TEAM_ADMINISTRATORS, to="team"),
    "group_enable": Row(TEAM_ADMINISTRATORS, to="team"),
    "group:overview": Row(SEE_PEOPLE | {"greta"}, to="team"),
    **of_the_team("assignments"),
    **of_the_team("assignments_add", changes=True),
    **of_the_team("assignments_end", changes=True),
    **of_the_team("assignment", to="membership"),
    **of_the_team("assignment_change", changes=True, to="membership"),
    **of_the_team("assignment_renew", changes=True, to="membership"),
    **of_the_team("assignment_remove", changes=True, to="membership"),
    **of_the_team("settings"),
    **of_the_team("role_settings", to="member"),
    **of_the_team("role_settings_difference", to="member"),
    **of_the_team("role_settings_edit", changes=True, to="member"),
    **of_the_team("role_settings_reset", changes=True, to="member"),
    **of_the_team("role_settings_copy", changes=True, to="member"),
    "audit": Row(SEE_DIRECTORY | SEE_RESOURCE | {"greta", "gina"}, denied=403),
    "audit_export": Row(SEE_DIRECTORY | SEE_RESOURCE | {"greta", "gina"}, denied=403),
    "audit_download": Row(SEE_DIRECTORY | SEE_RESOURCE | {"greta", "gina"}, denied=403),
    "my_audit_download": Row(EVERYONE),
    "history_download": Row({"ines"}, to="download"),
    "audit_verification": Row(SEE_DIRECTORY, denied=403),
    "audit_event": Row(SEE_DIRECTORY, to="event"),
    "audit_proof": Row(SEE_DIRECTORY, to="sealed_event"),
    "audit_erase": Row({"sven"}, to="event"),
    "audit_request": Row(SEE_DIRECTORY, to="request"),
    "keeping": Row(SEE_DIRECTORY | SEE_RESOURCE | {"gina"}, denied=403),
    "keeping_change": Row({"sven"}, denied=403),
    "archive_take": Row(SEE_DIRECTORY, to="archive"),
    "my_audit": Row(EVERYONE),
    "my_audit_event": Row({"ines"}, to="event"),
    "account": Row(EVERYONE),
    "notifications": Row(EVERYONE),
    "health": Row({"sven"}, denied=403),
    "mails": Row({"sven"}, denied=403),
    "mails_send": Row({"sven"}, only_post=True, denied=403),
    "web_hooks": Row({"sven"}, denied=403),
    "web_hook_add": Row({"sven"}, denied=403),
    "web_hook": Row({"sven"}, to="hook"),
    "web_hook_change": Row({"sven"}, to="hook"),
    "web_hook_rotate": Row({"sven"}, to="hook"),
    "web_hook_replay": Row({"sven"}, to="hook"),
    "web_hook_pause": Row({"sven"}, to="hook"),
    "web_hook_resume": Row({"sven"}, to="hook"),
    "web_hook_test": Row({"sven"}, to="hook"),
    "web_hook_delete": Row({"sven"}, to="hook"),
    "sign_in": Row(set(), denied=302, strangers=200, unverified=302),
    "sign_out": Row(EVERYONE, only_post=True, strangers=405, unverified=405),
    "second_factor": Row(set(), denied=302, unverified=200),
    "enrol": Row(set(), denied=302, unverified=302),
    "entry": Row(set(), to="secret", strangers=404, unverified=404),
    "password_change": Row(EVERYONE),
    "factor_add": Row(EVERYONE),
    "factor_remove": Row({"ines"}, to="factor"),
    "recovery_codes": Row(EVERYONE),
    "sessions_end": Row(EVERYONE, only_post=True),
    "setup": Row(set(), strangers=404, unverified=404),
}


def addresses(resolver: URLResolver | None = None, namespace: str = "") -> Iterator[str]:
    """Yield the name of every address outside Django admin and the demo, which have tests of their own."""
    for pattern in (resolver or get_resolver()).url_patterns:
        if isinstance(pattern, URLResolver):
            if pattern.app_name in ("admin", "demo"):
                continue
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from addresses(pattern, inner)
        elif isinstance(pattern, URLPattern):
            yield f"{namespace}{pattern.name}"


def test_every_address_is_in_the_table():
    assert set(addresses()) == set(PAGES)


@pytest.fixture(autouse=True)
def _the_clock_stands_still() -> Iterator[None]:
    """What lasts five minutes or an hour lasts as long as the test does, however slow the machine is."""
    with time_machine.travel(timezone.now(), tick=False):
        yield


@pytest.fixture
def people(db) -> dict[str, User]:
    SetUp.objects.update_or_create(id=1, defaults={"done_at": timezone.now()})
    now = timezone.now()
    cast = {name: person(name, now=now) for name in sorted(EVERYONE)}
    root = tree("Root", "Below")[0]
    give(cast["petra"], role(ids.PRIVILEGED_ROLE_ADMINISTRATOR), now=now)
    give(cast["nina"], role(ids.GLOBAL_READER), now=now)
    give(cast["gabi"], role(ids.GLOBAL_ADMINISTRATOR), now=now)
    give(cast["olga"], role(ids.OWNER), root, now=now)
    give(cast["rita"], role(ids.READER), root, now=now)
    give(cast["amelie"], role(ids.USER_ADMINISTRATOR), now=now)
    give(cast["amelie"], role(ids.PRIVILEGED_AUTHENTICATION_ADMINISTRATOR), now=now)
    give(cast["sven"], role(ids.SECURITY_ADMINISTRATOR), now=now)
    give(cast["gina"], role(ids.GROUPS_ADMINISTRATOR), now=now)
    return cast


@pytest.fixture
def sealing_key(tmp_path, settings):
    """The key of the history, in a file of the test's own."""
    settings.PIM_AUDIT_KEY = tmp_path / "key.pem"
    return keys.make(settings.PIM_AUDIT_KEY)


@pytest.fixture
def targets(people, sealing_key) -> dict[str, list[object]]:
    now = timezone.now()
    ines = people["ines"]
    waiting = make_eligible(ines, role(EXCHANGE_ADMINISTRATOR), now=now)
    configure(waiting.role, approvers=[people["adam"]])
    request = request_activation(ines, waiting, now=now)
    glass = glass_allowed(ines, Role.objects.get(name="Message Center Reader").pk, people["adam"], now=now)
    running = make_eligible(ines, Role.objects.get(name="Reports Reader"), now=now)
    activation = request_activation(ines, running, now=now).outcome
    event = Event.objects.filter(actor_id=ines.pk, outcome=Outcome.DONE).first()
    team = group("Team", now=now)
    give(people["greta"], role(ids.GROUP_OWNER), team.resource, now=now)
    while seal(sealing_key, clock=timezone.now):
        pass
    berlin, root = unit("Berlin"), Resource.objects.get(kind=ResourceKind.ROOT)
    reviews: dict[str, list[object]] = {}
    for suffix, where, what in (
        ("", directory(), running.role),
        ("_in_unit", berlin, running.role),
        ("_there", root, role(ids.READER)),
    ):
        begun = started(what, stages=[chosen(people["adam"])], place=where, now=now)
        reviews |= {f"review{suffix}": [begun.review_id], f"instance{suffix}": [begun.review_id, begun.pk]}
    return {
        **reviews,
        "": [],
        "running": reviews["instance"][1:],
        "step": ["backup"],
        "world": ["directory"],
        "listed": ["permanent"],
        "request": [request.pk],
        "emergency": [break_it(ines, glass, now=now).pk],
        "activation": [activation.pk],
        "profile": [kept_by(ines, running, now=now).pk],
        "change": [change_of_settings(people["greta"], team.resource, now=now).pk],
        "deputy": [named(people["adam"], people["nina"], now=now).pk],
        "zoe": [people["zoe"].pk],
        "ines": [ines.pk],
        "team": [team.pk],
        "membership": [give(ines, role(ids.GROUP_MEMBER), team.resource, now=now).pk],
        "member": [ids.GROUP_MEMBER],
        "event": [event.uuid],
        "sealed_event": [event.uuid],
        "download": [Download.objects.create(reader=ines, name="audit-history.csv").pk],
        "archive": [known_archive().event],
        "secret": ["no-such-secret"],
        "hook": [hook_of("SIEM", now=now).pk],
        "unit": [berlin.pk],
        "place": [root.pk],
        "below": [Resource.objects.get(kind=ResourceKind.SUBSCRIPTION).pk],
        "assignment": [running.pk],
        "assignment_in_unit": [make_eligible(ines, running.role, berlin, now=now).pk],
        "assignment_there": [make_eligible(ines, role(ids.READER), root, now=now).pk],
        "upload": [upload_of(people["petra"], directory()).pk],
        "upload_in_unit": [upload_of(people["petra"], berlin).pk],
        "upload_there": [upload_of(people["olga"], root).pk],
        "role": [running.role_id],
        "role_there": [ids.READER],
        "custom": [custom_role(directory(), "Made here", now=now).pk],
        "custom_there": [custom_role(root, "Made there", now=now).pk],
        "alert": ["unused_roles"],
        "alert_there": ["unused_roles"],
        "duty": [kept_apart(running.role, role(ids.GLOBAL_READER), now=now).pk],
        "duty_there": [kept_apart(role(ids.READER), role(ids.OWNER), place=root, now=now).pk],
        "factor": [TotpDevice.objects.get(user=ines).pk],
    }


def change_of_settings(user: User, place: Resource, *, now: datetime) -> Request:
    """A change of a group's settings that waits: its author may become a member of it."""
    member = role(ids.GROUP_MEMBER)
    make_eligible(user, member, place, now=now)
    actor = acting(user, Purpose.SETTINGS, member.pk, now=now)
    asked = change_or_ask(member, resource=place, values={"max_activation": 9 * HOUR}, actor=actor, clock=timezone.now)
    assert isinstance(asked, Request)
    return asked


def upload_of(user: User, place: Resource) -> Upload:
    """A file that this person sent to import there."""
    file = io.BytesIO(",".join(NEEDED).encode() + b"\nEligible,,Reader,ines,Direct,,\n")
    return receive(file, name="roles.csv", place=place, actor=Actor(user), clock=timezone.now)


def path_of(name: str, targets: dict[str, list[object]], *, random: bool = False) -> str:
    arguments = [one for part in PAGES[name].to.split("+") for one in targets[part]]
    if random:
        arguments = [987654321 if isinstance(one, int) else uuid.uuid4() for one in arguments]
    return reverse(name, args=arguments)


@pytest.mark.parametrize("who", sorted(EVERYONE))
def test_every_page_by(who, people, targets, asked_twice):
    client = visiting(people[who])
    wrong = {}
    for name, row in PAGES.items():
        expected = 200 if who in row.who else row.denied
        if row.only_post:
            expected = 405
        if who in row.redirects:
            expected = 302
        answer = client.get(path_of(name, targets))
        if answer.status_code != expected:
            wrong[name] = (answer.status_code, expected)
    assert wrong == {}


def test_every_page_by_a_stranger(people, targets):
    wrong = {}
    for name, row in PAGES.items():
        answer = Client().get(path_of(name, targets))
        to_sign_in = answer.status_code == 302 and answer["Location"].startswith("/account/sign-in/")
        right = answer.status_code == row.strangers if row.strangers else to_sign_in
        if not right:
            wrong[name] = answer.status_code
    assert wrong == {}


def test_every_page_by_somebody_without_the_second_factor(people, targets):
    client = Client()
    answer = client.post("/account/sign-in/", {"username": "ines", "password": PASSWORD})
    assert answer.status_code == 302
    wrong = {}
    for name, row in PAGES.items():
        answer = client.get(path_of(name, targets))
        to_factor = answer.status_code == 302 and "/account/second-factor/" in answer["Location"]
        right = answer.status_code == row.unverified if row.unverified else to_factor
        if not right:
            wrong[name] = (answer.status_code, answer.get("Location"))
    assert wrong == {}


@pytest.mark.parametrize("who", sorted(EVERYONE))
def test_an_empty_post_is_never_an_error_and_denied_to_whom_the_page_is(who, people, targets):
    client = visiting(people[who])
    session_ends = {"sign_out", "sessions_end"}
    wrong: dict[str, object] = {}
    for name, row in PAGES.items():
        if name in session_ends:
            continue
        answer = client.post(path_of(name, targets))
        # Whom a GET leads elsewhere may see what it is about; a POST says what stands in the way.
        closed = row.denied in (403, 404) and who not in row.who | row.redirects and name != "setup"
        if answer.status_code >= 500 and name != "healthz_worker":
            wrong[name] = answer.status_code
        elif closed and answer.status_code not in (row.denied, 405):
            wrong[name] = (answer.status_code, row.denied)
    assert wrong == {}


def test_what_one_may_not_see_answers_like_a_random_id(people, targets):
    clients = {who: visiting(people[who]) for who in ("petra", "olga")}
    wrong = {}
    for name in sorted(name for name, row in PAGES.items() if row.to and not row.only_post):
        outsider = "petra" if name.startswith("resource:") else "olga"
        assert outsider not in PAGES[name].who, "Choose an outsider for this page."
        answers = [clients[outsider].get(path_of(name, targets, random=random)) for random in (False, True)]
        hidden, random = ((answer.status_code, _without_ids(answer.content.decode())) for answer in answers)
        if hidden != random or hidden[0] != 404:
            wrong[name] = (hidden[0], random[0])
    assert wrong == {}


def _without_ids(body: str) -> str:
    body = re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", body)
    return re.sub(
        r"[0-9a-f]{8}-[0-9a-f-]{27}|/\d+/|no-such-secret|unused_roles|(?<=/overview/)directory|permanent(?=/)",
        "ID",
        body,
    )


def test_no_get_changes_a_row(people, targets):
    clients = [visiting(people[who]) for who in ("ines", "adam", "amelie")]
    paths = [path_of(name, targets) for name in PAGES]
    before = _rows()
    for client in clients:
        for path in paths:
            client.get(path)
    for path in paths:
        clients[0].head(path)
    assert _rows() == before


def _rows() -> dict[str, list[str]]:
    """Every row of every table of ours; a session remembers when it was last seen, and that alone may change."""
    models = [model for model in apps.get_models() if model._meta.app_label in OURS and model is not PortalSession]
    return {model.__name__: sorted(map(str, model._default_manager.values_list())) for model in models}
