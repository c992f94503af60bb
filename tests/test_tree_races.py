"""Changes of the tree against each other, and against what is given and activated below: one outcome, nothing open."""

from __future__ import annotations

import io

import pytest

from pim_portal.imports.services.assignments import import_assignments
from roles import ids
from roles.models import Assignment, EndReason, Resource, ResourceKind, User
from roles.refusals import Refused
from roles.services.moves import move_resource
from roles.services.resources import add_resource, rename_resource
from roles.services.retirements import restore_resource, retire_resource
from tests.people import (
    MINUTE,
    NOW,
    OPERATOR,
    acting,
    at,
    custom_role,
    give,
    make_eligible,
    person,
    request_activation,
    role,
)
from tests.races import Result, at_once, race

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
SOON = at(NOW + MINUTE)
KIND = ResourceKind


class Forest:
    """Root ⟩ Left ⟩ prod ⟩ rg, and Root ⟩ Right."""

    def __init__(self) -> None:
        def add(kind: ResourceKind, name: str, parent: Resource | None) -> Resource:
            return add_resource(kind, name=name, parent=parent, actor=OPERATOR, clock=at(NOW - MINUTE))

        self.root = add(KIND.ROOT, "Root", None)
        self.left = add(KIND.MANAGEMENT_GROUP, "Left", self.root)
        self.right = add(KIND.MANAGEMENT_GROUP, "Right", self.root)
        self.prod = add(KIND.SUBSCRIPTION, "prod", self.left)
        self.rg = add(KIND.RESOURCE_GROUP, "rg", self.prod)


@pytest.fixture
def forest(transactional_db) -> Forest:
    give(person("petra"), role(ids.PRIVILEGED_ROLE_ADMINISTRATOR))
    return Forest()


@pytest.fixture
def ines(forest) -> User:
    return person("ines")


def move(node: Resource, target: Resource):
    return lambda: move_resource(node.pk, target.pk, seen=None, actor=OPERATOR, clock=SOON)


def retire(node: Resource):
    return lambda: retire_resource(node.pk, seen=None, actor=OPERATOR, clock=SOON)


def consistent() -> bool:
    return all(not problems for problems in Resource.objects.find_problems())


def codes(result: Result) -> set[str]:
    assert isinstance(result.error, Refused), result
    return result.error.codes


def open_in(node: Resource) -> list[Assignment]:
    path = Resource.objects.get(pk=node.pk).path
    return list(Assignment.objects.open().filter(resource__path__startswith=path))


class TestMoveAgainstMove:
    def test_two_into_each_other_make_no_circle(self, forest):
        first, second = race(move(forest.left, forest.right), move(forest.right, forest.left))
        assert first.error is None
        assert codes(second) >= {"into_itself"}
        assert consistent()

    def test_two_of_the_same_node_leave_it_where_the_second_put_it(self, forest):
        first, second = race(move(forest.prod, forest.right), move(forest.prod, forest.root))
        assert (first.error, second.error) == (None, None)
        assert Resource.objects.get_parent(Resource.objects.get(pk=forest.prod.pk)) == forest.root
        assert consistent()

    def test_one_below_what_is_moved_goes_with_it_or_not_at_all(self, forest):
        first, second = race(move(forest.left, forest.right), move(forest.prod, forest.root))
        assert (first.error, second.error) == (None, None)
        assert Resource.objects.get_parent(Resource.objects.get(pk=forest.prod.pk)) == forest.root
        assert consistent()

    def test_across_two_roots_in_both_directions(self, forest):
        other = add_resource(KIND.ROOT, name="Other", parent=None, actor=OPERATOR, clock=SOON)
        away = add_resource(KIND.MANAGEMENT_GROUP, name="Away", parent=other, actor=OPERATOR, clock=SOON)
        first, second = race(move(forest.left, other), move(away, forest.root))
        assert (first.error, second.error) == (None, None)
        assert consistent()
        first, second = race(move(forest.left, forest.right), move(forest.prod, forest.right))
        assert (first.error, second.error) == (None, None)
        assert consistent()

    def test_many_at_once(self, forest):
        acts = [move(forest.left, forest.right), move(forest.right, forest.left), move(forest.prod, forest.right)]
        acts += [move(forest.prod, forest.root), move(forest.prod, forest.left)]
        for result in at_once(*acts):
            assert result.error is None or isinstance(result.error, Refused), result.error
        assert consistent()


class TestMoveAgainstGrowth:
    def test_what_is_added_below_meanwhile_goes_along(self, forest):
        def add():
            return add_resource(KIND.RESOURCE_GROUP, name="new", parent=forest.prod, actor=OPERATOR, clock=SOON)

        first, second = race(move(forest.prod, forest.right), add)
        assert (first.error, second.error) == (None, None)
        prod = Resource.objects.get(pk=forest.prod.pk)
        assert second.value.path.startswith(prod.path)
        assert (prod.numchild, consistent()) == (2, True)

    def test_it_follows_to_another_tree(self, forest):
        other = add_resource(KIND.ROOT, name="Other", parent=None, actor=OPERATOR, clock=SOON)

        def add():
            return add_resource(KIND.RESOURCE_GROUP, name="new", parent=forest.prod, actor=OPERATOR, clock=SOON)

        first, second = race(move(forest.prod, other), add)
        assert (first.error, second.error) == (None, None)
        assert second.value.path.startswith(other.path)
        assert consistent()

    def test_a_new_name_and_a_move_leave_one_scope(self, forest):
        target = add_resource(KIND.SUBSCRIPTION, name="test", parent=forest.right, actor=OPERATOR, clock=SOON)

        def rename():
            return rename_resource(forest.rg.pk, name="renamed", actor=OPERATOR, clock=SOON)

        first, second = race(move(forest.rg, target), rename)
        assert (first.error, second.error) == (None, None)
        scope = f"/subscriptions/{target.pk}/resourceGroups/renamed"
        assert Resource.objects.get(pk=forest.rg.pk).scope_path == scope

    def test_nothing_grows_below_what_is_being_retired(self, forest):
        def add():
            return add_resource(KIND.RESOURCE_GROUP, name="new", parent=forest.prod, actor=OPERATOR, clock=SOON)

        first, second = race(retire(forest.left), add)
        assert first.error is None
        assert codes(second) == {"retired"}


