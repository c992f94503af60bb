"""Imports of people, groups and resources against each other and against what is done by hand: each thing once."""

from __future__ import annotations

import io
from collections import Counter
from typing import Any

import pytest

from audit.kinds import Kind
from audit.models import Event
from pim_portal.imports.outcomes import Fate
from pim_portal.imports.reading import NEEDED
from pim_portal.imports.services import uploads
from pim_portal.imports.services.things import SHEETS, bring_in
from pim_portal.models import Upload, UploadStatus
from roles import ids
from roles.actors import Actor
from roles.models import Assignment, Group, Purpose, Resource, ResourceKind, User
from roles.refusals import Refused
from roles.services.groups import add_group, change_group
from roles.services.people import change_person
from roles.services.principals import add_person, disable_person
from roles.services.resources import add_resource
from roles.services.retirements import retire_resource
from tests.people import MINUTE, NOW, OPERATOR, acting, at, directory, give, group, person, role, tree
from tests.races import Result, race

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
SOON = at(NOW + MINUTE)


def bring(what: str, body: str):
    def act() -> Counter[Fate]:
        file = io.BytesIO(body.encode())
        return bring_in(SHEETS[what], file, reason="moved in", actor=OPERATOR, clock=SOON)

    return act


def codes(result: Result) -> set[str]:
    assert isinstance(result.error, Refused), result
    return result.error.codes


@pytest.fixture
def cast(transactional_db) -> dict[str, User]:
    give(person("petra"), role(ids.PRIVILEGED_ROLE_ADMINISTRATOR))
    return {name: person(name) for name in ("ines", "adam")}


def test_two_files_of_the_same_people_add_each_of_them_once(cast):
    act = bring("people", "User Name,Name\nzoe,Zoe\nboris,Boris\n")
    first, second = race(act, act)
    assert first.value == {Fate.MADE: 2}
    assert second.value == {Fate.EXISTS: 2} or codes(second) == {"wrong_line"}
    assert User.objects.filter(username__in=["zoe", "boris"]).count() == 2
    assert Event.objects.filter(kind=Kind.PERSON_ADDED, outcome="done").count() == 5


@pytest.mark.parametrize("turned", [False, True], ids=["the file first", "the file second"])
def test_a_file_and_somebody_who_adds_the_same_person_add_them_once(cast, turned):
    def by_hand() -> User:
        return add_person(username="zoe", name="Zoe", actor=OPERATOR, clock=SOON)

    acts: list[Any] = [bring("people", "User Name,Name\nzoe,Zoe\n"), by_hand]
    results = race(*(reversed(acts) if turned else acts))
    assert sum(one.error is None for one in results) in (1, 2)
    assert User.objects.filter(username="zoe").count() == 1


def test_two_files_of_the_same_groups_let_each_in_once(cast):
    act = bring("groups", "Group,Members,Owners\nTeam,ines;adam,ines\nOther,adam,\n")
    first, second = race(act, act)
    assert (first.value, second.value) == ({Fate.MADE: 2}, {Fate.EXISTS: 2})
    assert Group.objects.count() == 2
    assert Assignment.objects.filter(role__in=[ids.GROUP_MEMBER, ids.GROUP_OWNER]).count() == 4


def test_two_files_that_name_people_in_opposite_order_do_not_block_each_other(cast):
    group("A"), group("B")
    one = bring("groups", "Group,Members\nA,ines\nB,adam\n")
    other = bring("groups", "Group,Members\nB,adam\nA,ines\n")
    first, second = race(one, other)
    assert (first.value, second.value) == ({Fate.MADE: 2}, {Fate.EXISTS: 2})


def test_a_group_that_is_renamed_meanwhile_is_found_by_its_new_name(cast):
    team = group("Old")

    def rename() -> Group:
        return change_group(team.pk, name="Team", description="", actor=OPERATOR, clock=SOON)

    first, second = race(rename, bring("groups", "Group,Members\nTeam,ines\n"))
    assert first.error is None
    assert second.value == {Fate.MADE: 1}
    assert Group.objects.count() == 1
    assert Assignment.objects.filter(resource=team.resource, principal=cast["ines"]).count() == 1


def test_who_is_renamed_meanwhile_is_not_let_in_by_the_old_name(cast):
    ines = cast["ines"]

    def rename() -> User:
        said = {"username": "irene", "name": "Irene", "email": ines.email, "job_title": "", "department": ""}
        return change_person(ines.pk, **said, manager_id=None, actor=OPERATOR, clock=SOON)

    first, second = race(rename, bring("groups", "Group,Members\nTeam,ines\n"))
    assert first.error is None
    assert codes(second) == {"wrong_line"}
    assert not Group.objects.exists()


