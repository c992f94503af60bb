"""Ways around the rules of managing roles, people, groups, resources and imports that somebody tried."""

from __future__ import annotations

import pytest
from django.urls import reverse
from django.utils import timezone

from pim_portal.accounts.services.tickets import invite_again
from pim_portal.guide.cards import cards_for
from roles import ids
from roles.authority import Authority
from roles.catalogue import Permission
from roles.models import Purpose, RoleSettings, User
from roles.places import address
from roles.refusals import Refused
from roles.services.approvers import remove_approver
from roles.services.people import change_person
from tests.people import (
    EXCHANGE_ADMINISTRATOR,
    NOW,
    OPERATOR,
    acting,
    at,
    configure,
    custom_role,
    directory,
    give,
    group,
    make_eligible,
    person,
    role,
    tree,
    unit,
)
from tests.visitors import visiting

pytestmark = pytest.mark.django_db


@pytest.fixture
def amelie(db) -> User:
    """A User Administrator: she invites and edits people, and assigns nothing."""
    amelie = person("amelie")
    give(amelie, role(ids.USER_ADMINISTRATOR))
    return amelie


@pytest.fixture
def newcomer(db) -> User:
    """Somebody who was invited and has not joined: their link is all that it takes to become them."""
    newcomer = person("neele", factor=False)
    newcomer.set_unusable_password()
    newcomer.save()
    return newcomer


class TestBecomingSomebodyWhoHasNotJoined:
    """Who makes an invitation sees its link, and whoever opens it chooses the password and the second factor."""

    def invite(self, newcomer: User, by: User) -> None:
        invite_again(newcomer.pk, actor=acting(by, Purpose.PEOPLE, by.pk), clock=at(NOW))

    def test_who_invites_people_gets_no_privileged_role_by_it(self, amelie, newcomer):
        make_eligible(newcomer, role(ids.PRIVILEGED_ROLE_ADMINISTRATOR))
        with pytest.raises(Refused, match="target_administers"):
            self.invite(newcomer, amelie)

    def test_nor_one_of_a_group(self, amelie, newcomer):
        give(group("Admins", newcomer), role(ids.GLOBAL_ADMINISTRATOR))
        with pytest.raises(Refused, match="target_administers"):
            self.invite(newcomer, amelie)

    def test_nor_what_stands_beyond_the_wall(self, amelie, newcomer):
        give(newcomer, role(ids.OWNER), tree("Root")[0])
        with pytest.raises(Refused, match="target_administers") as refused:
            self.invite(newcomer, amelie)
        assert "directory" not in refused.value.sentence
        assert "resource" not in refused.value.sentence

    def test_a_privileged_role_administrator_may_invite_them_again(self, newcomer, petra):
        make_eligible(newcomer, role(ids.PRIVILEGED_ROLE_ADMINISTRATOR))
        self.invite(newcomer, petra)

    def test_others_may_be_invited_again(self, amelie, newcomer):
        make_eligible(newcomer, role(EXCHANGE_ADMINISTRATOR))
        self.invite(newcomer, amelie)


def test_who_edits_people_does_not_move_the_mails_of_an_owner_of_resources(amelie, zoe):
    give(zoe, role(ids.OWNER), tree("Root")[0])
    with pytest.raises(Refused, match="target_administers"):
        change_person(
            zoe.pk,
            name=zoe.name,
            username=zoe.username,
            email="amelie.too@example.org",
            job_title="",
            department="",
            manager_id=None,
            actor=acting(amelie, Purpose.PEOPLE, amelie.pk),
            clock=at(NOW),
        )