class TestMoveAgainstActivation:
    def activate(self, ines, eligibility, place):
        return lambda: request_activation(ines, eligibility, now=NOW + MINUTE, resource_id=place.pk)

    def test_one_that_waits_for_the_move_is_refused(self, forest, ines):
        eligibility = make_eligible(ines, role(ids.READER), forest.left)
        first, second = race(move(forest.prod, forest.right), self.activate(ines, eligibility, forest.rg))
        assert first.error is None
        assert isinstance(second.error, Refused), second
        assert not Assignment.objects.filter(activated_from=eligibility).exists()

    def test_one_that_came_first_is_ended_by_the_move(self, forest, ines):
        eligibility = make_eligible(ines, role(ids.READER), forest.left)
        first, second = race(self.activate(ines, eligibility, forest.rg), move(forest.prod, forest.right))
        assert (first.error, second.error) == (None, None)
        assert Assignment.objects.get(activated_from=eligibility).end_reason == EndReason.MOVED

    def test_a_custom_role_given_meanwhile_is_not_left_outside_its_home(self, forest, ines):
        made = custom_role(forest.left, "Deployer")
        first, second = race(
            lambda: give(ines, made, forest.rg, starts_at=NOW + MINUTE), move(forest.prod, forest.right)
        )
        assert first.error is None
        assert codes(second) == {"custom_roles_left"}

    def test_nor_one_that_waits_for_the_move(self, forest, ines):
        made = custom_role(forest.left, "Deployer")
        first, second = race(
            move(forest.prod, forest.right), lambda: give(ines, made, forest.rg, starts_at=NOW + MINUTE)
        )
        assert first.error is None
        assert codes(second) == {"wrong_home"}


class TestRetireAgainstAssign:
    def test_what_was_given_first_ends(self, forest, ines):
        first, second = race(
            lambda: give(ines, role(ids.READER), forest.rg, starts_at=NOW + MINUTE), retire(forest.left)
        )
        assert (first.error, second.error) == (None, None)
        assert Assignment.objects.get(principal=ines).end_reason == EndReason.RETIRED

    def test_what_waits_is_refused_and_nothing_stands_open(self, forest, ines):
        first, second = race(
            retire(forest.left), lambda: give(ines, role(ids.READER), forest.rg, starts_at=NOW + MINUTE)
        )
        assert first.error is None
        assert codes(second) == {"retired"}
        assert open_in(forest.left) == []

    def test_two_retire_it_once(self, forest, ines):
        give(ines, role(ids.READER), forest.rg)
        first, second = race(retire(forest.left), retire(forest.left))
        assert first.error is None
        assert codes(second) == {"already_retired"}

    def test_many_give_while_it_is_retired_and_nothing_stands_open(self, forest):
        people = [person(f"person{number}") for number in range(6)]
        acts = [lambda user=user: give(user, role(ids.READER), forest.rg, starts_at=NOW + MINUTE) for user in people]
        results = at_once(*acts[:3], retire(forest.prod), *acts[3:])
        assert results[3].error is None
        for result in results:
            assert result.error is None or codes(result) == {"retired"}
        assert open_in(forest.prod) == []
        restore_resource(forest.prod.pk, actor=OPERATOR, clock=at(NOW + 2 * MINUTE))
        assert open_in(forest.prod) == []


def test_elevating_twice_at_once_gives_one_hour(forest):
    from roles.models import Purpose
    from roles.services.elevation import elevate

    gina = person("gina")
    give(gina, role(ids.GLOBAL_ADMINISTRATOR))
    actors = [acting(gina, Purpose.ELEVATE, gina.pk) for _ in range(2)]
    first, second = race(*[lambda actor=actor: elevate(reason="x", actor=actor, clock=at(NOW)) for actor in actors])
    assert first.error is None
    assert codes(second) == {"already_elevated"}
    assert Assignment.objects.filter(elevated_from__isnull=False).count() == 1


def test_an_import_waits_for_a_retirement_and_finds_the_place_retired(forest, ines):
    columns = "Assignment State,User Group Name,Role Name,PrincipalName,Member Type,Assignment Start Time (UTC)"
    columns += ",Assignment End Time (UTC),Scope Path"
    line = f"Active,Ines,Reader,ines@example.org,Direct,,Permanent,{forest.rg.scope_path}"

    def bring():
        file = io.BytesIO(f"{columns}\n{line}\n".encode())
        return import_assignments(file, reason="moved in", actor=OPERATOR, clock=SOON)

    retired, brought = race(retire(forest.rg), bring)
    assert retired.error is None
    assert codes(brought) == {"wrong_line"}
    assert "retired" in brought.error.sentence
    assert open_in(forest.rg) == []