def test_who_is_disabled_meanwhile_joins_and_holds_nothing(cast):
    ines = cast["ines"]
    team = group("Team")
    give(team, role(ids.SECURITY_READER))

    def disable() -> User:
        return disable_person(ines.pk, reason="left", actor=OPERATOR, clock=SOON)

    first, _second = race(disable, bring("groups", "Group,Members\nTeam,ines\n"))
    assert first.error is None
    assert not Assignment.objects.held_by(ines.pk, NOW + 2 * MINUTE).exists()


def test_two_files_of_the_same_resources_make_each_once(cast):
    prod = tree("Root", "Prod")[1]
    act = bring("resources", f"Kind,Name,Parent Path\nresource_group,rg-a,{prod.scope_path}\n")
    first, second = race(act, act)
    assert (first.value, second.value) == ({Fate.MADE: 1}, {Fate.EXISTS: 1})
    assert all(not problems for problems in Resource.objects.find_problems())


def test_a_file_waits_for_what_is_added_by_hand_below_the_same_place(cast):
    prod = tree("Root", "Prod")[1]

    def by_hand() -> Resource:
        return add_resource(ResourceKind.RESOURCE_GROUP, name="RG-A", parent=prod, actor=OPERATOR, clock=SOON)

    _first, second = race(
        by_hand, bring("resources", f"Kind,Name,Parent Path\nresource_group,rg-a,{prod.scope_path}\n")
    )
    assert second.value == {Fate.EXISTS: 1}
    assert Resource.objects.filter(kind=ResourceKind.RESOURCE_GROUP).count() == 1


def test_nothing_is_made_below_what_is_retired_meanwhile(cast):
    prod = tree("Root", "Prod")[1]

    def retire() -> Resource:
        return retire_resource(prod.pk, seen=None, actor=OPERATOR, clock=SOON)

    first, second = race(retire, bring("resources", f"Kind,Name,Parent Path\nresource_group,rg-a,{prod.scope_path}\n"))
    assert first.error is None
    assert codes(second) == {"wrong_line"}
    assert not Resource.objects.filter(kind=ResourceKind.RESOURCE_GROUP).exists()


def test_two_groups_of_one_name_are_added_at_once_and_one_stands(cast):
    def add() -> Group:
        return add_group("Team", actor=OPERATOR, clock=SOON)

    first, second = race(add, add)
    assert first.error is None
    assert codes(second) == {"name_taken"}
    assert Group.objects.count() == 1


def test_two_people_cannot_become_each_others_manager_at_once(cast):
    def under(user: User, manager: User):
        said = {"username": user.username, "name": user.name, "email": user.email, "job_title": "", "department": ""}
        return lambda: change_person(user.pk, **said, manager_id=manager.pk, actor=OPERATOR, clock=SOON)

    first, second = race(under(cast["ines"], cast["adam"]), under(cast["adam"], cast["ines"]))
    assert first.error is None
    assert codes(second) == {"manager_loop"}


# The files themselves


HEADING = ",".join(NEEDED)
LINE = "Eligible,,Reports Reader,ines,Direct,,"


def receive(user: User) -> Upload:
    file = io.BytesIO(f"{HEADING}\n{LINE}\n".encode())
    return uploads.receive(file, name="roles.csv", place=directory(), actor=Actor(user=user), clock=SOON)


def test_of_two_files_sent_at_once_one_is_too_many(cast):
    petra = User.objects.get(username="petra")
    for _number in range(uploads.MOST_WAITING - 1):
        receive(petra)
    first, second = race(lambda: receive(petra), lambda: receive(petra))
    assert first.error is None
    assert codes(second) == {"too_many"}
    assert Upload.objects.count() == uploads.MOST_WAITING


def test_a_file_that_is_confirmed_while_it_is_cleared_away_stays(cast):
    petra = User.objects.get(username="petra")
    upload = receive(petra)
    Upload.objects.update(status=UploadStatus.CHECKED, checked=1, counts={"made": 1})
    over = upload.made_at + uploads.KEPT + MINUTE
    actor = acting(petra, Purpose.ASSIGN, upload.pk, now=over)

    def confirm() -> Upload:
        return uploads.confirm(upload.pk, reason="moved in", actor=actor, clock=at(over))

    first, second = race(confirm, lambda: uploads.prune_uploads(clock=at(over), limit=10))
    assert (first.error, second.error) == (None, None)
    assert [one.status for one in Upload.objects.all()] == [UploadStatus.CONFIRMED]
    assert second.value == 0
