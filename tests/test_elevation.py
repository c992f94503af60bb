"""Elevated access: who may take it, what it gives, that it lasts an hour, and who hears of it; new resource roots."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from audit.kinds import Kind, Outcome, Realm
from audit.models import Event
from audit.sentences import sentence
from pim_portal.models import Notification
from pim_portal.notifications.rendering import reader_of, render
from roles import ids
from roles.actors import Actor
from roles.authority import Authority
from roles.catalogue import Permission
from roles.models import Assignment, AssignmentType, EndReason, Purpose, Resource, ResourceKind, StepUp, User
from roles.refusals import Refused
from roles.services.assignments import assign, remove
from roles.services.changes import change, renew
from roles.services.elevation import elevate, end_elevation
from roles.services.ends import write_down_ends
from roles.services.principals import disable_person
from roles.services.roots import add_root
from tests.people import (
    DAY,
    HOUR,
    MINUTE,
    NOW,
    OPERATOR,
    acting,
    at,
    configure,
    give,
    group,
    make_eligible,
    person,
    request_activation,
    role,
    tree,
)
from tests.visitors import visiting

pytestmark = pytest.mark.django_db
MICROSECOND = timedelta(microseconds=1)


@pytest.fixture(autouse=True)
def _set_up(petra: User) -> None:
    """The portal is set up: Petra administers it."""


@pytest.fixture
def roots(db: None) -> list[Resource]:
    """Two resource roots."""
    return [tree("Contoso", "prod")[0], tree("Fabrikam")[0]]


@pytest.fixture
def gina(db: None) -> User:
    """A Global Administrator."""
    user = person("gina")
    give(user, role(ids.GLOBAL_ADMINISTRATOR))
    return user


def take(user: User, *, now: datetime = NOW, reason: str = "Nobody owns prod any more", purpose=Purpose.ELEVATE):
    return elevate(reason=reason, actor=acting(user, purpose, user.pk, now=now), clock=at(now))


def administers(user: User, place: Resource, now: datetime) -> bool:
    return Authority(user, now).allows(Permission.ASSIGN, place)


class TestTaking:
    def test_it_gives_user_access_administrator_at_every_root(self, gina, roots):
        made = take(gina)
        assert {row.resource for row in made} == set(roots)
        assert {row.role_id for row in made} == {ids.USER_ACCESS_ADMINISTRATOR}
        assert administers(gina, Resource.objects.get(name="prod"), NOW)
        assert not Authority(gina, NOW).allows(Permission.DEFINE, roots[0])

    def test_it_lasts_an_hour_to_the_microsecond(self, gina, roots):
        take(gina)
        assert not administers(gina, roots[0], NOW - MICROSECOND)
        assert administers(gina, roots[0], NOW + HOUR - MICROSECOND)
        assert not administers(gina, roots[0], NOW + HOUR)

    @pytest.mark.parametrize("held", [ids.PRIVILEGED_ROLE_ADMINISTRATOR, ids.SECURITY_ADMINISTRATOR, ids.GLOBAL_READER])
    def test_no_other_role_allows_it(self, zoe, roots, held):
        give(zoe, role(held))
        with pytest.raises(Refused, match="not_allowed"):
            take(zoe)
        assert Event.objects.get(kind=Kind.ACCESS_ELEVATED).outcome == Outcome.REFUSED
        assert not Assignment.objects.filter(principal=zoe, resource__in=roots).exists()

    def test_being_eligible_is_not_enough_and_activating_is(self, zoe, roots):
        eligibility = make_eligible(zoe, role(ids.GLOBAL_ADMINISTRATOR))
        with pytest.raises(Refused, match="not_allowed"):
            take(zoe)
        request_activation(zoe, eligibility, hours=0.5)
        made = take(zoe)
        # Never past the end of what it rests on.
        assert {row.ends_at for row in made} == {NOW + HOUR / 2}

    def test_a_role_that_is_over_to_the_microsecond_is_not_held(self, zoe, roots):
        give(zoe, role(ids.GLOBAL_ADMINISTRATOR), ends_at=NOW)
        with pytest.raises(Refused, match="not_allowed"):
            take(zoe)
        assert take(zoe, now=NOW - MICROSECOND)

    def test_through_a_group_it_is_held_as_well(self, zoe, roots):
        give(group("Admins", zoe), role(ids.GLOBAL_ADMINISTRATOR))
        assert take(zoe)

    @pytest.mark.parametrize("purpose", [Purpose.ASSIGN, Purpose.SIGN_IN, Purpose.ACTIVATE])
    def test_it_needs_a_code_of_its_own(self, gina, roots, purpose):
        with pytest.raises(Refused, match="second_factor"):
            take(gina, purpose=purpose)

    def test_one_code_is_spent_by_it(self, gina, roots):
        actor = acting(gina, Purpose.ELEVATE, gina.pk)
        elevate(reason="x", actor=actor, clock=at(NOW))
        assert StepUp.objects.get(pk=actor.presented.step_up).used_at == NOW

    @pytest.mark.parametrize("reason", ["", " \u200b", "x" * 2001])
    def test_it_needs_a_reason(self, gina, roots, reason):
        with pytest.raises(Refused, match="reason"):
            take(gina, reason=reason)

    def test_it_does_not_stack(self, gina, roots):
        take(gina)
        tree("Third")
        with pytest.raises(Refused, match="already_elevated"):
            take(gina, now=NOW + HOUR - MICROSECOND)
        assert len(take(gina, now=NOW + HOUR)) == 3

    def test_where_the_role_is_held_already_nothing_is_added(self, gina, roots):
        kept = give(gina, role(ids.USER_ACCESS_ADMINISTRATOR), roots[0])
        assert {row.resource for row in take(gina)} == {roots[1]}
        kept.refresh_from_db()
        assert kept.ends_at is None

    def test_without_a_root_there_is_nothing_to_take(self, gina):
        with pytest.raises(Refused, match="nothing_to_reach"):
            take(gina)

    def test_only_a_person_takes_it(self, roots):
        with pytest.raises(Refused, match="nobody"):
            elevate(reason="x", actor=OPERATOR, clock=at(NOW))


class TestEnding:
    def test_one_ends_it_oneself(self, gina, roots):
        made = take(gina)
        assert end_elevation(actor=Actor(user=gina), clock=at(NOW + MINUTE)) == 2
        assert not administers(gina, roots[0], NOW + MINUTE)
        for row in made:
            row.refresh_from_db()
            assert (row.end_reason, row.ended_at) == (EndReason.DEACTIVATED, NOW + MINUTE)
        with pytest.raises(Refused, match="over"):
            end_elevation(actor=Actor(user=gina), clock=at(NOW + MINUTE))

    def test_nobody_elses_and_not_what_is_over_by_the_clock(self, gina, roots):
        other = person("greta")
        give(other, role(ids.GLOBAL_ADMINISTRATOR))
        take(gina)
        take(other)
        with pytest.raises(Refused, match="over"):
            end_elevation(actor=Actor(user=gina), clock=at(NOW + HOUR))
        end_elevation(actor=Actor(user=gina), clock=at(NOW + MINUTE))
        assert administers(other, roots[0], NOW + MINUTE)

    def test_an_owner_ends_it_at_their_root(self, gina, roots):
        olga = person("olga")
        give(olga, role(ids.OWNER), roots[0])
        row = next(row for row in take(gina) if row.resource == roots[0])
        remove(row.pk, reason="no", actor=acting(olga, Purpose.ASSIGN, row.pk), clock=at(NOW + MINUTE))
        assert not administers(gina, roots[0], NOW + MINUTE)
        assert administers(gina, roots[1], NOW + MINUTE)

    def test_it_ends_with_the_role_behind_it(self, gina, roots):
        take(gina)
        behind = Assignment.objects.get(principal=gina, role=ids.GLOBAL_ADMINISTRATOR)
        assert administers(gina, roots[0], NOW + MINUTE)
        remove(behind.pk, actor=OPERATOR, clock=at(NOW + MINUTE))
        assert not administers(gina, roots[0], NOW + MINUTE)
        give(gina, role(ids.GLOBAL_ADMINISTRATOR), starts_at=NOW + 2 * MINUTE)
        assert not administers(gina, roots[0], NOW + 2 * MINUTE)
        assert write_down_ends(clock=at(NOW + 3 * MINUTE)) == 2
        assert set(behind.elevations.values_list("end_reason", flat=True)) == {EndReason.ROLE_ENDED}

    def test_it_ends_with_the_activation_and_with_the_membership_behind_it(self, zoe, roots):
        team = group("Team", zoe)
        eligibility = make_eligible(team, role(ids.GLOBAL_ADMINISTRATOR))
        activation = request_activation(zoe, eligibility).outcome
        take(zoe)
        assert administers(zoe, roots[0], NOW + MINUTE)
        membership = Assignment.objects.get(principal=zoe, role=ids.GROUP_MEMBER)
        remove(membership.pk, actor=OPERATOR, clock=at(NOW + MINUTE))
        assert not Assignment.objects.in_effect(NOW + MINUTE).filter(pk=activation.pk).exists()
        assert not administers(zoe, roots[0], NOW + MINUTE)
        give(zoe, role(ids.GROUP_MEMBER), team.resource, starts_at=NOW + 2 * MINUTE)
        assert not administers(zoe, roots[0], NOW + 3 * MINUTE)

    def test_it_is_neither_prolonged_nor_renewed_not_even_by_an_owner(self, gina, roots):
        row = take(gina)[0]
        for user in (gina, None):
            actor = acting(user, Purpose.ASSIGN, row.pk) if user else OPERATOR
            with pytest.raises(Refused, match="elevation"):
                change(row.pk, ends_at=NOW + DAY, reason="x", actor=actor, clock=at(NOW + MINUTE))
        with pytest.raises(Refused, match="elevation"):
            renew(
                row.pk,
                type=AssignmentType.ACTIVE,
                ends_at=NOW + DAY,
                reason="x",
                actor=OPERATOR,
                clock=at(NOW + 2 * HOUR),
            )

    def test_what_was_given_with_it_stays(self, gina, zoe, roots):
        take(gina)
        given = {"role": role(ids.OWNER), "resource": roots[0], "type": AssignmentType.ACTIVE, "reason": "new owner"}
        made = assign(zoe.pk, **given, actor=acting(gina, Purpose.ASSIGN, zoe.pk), clock=at(NOW + MINUTE))
        assert Event.objects.get(assignment_id=made.pk).authority_id in {
            row.pk for row in Assignment.objects.filter(elevated_from__isnull=False)
        }
        assert Assignment.objects.in_effect(NOW + 2 * HOUR).filter(pk=made.pk).exists()


class TestLoud:
    def test_both_worlds_have_an_event_and_the_directory_names_no_root(self, gina, roots):
        take(gina)
        events = Event.objects.filter(kind=Kind.ACCESS_ELEVATED)
        assert sorted(one.realm for one in events) == [Realm.DIRECTORY, Realm.RESOURCE, Realm.RESOURCE]
        behind = Assignment.objects.get(principal=gina, role=ids.GLOBAL_ADMINISTRATOR)
        assert {one.authority_id for one in events} == {behind.pk}
        told = sentence(events.get(realm=Realm.DIRECTORY))
        assert told == "Gina elevated their access: User Access Administrator at every resource root."
        assert {one.text.fields["reason"] for one in events} == {"Nobody owns prod any more"}

    def test_those_who_administer_either_world_get_a_mail(self, gina, petra, roots, zoe, nina):
        sven, olga, ulla = person("sven"), person("olga"), person("ulla")
        give(sven, role(ids.SECURITY_ADMINISTRATOR))
        give(olga, role(ids.OWNER), roots[0])
        make_eligible(ulla, role(ids.USER_ACCESS_ADMINISTRATOR), roots[1])
        Notification.objects.all().delete()
        take(gina)
        rows = Notification.objects.select_related("recipient", "event")
        told = {(row.recipient.name, row.event.realm) for row in rows}
        assert told == {
            ("Gina", "directory"),
            ("Petra", "directory"),
            ("Sven", "directory"),
            ("Olga", "resource"),
            ("Ulla", "resource"),
        }
        for row in rows:
            letter = row_letter(row)
            assert ("Contoso" in letter) == (row.recipient.name == "Olga")
            assert ("Fabrikam" in letter) == (row.recipient.name == "Ulla")
            assert "Nobody owns prod" not in letter


def row_letter(row: Notification) -> str:
    reader = reader_of(row)
    assert reader is not None
    mail = render(row, reader, now=NOW)
    assert mail is not None
    return f"{mail.subject}\n{mail.body}"


class TestRoots:
    def make(self, user: User | None, owner: User, *, now: datetime = NOW, name: str = "New") -> Resource:
        actor = acting(user, Purpose.ASSIGN, user.pk, now=now) if user else OPERATOR
        return add_root(name=name, owner_id=owner.pk, reason="a new company", actor=actor, clock=at(now))

    def test_elevated_access_makes_one_and_gets_nothing_there(self, gina, zoe, roots):
        take(gina)
        root = self.make(gina, zoe)
        assert root.kind == ResourceKind.ROOT
        assert Authority(zoe, NOW).allows(Permission.DEFINE, root)
        assert not Authority(gina, NOW).allows(Permission.SEE, root)
        elevated = {row.pk for row in Assignment.objects.elevations_of(gina.pk, NOW)}
        for kind in (Kind.RESOURCE_ADDED, Kind.ASSIGNMENT_ADDED):
            assert Event.objects.filter(kind=kind, resource_id=root.pk).get().authority_id in elevated

    def test_an_owner_of_a_root_makes_one(self, zoe, roots):
        olga = person("olga")
        give(olga, role(ids.OWNER), roots[0])
        root = self.make(olga, zoe)
        assert not Authority(olga, NOW).allows(Permission.SEE, root)

    def test_nobody_else_does(self, gina, petra, zoe, roots):
        olga, rita = person("olga"), person("rita")
        give(olga, role(ids.OWNER), Resource.objects.get(name="prod"))
        give(rita, role(ids.USER_ACCESS_ADMINISTRATOR), roots[0])
        for user in (gina, petra, olga, rita, zoe):
            with pytest.raises(Refused, match="not_allowed"):
                self.make(user, zoe)
        take(gina)
        with pytest.raises(Refused, match="not_allowed"):
            self.make(gina, zoe, now=NOW + HOUR)

    def test_its_owner_is_an_enabled_person(self, zoe, roots):
        disable_person(zoe.pk, reason="left", actor=OPERATOR, clock=at(NOW - DAY))
        with pytest.raises(Refused, match="disabled"):
            self.make(None, zoe)
        with pytest.raises(Refused, match="owner_missing"):
            self.make(None, group("Team"))
        assert Resource.objects.filter(kind=ResourceKind.ROOT).count() == 2

    def test_the_settings_of_the_role_rule_its_first_owner_too(self, zoe, roots):
        configure(role(ids.OWNER), permanent_active_allowed=False, expire_active_after=30 * DAY)
        root = self.make(None, zoe)
        assert Assignment.objects.get(resource=root).ends_at == NOW + 30 * DAY


class TestPages:
    @pytest.fixture
    def gina_now(self, gina: User) -> User:
        return gina

    def test_before_it_nothing_of_the_resource_world_is_shown(self, gina_now, roots):
        page = visiting(gina_now).get("/manage/resources/")
        assert page.status_code == 200
        assert "Elevate access" in page.content.decode()
        for name in ("Contoso", "Fabrikam", ">prod<"):
            assert name not in page.content.decode()
        assert visiting(gina_now).get(f"/manage/resources/{roots[0].pk}/").status_code == 404

    def test_elevating_ends_in_the_resources_with_a_banner_on_every_page(self, gina_now, roots):
        client, now = visiting(gina_now), timezone.now()
        assert "otp" in client.get("/manage/resources/elevate/").content.decode()
        refused = client.post("/manage/resources/elevate/", {"reason": "broken"})
        assert refused.status_code == 422
        elevate(reason="x", actor=acting(gina_now, Purpose.ELEVATE, gina_now.pk, now=now), clock=at(now))
        for address in ("/manage/resources/", "/", "/tasks/roles/"):
            assert "Your access is elevated." in client.get(address).content.decode()
        assert "Contoso" in client.get("/manage/resources/").content.decode()
        assert client.get("/manage/resources/elevate/").headers["Location"] == "/manage/resources/"
        assert client.get("/manage/resources/add/").status_code == 200
        assert client.post("/manage/resources/elevate/end/").status_code == 302
        assert "Your access is elevated." not in client.get("/").content.decode()
        assert client.post("/manage/resources/elevate/end/").status_code == 403
        assert client.get("/manage/resources/add/").status_code == 403