class TestARoleOfAnAdministrativeUnit:
    """People, groups and the portal are of the whole directory: a role held for a part of it opens none of them."""

    @pytest.mark.parametrize(
        ("what", "permission"),
        [
            (ids.USER_ADMINISTRATOR, Permission.SEE_PEOPLE),
            (ids.USER_ADMINISTRATOR, Permission.MANAGE_PEOPLE),
            (ids.PRIVILEGED_AUTHENTICATION_ADMINISTRATOR, Permission.RESET_PEOPLE),
            (ids.GROUPS_ADMINISTRATOR, Permission.MANAGE_GROUPS),
            (ids.GROUPS_ADMINISTRATOR, Permission.SEE),
            (ids.GROUPS_ADMINISTRATOR, Permission.SEE_AUDIT),
            (ids.SECURITY_ADMINISTRATOR, Permission.OPERATE),
        ],
    )
    def test_it_reaches_nothing_of_the_whole(self, zoe, what, permission):
        give(zoe, role(what), unit("Berlin"))
        assert not Authority(zoe, NOW).anywhere(permission)

    def test_it_reaches_its_own_unit(self, zoe):
        give(zoe, role(ids.PRIVILEGED_ROLE_ADMINISTRATOR), unit("Berlin"))
        assert Authority(zoe, NOW).anywhere(Permission.SEE)
        assert Authority(zoe, NOW).anywhere(Permission.SEE_AUDIT)

    def test_its_holder_is_led_there_and_nowhere_else(self, zoe):
        berlin, lagos = unit("Berlin"), unit("Lagos")
        give(zoe, role(ids.PRIVILEGED_ROLE_ADMINISTRATOR), berlin, now=timezone.now())
        client = visiting(zoe)
        answer = client.get(reverse("directory:overview"))
        assert answer.status_code == 200
        assert [one.name for one in answer.context["units"]] == ["Berlin"]
        assert client.get(address(berlin)).status_code == 200
        assert client.get(address(lagos)).status_code == 404
        assert client.get(reverse("directory:assignments")).status_code == 403

    def test_the_first_steps_of_its_holder_lead_to_pages_that_open(self, zoe):
        give(zoe, role(ids.PRIVILEGED_ROLE_ADMINISTRATOR), unit("Berlin"), now=timezone.now())
        client = visiting(zoe)
        steps = [step.url_name for card in cards_for(Authority(zoe, timezone.now())) for step in card.steps]
        assert "audit" in steps
        assert {name: client.get(reverse(name)).status_code for name in steps} == dict.fromkeys(steps, 200)

    def test_nobody_is_listed_to_its_holder(self, zoe, ines):
        give(zoe, role(ids.USER_ADMINISTRATOR), unit("Berlin"), now=timezone.now())
        client = visiting(zoe)
        assert client.get(reverse("people")).status_code == 403
        assert client.get(reverse("person_change", args=[ines.pk])).status_code == 404
        assert "Ines" not in client.get(reverse("search"), {"q": "ines"}).content.decode()


class TestDjangoAdmin:
    """The wall stands there too."""

    def test_a_custom_role_of_resources_is_not_listed_to_the_directory(self, petra):
        now = timezone.now()
        give(petra, role(ids.GLOBAL_READER), now=now)
        secret = custom_role(tree("Root")[0], "Operates the secret project", now=now)
        client = visiting(petra)
        listed = client.get(reverse("admin:roles_role_changelist"), {"q": "secret project"})
        assert "Operates" not in listed.content.decode()
        assert client.get(reverse("admin:roles_role_change", args=[secret.pk])).status_code in (302, 404)

    def test_a_custom_role_of_the_directory_is(self, petra):
        custom_role(directory(), "Operates the printers", now=timezone.now())
        listed = visiting(petra).get(reverse("admin:roles_role_changelist"), {"q": "printers"})
        assert "Operates" in listed.content.decode()


def test_a_refusal_tells_nobody_who_approves(zoe, adam, ines):
    owner_of_none = zoe
    root = tree("Root")[0]
    configure(role(ids.READER), root, approvers=[adam])
    row = RoleSettings.objects.get(role=ids.READER, resource=root)
    said = []
    for asked_about in (adam, ines):
        actor = acting(owner_of_none, Purpose.SETTINGS, row.role_id)
        with pytest.raises(Refused) as refused:
            remove_approver(row.pk, principal_id=asked_about.pk, actor=actor, clock=at(NOW))
        said.append(refused.value.codes)
    assert said[0] == said[1]


def test_the_operator_is_asked_nothing_of_the_sort(newcomer):
    make_eligible(newcomer, role(ids.PRIVILEGED_ROLE_ADMINISTRATOR))
    invite_again(newcomer.pk, actor=OPERATOR, clock=at(NOW))
