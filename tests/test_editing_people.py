"""Changing what the portal knows of somebody, and by whom."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from audit.kinds import Kind, Outcome
from audit.models import Event
from pim_portal.accounts.services import tickets
from pim_portal.models import EntryTicket, Notification, TicketKind
from pim_portal.notifications.outbox import deliver
from pim_portal.people import services
from roles import ids
from roles.models import Purpose, Role, User
from roles.refusals import Refused
from roles.selectors.settings import Stage
from roles.services.principals import add_person
from roles.services.settings import change_settings
from tests.people import (
    DAY,
    NOW,
    OPERATOR,
    acting,
    at,
    configure,
    directory,
    give,
    group,
    make_eligible,
    person,
    role,
    tree,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _set_up(petra: User) -> None:
    """Petra administers the portal."""


@pytest.fixture
def uma() -> User:
    """A User Administrator."""
    user = person("uma")
    give(user, role(ids.USER_ADMINISTRATOR))
    return user


def change(user: User, by: User, **changes: Any) -> User:
    fields = ("name", "username", "email", "job_title", "department", "manager_id")
    values = {field: getattr(user, field) for field in fields} | changes
    return services.change(user.pk, **values, actor=acting(by, Purpose.PEOPLE, by.pk), clock=at(NOW))


def test_a_user_administrator_changes_a_person_and_the_history_says_what(uma: User, ines: User, adam: User):
    change(ines, uma, name="Ines K.", department="Finance", manager_id=adam.pk)

    ines.refresh_from_db()
    assert (ines.name, ines.name_key, ines.department, ines.manager_id) == ("Ines K.", "ines k.", "Finance", adam.pk)
    event = Event.objects.get(kind=Kind.PERSON_CHANGED, outcome=Outcome.DONE)
    assert event.details == {"changed": ["name", "department", "manager"]}
    assert event.authority_id is not None


@pytest.mark.parametrize("who", ["zoe", "nina"])
def test_nobody_else_changes_people(who: str, request: pytest.FixtureRequest, ines: User):
    with pytest.raises(Refused, match="not_allowed"):
        change(ines, request.getfixturevalue(who), name="Other")
    ines.refresh_from_db()
    assert ines.name == "Ines"


def test_a_taken_user_name_or_address_is_refused_in_any_case(uma: User, ines: User, adam: User):
    with pytest.raises(Refused) as refusal:
        change(ines, uma, username="ADAM", email="Adam@Example.org")
    assert refusal.value.codes == {"username_taken", "email_taken"}


def test_one_s_own_user_name_in_another_case_is_free(uma: User, ines: User):
    assert change(ines, uma, username="Ines").username == "Ines"


def test_whoever_comes_second_to_a_name_is_told_so(uma: User, ines: User, adam: User, monkeypatch):
    from roles.services import people, principals

    seen: list[User] = []

    def blind_once(user: User) -> list[Any]:
        # As if Adam took the name after it was found free.
        seen.append(user)
        return [] if len(seen) == 1 else original(user)

    original = principals.broken_fields
    monkeypatch.setattr(people, "broken_fields", blind_once)
    monkeypatch.setattr(principals, "broken_fields", blind_once)
    with pytest.raises(Refused, match="username_taken"):
        change(ines, uma, username="adam")


def test_nothing_changed_is_refused(uma: User, ines: User):
    with pytest.raises(Refused, match="no_change"):
        change(ines, uma)


def test_managers_never_go_round(uma: User, ines: User, adam: User, berta: User):
    change(ines, uma, manager_id=adam.pk)
    change(adam, uma, manager_id=berta.pk)
    for manager in (berta, adam, ines):
        with pytest.raises(Refused, match="manager_loop"):
            change(berta, uma, manager_id=manager.pk if manager is not berta else berta.pk)


@pytest.mark.parametrize("name", ["uma", "adam"])
def test_a_user_administrator_does_not_choose_who_reviews_a_privileged_person(
    name: str, uma: User, ines: User, adam: User, petra: User
):
    make_eligible(ines, role(ids.PRIVILEGED_ROLE_ADMINISTRATOR))
    manager = User.objects.get(username=name)
    with pytest.raises(Refused, match="target_administers"):
        change(ines, uma, manager_id=manager.pk)
    assert change(ines, petra, manager_id=manager.pk)
    assert change(adam, uma, manager_id=petra.pk), "Of anybody else they do."


@pytest.mark.parametrize("way", ["by name", "as escalation", "group"])
def test_nor_those_of_somebody_who_decides_about_a_privileged_role(way: str, uma: User, ines: User, petra: User):
    named = group("Deciders", ines) if way == "group" else ines
    asked = frozenset({petra.pk} if way == "as escalation" else {named.pk})
    later = frozenset({named.pk} if way == "as escalation" else set())
    administrator = role(ids.GLOBAL_ADMINISTRATOR)
    for what in (administrator, Role.objects.filter(kind="directory", privileged=False).first()):
        change_settings(
            what,
            resource=directory(),
            values={"approval_required": True},
            stages=(Stage(1, 1, asked, later),),
            actor=OPERATOR,
            clock=at(NOW),
        )
    with pytest.raises(Refused, match="target_administers"):
        change(ines, uma, email="mallory@example.org")
    assert change(ines, petra, email="mallory@example.org")
    configure(administrator, directory(), approvers=[petra])
    assert change(ines, uma, email="ines@example.org"), "Who decides about other roles only is theirs to change."


def test_nor_those_of_somebody_who_decides_who_joins_a_group_that_holds_one(uma: User, ines: User):
    tier = group("Tier 0")
    give(tier, role(ids.OWNER), tree("Root")[0])
    configure(role(ids.GROUP_MEMBER), tier.resource, approvers=[ines])
    with pytest.raises(Refused, match="target_administers"):
        change(ines, uma, email="mallory@example.org")


def test_an_approver_who_has_not_joined_is_not_invited_again_by_a_user_administrator(uma: User, petra: User):
    """Whoever makes the link has it before their eyes, and would decide in their place."""
    new = add_person(username="new", name="New", email="new@example.org", actor=OPERATOR, clock=at(NOW))
    configure(role(ids.GLOBAL_ADMINISTRATOR), directory(), approvers=[new])
    with pytest.raises(Refused, match="target_administers"):
        tickets.invite_again(new.pk, actor=acting(uma, Purpose.PEOPLE, uma.pk), clock=at(NOW))
    assert tickets.invite_again(new.pk, actor=acting(petra, Purpose.PEOPLE, petra.pk), clock=at(NOW))


@pytest.mark.parametrize("way", ["held", "eligible", "group", "eligible membership", "scheduled", "privileged"])
@pytest.mark.parametrize("field", ["email", "username"])
def test_a_user_administrator_cannot_redirect_the_links_of_a_privileged_person(
    way: str, field: str, uma: User, ines: User, petra: User
):
    administrator = role(ids.PRIVILEGED_ROLE_ADMINISTRATOR)
    if way == "held":
        give(ines, administrator)
    elif way == "eligible":
        make_eligible(ines, administrator)
    elif way == "group":
        give(group("Tier 0", ines), administrator)
    elif way == "eligible membership":
        tier = group("Tier 0")
        give(tier, administrator)
        make_eligible(ines, role(ids.GROUP_MEMBER), tier.resource)
    elif way == "scheduled":
        give(ines, administrator, starts_at=NOW + DAY)
    else:
        give(ines, Role.objects.filter(kind="directory", privileged=True).exclude(pk=administrator.pk).first())
    taken = {"email": "mallory@example.org"} if field == "email" else {"username": "mallory"}

    with pytest.raises(Refused, match="target_administers"):
        change(ines, uma, **taken)

    assert change(ines, uma, department="Sales")
    ines.refresh_from_db()
    assert change(ines, petra, **taken)


def test_a_new_address_is_told_at_the_new_one_and_at_the_old_one(uma: User, ines: User):
    Notification.objects.all().delete()
    change(ines, uma, email="someone.else@example.org")
    deliver(clock=timezone.now)
    bodies = {one.to[0]: f"{one.subject}\n{one.body}" for one in mail.outbox}
    assert bodies.keys() == {"someone.else@example.org", "ines@example.org"}
    assert "Your e-mail address was changed" in bodies["someone.else@example.org"]
    old = bodies["ines@example.org"]
    assert "This is no longer the address of Ines" in old
    assert "tell an administrator" in old
    assert "settings of this role" not in old
    assert "someone.else" not in old, "The old address is not told the new one."


def test_whoever_has_their_address_in_other_letters_is_not_told_that_it_is_no_longer_theirs(uma: User, ines: User):
    Notification.objects.all().delete()
    change(ines, uma, email="Ines@Example.org")
    deliver(clock=timezone.now)
    assert [(one.to, one.subject) for one in mail.outbox] == [
        (["Ines@Example.org"], "PIM: Your e-mail address was changed")
    ]


@pytest.mark.parametrize("sent", [False, True], ids=["that waits to be sent", "that was sent"])
def test_with_the_address_ends_the_link_that_was_mailed_to_it(uma: User, ines: User, sent: bool):
    given = tickets.help_back_in(
        ines.pk, kind=TicketKind.RECOVERY, reason="lost both", actor=OPERATOR, clock=timezone.now
    )
    if sent:
        deliver(clock=timezone.now)
        assert given.secret in str(mail.outbox[-1].body)
    mail.outbox.clear()
    change(ines, uma, department="Finance")
    assert EntryTicket.objects.get(until__gt=timezone.now()) == given.ticket
    change(ines, uma, email="uma.too@example.org")
    assert not EntryTicket.objects.filter(until__gt=timezone.now()).exists()
    deliver(clock=timezone.now)
    assert not [one for one in mail.outbox if given.secret in str(one.body)]


@pytest.mark.parametrize("changes", [{"name": "Ines K."}, {"department": "Finance"}, {"username": "ines.k"}])
def test_another_change_of_a_person_sends_no_mail(uma: User, ines: User, changes: dict[str, str]):
    Notification.objects.all().delete()
    change(ines, uma, **changes)
    assert not Notification.objects.exists()


def test_somebody_who_had_no_address_is_told_at_the_new_one_only(uma: User):
    late = person("late", email="")
    Notification.objects.all().delete()
    change(late, uma, email="late@example.org")
    assert list(Notification.objects.values_list("recipient__name", "address")) == [("Late", "")]
