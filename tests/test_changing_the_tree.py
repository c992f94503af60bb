"""Adding, renaming, moving, retiring and restoring places: what may stand where, and who may change it."""

from __future__ import annotations

import pytest
from django.db import transaction

from approvals.models import Status, Verdict
from audit.kinds import Kind, Outcome
from audit.models import Event
from roles import ids
from roles.actors import Actor
from roles.models import (
    Assignment,
    AssignmentType,
    EndReason,
    Purpose,
    Resource,
    ResourceKind,
    Role,
    RoleSettings,
    User,
)
from roles.models.resources import CHILDREN
from roles.refusals import Refused
from roles.rules.resources import MAX_LEVELS
from roles.selectors.moves import preview_of_move, preview_of_retirement
from roles.selectors.overviews import figures_lately_of
from roles.selectors.resources import below
from roles.services.assignments import assign
from roles.services.moves import move_resource
from roles.services.resources import add_resource, rename_resource
from roles.services.retirements import restore_resource, retire_resource
from tests.people import (
    DAY,
    HOUR,
    MINUTE,
    NOW,
    OPERATOR,
    acting,
    at,
    configure,
    custom_role,
    decide,
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

pytestmark = pytest.mark.django_db

KIND = ResourceKind


@pytest.fixture(autouse=True)
def _set_up(petra: User) -> None:
    """The portal is set up: Petra administers it."""


def add(kind: ResourceKind, name: str, parent: Resource | None, *, type: str = "", actor: Actor = OPERATOR) -> Resource:
    return add_resource(kind, name=name, parent=parent, type=type, actor=actor, clock=at(NOW - 300 * DAY))


def fresh(node: Resource) -> Resource:
    found: Resource = Resource.objects.get(pk=node.pk)
    return found


def move(node: Resource, target: Resource, *, actor: Actor = OPERATOR, seen: str | None = None, now=NOW) -> Resource:
    return move_resource(node.pk, target.pk, seen=seen, reason="reorganised", actor=actor, clock=at(now))


def retire(node: Resource, *, actor: Actor = OPERATOR, seen: str | None = None, now=NOW) -> Resource:
    return retire_resource(node.pk, seen=seen, reason="closed", actor=actor, clock=at(now))


def restore(node: Resource, *, actor: Actor = OPERATOR, now=NOW + HOUR) -> Resource:
    return restore_resource(node.pk, reason="opened again", actor=actor, clock=at(now))


class Forest:
    """Root ⟩ Left ⟩ prod ⟩ rg ⟩ vault, and Root ⟩ Right ⟩ test ⟩ lab."""

    def __init__(self) -> None:
        self.root = add(KIND.ROOT, "Root", None)
        self.left = add(KIND.MANAGEMENT_GROUP, "Left", self.root)
        self.right = add(KIND.MANAGEMENT_GROUP, "Right", self.root)
        self.prod = add(KIND.SUBSCRIPTION, "prod", self.left)
        self.test = add(KIND.SUBSCRIPTION, "test", self.right)
        self.rg = add(KIND.RESOURCE_GROUP, "rg", self.prod)
        self.lab = add(KIND.RESOURCE_GROUP, "lab", self.test)
        self.vault = add(KIND.RESOURCE, "vault", self.rg, type="Microsoft.KeyVault/vaults")


@pytest.fixture
def forest(db: None) -> Forest:
    return Forest()


@pytest.fixture
def olga(forest: Forest) -> User:
    """Owner at the root."""
    user = person("olga")
    give(user, role(ids.OWNER), forest.root)
    return user


class TestAdding:
    @pytest.mark.parametrize("kind", [kind for kind in KIND if kind not in (KIND.DIRECTORY, KIND.GROUP)])
    def test_each_kind_stands_only_where_it_may(self, forest, kind):
        places: list[Resource | None] = [None, directory(), unit("Berlin"), group("Team").resource]
        places += [forest.root, forest.left, forest.prod, forest.rg, forest.vault]
        type = "A.B/c" if kind == KIND.RESOURCE else ""
        stood = set()
        for place in places:
            try:
                made = add(kind, "new", place, type=type)
            except Refused as refused:
                said = refused.codes
            else:
                said = {"wrong_place"}
                assert made.depth == (place.depth + 1 if place else 1)
                stood.add(KIND(place.kind) if place else None)
            assert said == {"wrong_place"}
        above = {parent for parent, below in CHILDREN.items() if kind in below}
        assert stood == ({None} if kind == KIND.ROOT else above)

    def test_a_name_stands_once_below_a_parent_whatever_its_case(self, forest):
        for taken in ("rg", "RG", " rg "):
            with pytest.raises(Refused, match="name_taken"):
                add(KIND.RESOURCE_GROUP, taken, forest.prod)
        assert add(KIND.RESOURCE_GROUP, "rg", forest.test).name == "rg"

    def test_two_resources_of_different_types_may_share_a_name(self, forest):
        assert add(KIND.RESOURCE, "vault", forest.rg, type="Microsoft.Storage/storageAccounts")
        with pytest.raises(Refused, match="name_taken"):
            add(KIND.RESOURCE, "Vault", forest.rg, type="microsoft.keyvault/VAULTS")

    @pytest.mark.parametrize("name", ["a/b", "a\\b", "a?b", "a#b", "a%2fb", ".", ".."])
    def test_a_name_that_is_part_of_a_scope_does_not_break_it(self, forest, name):
        with pytest.raises(Refused, match="name_breaks_path"):
            add(KIND.RESOURCE_GROUP, name, forest.prod)
        assert add(KIND.SUBSCRIPTION, name, forest.left).name == name

    @pytest.mark.parametrize(
        ("name", "code"), [("", "name_missing"), ("\u200b", "name_missing"), ("a\nb", "name_of_lines")]
    )
    def test_a_name_is_seen_and_stands_on_one_line(self, forest, name, code):
        with pytest.raises(Refused, match=code):
            add(KIND.SUBSCRIPTION, name, forest.left)

    @pytest.mark.parametrize(
        "type", ["", "vaults", "Microsoft.KeyVault/", "/vaults", "A.B//c", "A B/c", "A..B/c", "A/" + "b" * 119]
    )
    def test_a_resource_has_a_type_of_provider_and_type(self, forest, type):
        with pytest.raises(Refused, match="type_malformed"):
            add(KIND.RESOURCE, "new", forest.rg, type=type)

    def test_nothing_else_has_a_type(self, forest):
        with pytest.raises(Refused, match="type_not_here"):
            add(KIND.RESOURCE_GROUP, "new", forest.prod, type="A.B/c")

    def test_a_scope_is_not_endless(self, forest):
        # 36 characters of the subscription's id among them; the last one fits exactly.
        type = "A.B/" + "c" * 116
        rg = add(KIND.RESOURCE_GROUP, "g" * 200, forest.prod)
        assert add(KIND.RESOURCE, "r" * 200, rg, type=type).scope_path.endswith("r" * 200)
        with pytest.raises(Refused, match="name_too_long"):
            add(KIND.RESOURCE, "r" * 201, rg, type=type)

    def test_the_tree_has_a_last_level(self, forest):
        node = forest.root
        for level in range(2, MAX_LEVELS + 1):
            node = add(KIND.MANAGEMENT_GROUP, f"level {level}", node)
        with pytest.raises(Refused, match="too_deep"):
            add(KIND.MANAGEMENT_GROUP, "one more", node)

    def test_nothing_is_added_below_what_is_retired(self, forest):
        retire(forest.left)
        for parent in (forest.left, forest.prod):
            with pytest.raises(Refused, match="retired"):
                add(next(iter(CHILDREN[KIND(parent.kind)])), "new", fresh(parent))

    def test_no_person_makes_a_root_without_naming_an_owner(self, olga):
        with pytest.raises(Refused, match="not_allowed"):
            add(KIND.ROOT, "New", None, actor=acting(olga, Purpose.ASSIGN, olga.pk, now=NOW - 300 * DAY))


class TestRenaming:
    def test_the_scopes_below_follow(self, forest):
        before = fresh(forest.vault).scope_path
        renamed = rename_resource(forest.rg.pk, name="rg-new", actor=OPERATOR, clock=at(NOW))
        assert (renamed.name, renamed.name_key) == ("rg-new", "rg-new")
        assert renamed.scope_path == f"/subscriptions/{forest.prod.pk}/resourceGroups/rg-new"
        assert fresh(forest.vault).scope_path == before.replace("/rg/", "/rg-new/")
        details = Event.objects.get(kind=Kind.RESOURCE_RENAMED).details
        assert (details["old"]["name"], details["new"]["name"]) == ("rg", "rg-new")

    @pytest.mark.parametrize("which", ["root", "left", "prod"])
    def test_what_is_named_by_its_id_keeps_its_scope(self, forest, which):
        node = fresh(getattr(forest, which))
        scopes = list(Resource.objects.order_by("pk").values_list("scope_path"))
        assert rename_resource(node.pk, name="Other", actor=OPERATOR, clock=at(NOW)).scope_path == node.scope_path
        assert list(Resource.objects.order_by("pk").values_list("scope_path")) == scopes

    def test_only_the_case_of_a_name_may_change(self, forest):
        assert rename_resource(forest.rg.pk, name="RG", actor=OPERATOR, clock=at(NOW)).scope_path.endswith("/RG")

    def test_a_taken_or_unchanged_name_is_refused(self, forest):
        add(KIND.RESOURCE_GROUP, "other", forest.prod)
        for name, code in (("OTHER", "name_taken"), ("rg", "no_change"), ("a/b", "name_breaks_path")):
            with pytest.raises(Refused, match=code):
                rename_resource(forest.rg.pk, name=name, actor=OPERATOR, clock=at(NOW))

    def test_a_name_that_makes_a_scope_below_too_long_is_refused(self, forest):
        Resource.objects.filter(pk=forest.vault.pk).update(
            scope_path=f"/subscriptions/{forest.prod.pk}/resourceGroups/rg/" + "x" * 929
        )
        rename_resource(forest.rg.pk, name="rgs", actor=OPERATOR, clock=at(NOW))
        assert len(fresh(forest.vault).scope_path) == 1000
        with pytest.raises(Refused, match="path_too_long"):
            rename_resource(forest.rg.pk, name="rgss", actor=OPERATOR, clock=at(NOW))

    def test_neither_the_directory_nor_a_group_is_renamed_here(self):
        for pk in (ids.DIRECTORY, group("Team").resource.pk):
            with pytest.raises(Refused, match="fixed_place"):
                rename_resource(pk, name="Other", actor=OPERATOR, clock=at(NOW))

    def test_an_administrator_renames_a_unit(self, petra):
        berlin = unit("Berlin")
        actor = acting(petra, Purpose.ASSIGN, berlin.pk)
        assert rename_resource(berlin.pk, name="Hamburg", actor=actor, clock=at(NOW)).name == "Hamburg"


ALL = ("root", "left", "prod", "rg", "vault", "right", "test", "lab")
MOVES = {
    ("left", "right"),
    ("right", "left"),
    ("prod", "root"),
    ("prod", "right"),
    ("test", "root"),
    ("test", "left"),
    ("rg", "test"),
    ("lab", "prod"),
    ("vault", "lab"),
}


class TestMoving:
    @pytest.mark.parametrize("what", ALL)
    def test_each_kind_moves_only_where_it_may_stand(self, forest, what):
        node, count = getattr(forest, what), Resource.objects.count()
        moved = set()
        for where in ALL:
            before, target = list(Resource.objects.values_list("path", "pk")), getattr(forest, where)
            with transaction.atomic():
                try:
                    assert Resource.objects.get_parent(move(node, target)) == fresh(target)
                    moved.add(where)
                except Refused:
                    assert list(Resource.objects.values_list("path", "pk")) == before
                assert Resource.objects.find_problems() == ([], [], [], [], [])
                assert Resource.objects.values("scope_path").distinct().count() == count
                transaction.set_rollback(True)
        assert moved == {where for name, where in MOVES if name == what}

    @pytest.mark.parametrize(
        ("what", "where", "code"),
        [
            ("left", "prod", "into_itself"),
            ("left", "left", "into_itself"),
            ("prod", "left", "no_change"),
            ("prod", "lab", "wrong_place"),
            ("root", "left", "fixed_place"),
        ],
    )
    def test_why_not_is_said(self, forest, what, where, code):
        with pytest.raises(Refused, match=code):
            move(getattr(forest, what), getattr(forest, where))

    def test_units_groups_and_the_directory_stay(self, forest):
        for node in (unit("Berlin"), group("Team").resource, directory()):
            with pytest.raises(Refused, match="fixed_place"):
                move(node, forest.left)
            with pytest.raises(Refused, match="wrong_place"):
                move(forest.prod, node)

    def test_the_scopes_of_what_is_named_by_its_place_follow(self, forest):
        move(forest.rg, forest.test)
        scope = f"/subscriptions/{forest.test.pk}/resourceGroups/rg"
        assert fresh(forest.rg).scope_path == scope
        assert fresh(forest.vault).scope_path == f"{scope}/providers/Microsoft.KeyVault/vaults/vault"

    def test_a_name_that_stands_there_already_is_refused(self, forest):
        add(KIND.RESOURCE_GROUP, "RG", forest.test)
        with pytest.raises(Refused, match="name_taken"):
            move(forest.rg, forest.test)

    def test_what_is_retired_stays_and_takes_nothing_in(self, forest):
        retire(forest.left)
        for node, target in ((forest.prod, forest.right), (forest.left, forest.right), (forest.test, forest.left)):
            with pytest.raises(Refused, match="retired"):
                move(node, target)

    def test_a_deep_branch_is_not_moved_below_the_last_level(self, forest):
        node = forest.right
        for level in range(3, MAX_LEVELS):
            node = add(KIND.MANAGEMENT_GROUP, f"level {level}", node)
        with pytest.raises(Refused, match="too_deep"):
            move(forest.left, node)

    def test_it_may_go_to_another_root(self, forest):
        other = tree("Other")[0]
        assert move(forest.left, other).path.startswith(other.path)
        assert fresh(forest.vault).path.startswith(other.path)

    def test_a_stale_node_does_not_move_it_back(self, forest):
        stale = fresh(forest.vault)
        moved = move(forest.rg, forest.test)
        stale.name = "vault2"
        stale.save()
        assert fresh(forest.vault).path.startswith(moved.path)


class TestWhoMayMove:
    def seen(self, node: Resource, target: Resource) -> str:
        return preview_of_move(fresh(node), fresh(target), NOW).digest

    def as_(self, user: User, node: Resource, target: Resource, *, purpose=Purpose.ASSIGN, seen=None) -> Resource:
        actor = acting(user, purpose, node.pk)
        return move(node, target, actor=actor, seen=seen or self.seen(node, target))

    def test_an_owner_of_both_ends(self, olga, forest):
        self.as_(olga, forest.prod, forest.right)
        event = Event.objects.get(kind=Kind.RESOURCE_MOVED)
        assert (event.actor_id, event.authority_id) == (olga.pk, Assignment.objects.get(principal=olga).pk)
        assert event.details["new"]["parent"] == str(forest.right.pk)

    @pytest.mark.parametrize("owned", [("left",), ("right",), ("prod", "right"), ("left", "test"), ()])
    def test_nobody_who_owns_one_end_only(self, zoe, forest, owned):
        for name in owned:
            give(zoe, role(ids.OWNER), getattr(forest, name))
        with pytest.raises(Refused, match="not_allowed"):
            self.as_(zoe, forest.prod, forest.right)
        assert Event.objects.filter(kind=Kind.RESOURCE_MOVED, outcome=Outcome.REFUSED).count() == 1

    def test_an_owner_of_both_places_without_a_common_one(self, zoe, forest):
        for place in (forest.left, forest.right):
            give(zoe, role(ids.OWNER), place)
        self.as_(zoe, forest.prod, forest.right)

    @pytest.mark.parametrize("held", [ids.USER_ACCESS_ADMINISTRATOR, ids.READER])
    def test_no_other_role(self, zoe, forest, held):
        give(zoe, role(held), forest.root)
        with pytest.raises(Refused, match="not_allowed"):
            self.as_(zoe, forest.prod, forest.right)

    def test_it_needs_a_fresh_second_factor(self, olga, forest):
        with pytest.raises(Refused, match="second_factor"):
            self.as_(olga, forest.prod, forest.right, purpose=Purpose.SETTINGS)

    def test_what_was_looked_at_is_what_is_confirmed(self, olga, ines, forest):
        seen = self.seen(forest.prod, forest.right)
        give(ines, role(ids.READER), forest.left)
        with pytest.raises(Refused, match="changed_meanwhile"):
            self.as_(olga, forest.prod, forest.right, seen=seen)
        with pytest.raises(Refused, match="changed_meanwhile"):
            move(forest.prod, forest.right, actor=acting(olga, Purpose.ASSIGN, forest.prod.pk), seen=None)
        self.as_(olga, forest.prod, forest.right)


def activated(user: User, eligibility: Assignment, place: Resource | None = None, *, hours: float = 4) -> Assignment:
    request = request_activation(user, eligibility, hours=hours, resource_id=place.pk if place else None)
    assert request.outcome
    return request.outcome


class TestWhatAMoveDoes:
    def test_what_comes_from_above_is_lost_and_gained(self, ines, adam, forest):
        lost = give(ines, role(ids.READER), forest.left)
        later = give(ines, role(ids.OWNER), forest.left, starts_at=NOW + DAY, ends_at=NOW + 2 * DAY)
        gained = make_eligible(adam, role(ids.READER), forest.right)
        give(adam, role(ids.OWNER), forest.root)  # stays
        preview = preview_of_move(fresh(forest.prod), fresh(forest.right), NOW)
        assert {row.pk for row in preview.loses} == {lost.pk, later.pk}
        assert {row.pk for row in preview.gains} == {gained.pk}
        assert preview.places == 3

    def test_what_waits_for_a_place_that_was_moved_away_gives_nothing(self, ines, adam, forest):
        eligibility = make_eligible(ines, role(ids.READER), forest.left)
        configure(role(ids.READER), forest.left, approvers=[adam])
        request = request_activation(ines, eligibility, resource_id=forest.rg.pk)
        move(forest.prod, forest.right, now=NOW + MINUTE)
        decide(Verdict.APPROVE, request, adam, now=NOW + 2 * MINUTE)
        request.refresh_from_db()
        assert (request.status, request.outcome) == (Status.FAILED, None)

    def test_an_activation_from_above_ends_and_does_not_come_back(self, ines, forest):
        eligibility = make_eligible(ines, role(ids.READER), forest.left)
        here = activated(ines, eligibility, forest.rg)
        at_left = activated(ines, eligibility)
        move(forest.prod, forest.right, now=NOW + MINUTE)
        here.refresh_from_db()
        at_left.refresh_from_db()
        assert (here.end_reason, here.ended_at) == (EndReason.MOVED, NOW + MINUTE)
        assert at_left.ended_at is None
        event = Event.objects.get(kind=Kind.ACTIVATION_ENDED)
        assert event.details["why"] == "moved"
        move(forest.prod, forest.left, now=NOW + 2 * MINUTE)
        assert not Assignment.objects.in_effect(NOW + 3 * MINUTE).filter(pk=here.pk).exists()

    def test_one_that_is_planned_ends_too(self, ines, forest):
        eligibility = make_eligible(ines, role(ids.READER), forest.left)
        planned = request_activation(ines, eligibility, resource_id=forest.rg.pk, start=NOW + HOUR).outcome
        move(forest.prod, forest.right)
        planned.refresh_from_db()
        assert planned.end_reason == EndReason.MOVED

    def test_one_whose_eligibility_moves_along_or_stays_above_goes_on(self, ines, adam, forest):
        along = activated(ines, make_eligible(ines, role(ids.READER), forest.prod), forest.rg)
        above = activated(adam, make_eligible(adam, role(ids.READER), forest.root), forest.rg)
        move(forest.prod, forest.right)
        rows = Assignment.objects.in_effect(NOW).filter(pk__in=[along.pk, above.pk])
        assert rows.count() == 2

    def test_one_that_had_lost_its_eligibility_does_not_come_to_life_by_a_move(self, ines, forest):
        eligibility = make_eligible(ines, role(ids.READER), forest.left)
        activation = activated(ines, eligibility, forest.rg)
        # As if the eligibility had come to stand elsewhere behind the services' backs.
        Assignment.objects.filter(pk=eligibility.pk).update(resource=forest.right)
        assert not Assignment.objects.in_effect(NOW).filter(pk=activation.pk).exists()
        move(forest.prod, forest.right)
        activation.refresh_from_db()
        assert activation.end_reason == EndReason.ELIGIBILITY_ENDED

    def test_what_is_over_stays_expired(self, ines, forest):
        eligibility = make_eligible(ines, role(ids.READER), forest.left)
        activation = activated(ines, eligibility, forest.rg, hours=1)
        move(forest.prod, forest.right, now=NOW + 2 * HOUR)
        activation.refresh_from_db()
        assert (activation.end_reason, activation.ended_at) == (EndReason.EXPIRED, NOW + HOUR)

    def test_a_custom_role_of_the_old_place_holds_the_move_up(self, ines, forest):
        made = custom_role(forest.left, "Deployer")
        given = give(ines, made, forest.rg)
        with pytest.raises(Refused, match="custom_roles_left") as refused:
            move(forest.prod, forest.right)
        assert "Deployer" in refused.value.sentence
        Assignment.objects.filter(pk=given.pk).update(ended_at=NOW, end_reason=EndReason.REMOVED)
        move(forest.prod, forest.right)

    def test_a_custom_role_that_moves_along_does_not(self, ines, forest):
        give(ines, custom_role(forest.prod, "Deployer"), forest.rg)
        give(ines, custom_role(forest.root, "Releaser"), forest.rg)
        move(forest.prod, forest.right)

    def test_two_custom_roles_of_one_name_do_not_meet_on_a_branch(self, forest):
        custom_role(forest.prod, "Deployer")
        custom_role(forest.right, "DEPLOYER")
        with pytest.raises(Refused, match="custom_roles_doubled"):
            move(forest.prod, forest.right)

    def test_settings_that_would_rule_otherwise_are_told(self, forest):
        reader, owner = role(ids.READER), role(ids.OWNER)
        configure(reader, forest.left, ticket_required=True)
        configure(reader, forest.right, max_activation=2 * HOUR)
        configure(owner, forest.left, reason_required=True)  # says what the default says
        configure(role(ids.USER_ACCESS_ADMINISTRATOR), forest.left, ticket_required=True)
        configure(role(ids.USER_ACCESS_ADMINISTRATOR), forest.prod, ticket_required=True)  # its own row goes along
        told = preview_of_move(fresh(forest.prod), fresh(forest.right), NOW).settings
        assert [(one.role, one.before, one.after) for one in told] == [(reader, forest.left, forest.right)]
        labels = {
            name: RoleSettings._meta.get_field(name).verbose_name for name in ("max_activation", "ticket_required")
        }
        assert set(told[0].differences) == set(labels.values())


class TestRetiring:
    def test_all_at_and_below_ends_for_good(self, ines, adam, berta, forest):
        eligibility = make_eligible(ines, role(ids.READER), forest.prod)
        rows = [eligibility, activated(ines, eligibility, forest.rg), give(adam, role(ids.OWNER), forest.vault)]
        rows.append(give(berta, role(ids.READER), forest.rg, starts_at=NOW + DAY, ends_at=NOW + 2 * DAY))
        above = make_eligible(berta, role(ids.READER), forest.left)
        rows.append(activated(berta, above, forest.rg))
        kept = give(adam, role(ids.READER), forest.left)
        assert len(preview_of_retirement(fresh(forest.prod), NOW).ends) == 5
        retire(forest.prod)
        for row in [*rows, above, kept]:
            row.refresh_from_db()
        assert {row.end_reason for row in rows} == {EndReason.RETIRED}
        assert above.ended_at is kept.ended_at is None
        assert Event.objects.get(kind=Kind.RESOURCE_RETIRED).details["ended"] == 5
        restore(forest.prod)
        below = Assignment.objects.open().filter(resource__path__startswith=fresh(forest.prod).path)
        assert not below.exists()

    def test_nothing_is_given_there_until_it_is_restored(self, ines, forest):
        retire(forest.left)
        given = {"role": role(ids.READER), "type": AssignmentType.ACTIVE, "reason": "x", "actor": OPERATOR}
        for place in (forest.left, forest.vault):
            with pytest.raises(Refused, match="retired"):
                assign(ines.pk, resource=place, clock=at(NOW + MINUTE), **given)
        restore(forest.left)
        assert assign(ines.pk, resource=forest.vault, clock=at(NOW + 2 * HOUR), **given)

    def test_nothing_is_activated_there(self, ines, forest):
        eligibility = make_eligible(ines, role(ids.READER), forest.root)
        retire(forest.left)
        with pytest.raises(Refused):
            activated(ines, eligibility, forest.rg)

    def test_what_was_retired_by_itself_stays_so(self, forest):
        retire(forest.rg)
        retire(forest.left)
        restore(forest.left)
        assert fresh(forest.rg).retired_at is not None
        assert restore(forest.rg).retired_at is None

    def test_once_and_from_above_first(self, forest):
        with pytest.raises(Refused, match="not_retired"):
            restore(forest.left)
        retire(forest.rg)
        retire(forest.left)
        for place in (forest.left, forest.rg, forest.prod):
            with pytest.raises(Refused, match="already_retired"):
                retire(place)
        with pytest.raises(Refused, match="above_retired"):
            restore(forest.rg)

    def test_roots_groups_and_the_directory_stay(self, forest):
        for place in (forest.root, directory(), group("Team").resource):
            with pytest.raises(Refused, match="fixed_place"):
                retire(place)

    def test_what_stands_open_all_the_same_does_not_come_to_life(self, ines, forest):
        row = give(ines, role(ids.READER), forest.rg)
        Resource.objects.filter(pk=forest.prod.pk).update(retired_at=NOW)
        restore(forest.prod)
        row.refresh_from_db()
        assert row.end_reason == EndReason.RETIRED

    def test_an_owner_retires_their_own_place_and_one_above_restores_it(self, olga, zoe, forest):
        mine = give(zoe, role(ids.OWNER), forest.prod)
        seen = preview_of_retirement(fresh(forest.prod), NOW).digest
        retire(forest.prod, actor=acting(zoe, Purpose.ASSIGN, forest.prod.pk), seen=seen)
        assert Event.objects.get(kind=Kind.RESOURCE_RETIRED).authority_id == mine.pk
        later = NOW + HOUR
        with pytest.raises(Refused, match="not_allowed"):
            restore(forest.prod, actor=acting(zoe, Purpose.ASSIGN, forest.prod.pk, now=later))
        restore(forest.prod, actor=acting(olga, Purpose.ASSIGN, forest.prod.pk, now=later))

    @pytest.mark.parametrize("held", [ids.USER_ACCESS_ADMINISTRATOR, ids.READER])
    def test_no_other_role_retires(self, zoe, forest, held):
        give(zoe, role(held), forest.root)
        seen = preview_of_retirement(fresh(forest.prod), NOW).digest
        with pytest.raises(Refused, match="not_allowed"):
            retire(forest.prod, actor=acting(zoe, Purpose.ASSIGN, forest.prod.pk), seen=seen)

    def test_what_was_looked_at_is_what_is_confirmed(self, olga, ines, forest):
        seen = preview_of_retirement(fresh(forest.prod), NOW).digest
        give(ines, role(ids.READER), forest.rg)
        with pytest.raises(Refused, match="changed_meanwhile"):
            retire(forest.prod, actor=acting(olga, Purpose.ASSIGN, forest.prod.pk), seen=seen)

    def test_an_administrator_retires_a_unit_and_administers_still(self, petra, ines):
        berlin = unit("Berlin")
        row = give(ines, Role.objects.get(pk=ids.USER_ADMINISTRATOR), berlin)
        seen = preview_of_retirement(berlin, NOW).digest
        retire(berlin, actor=acting(petra, Purpose.ASSIGN, berlin.pk), seen=seen)
        row.refresh_from_db()
        assert row.end_reason == EndReason.RETIRED
        restore(berlin, actor=acting(petra, Purpose.ASSIGN, berlin.pk, now=NOW + HOUR))


def test_the_figure_of_what_stands_below_counts_what_its_list_shows(db):
    root, middle, _leaf = tree("Contoso", "Production", "Mail")
    retire_resource(middle.pk, seen=None, reason="closed", actor=OPERATOR, clock=at(NOW))
    assert figures_lately_of(root, NOW).found.below == below(root).count()
