"""People and groups: inviting, disabling, helping back in, and what a viewer may know."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.kinds import Kind, Outcome
from audit.models import Event
from pim_portal.accounts.selectors import working_ticket
from pim_portal.accounts.services import tickets
from pim_portal.models import EntryTicket, PortalSession, TicketKind
from pim_portal.people import services
from roles import ids
from roles.actors import Actor
from roles.models import Assignment, Purpose, TotpDevice, User
from roles.refusals import Refused
from roles.services.assignments import remove
from roles.services.principals import enable_person
from tests.people import (
    DAY,
    EXCHANGE_ADMINISTRATOR,
    HOUR,
    MINUTE,
    NOW,
    OPERATOR,
    PASSWORD,
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
from tests.test_accounts_sign_in import give_code, give_password, sign_in
from tests.visitors import visiting

pytestmark = pytest.mark.django_db
NEW = "another long password"
RESETTER = ids.PRIVILEGED_AUTHENTICATION_ADMINISTRATOR


@pytest.fixture(autouse=True)
def _set_up(petra: User) -> None:
    """The portal is set up: Petra administers it."""


@pytest.fixture
def amelie() -> User:
    """She helps people back in, and may invite and disable them."""
    user = person("amelie")
    give(user, role(RESETTER))
    give(user, role(ids.USER_ADMINISTRATOR))
    return user


def help_back_in(user: User, by: User, kind: TicketKind = TicketKind.RESET_PASSWORD, *, now=NOW) -> tickets.Given:
    actor = acting(by, Purpose.PEOPLE, by.pk, now=now)
    return tickets.help_back_in(user.pk, kind=kind, reason="called back", actor=actor, clock=at(now))


def entry(given: tickets.Given) -> str:
    return reverse("entry", args=[given.secret])


# Invitations


def invitation(by: User, *, now=NOW, **changes: str) -> tickets.Given:
    fields = {"username": "new", "name": "Newcomer", "email": "new@example.org", "job_title": "", "department": ""}
    return tickets.invite(**fields | changes, actor=acting(by, Purpose.PEOPLE, by.pk, now=now), clock=at(now))


def test_somebody_invited_chooses_a_password_enrols_and_is_in(client: Client, amelie: User):
    link = entry(invitation(amelie, now=timezone.now()))
    assert client.get(link).status_code == 200
    assert EntryTicket.objects.get().used_at is None

    assert client.post(link, {"new_password": NEW, "repeated": NEW}).status_code == 200

    assert not client.session.get("_auth_user_id")
    assert client.get(link).status_code == 404
    assert client.post(link, {"new_password": PASSWORD, "repeated": PASSWORD}).status_code == 404
    answer = give_password(client, "new", NEW)
    assert client.get(answer["Location"])["Location"] == reverse("enrol")
    assert Event.objects.filter(kind=Kind.PERSON_JOINED, outcome=Outcome.DONE).count() == 1


def test_nobody_gets_a_name_too_long_to_sign_in_by(amelie: User):
    """Folded, each of these letters is three; wrong passwords are counted by 255 letters of a name at most."""
    with pytest.raises(Refused) as refusal:
        invitation(amelie, username="\u0390" * 84)
    assert [(one.code, one.field) for one in refusal.value.violations] == [("invalid", "username")]
    invitation(amelie, username="\u0390" * 83)
    assert len(User.objects.get(email="new@example.org").username_key) == 249


@pytest.mark.parametrize("name", ["ines＠example.org", "ines﹫example.org", "ines／x", "ines＼x"])
def test_nobody_is_called_by_signs_that_are_read_as_somebody_elses_address(amelie: User, ines: User, name: str):
    """A deputy, or a line of an import, is named by either: their form that is compared would be the same."""
    with pytest.raises(Refused) as refusal:
        invitation(amelie, username=name)
    assert [(one.code, one.field) for one in refusal.value.violations] == [("invalid", "username")]


def test_nobody_is_invited_twice(amelie: User):
    invitation(amelie)
    with pytest.raises(Refused) as refusal:
        invitation(amelie)
    assert refusal.value.codes == {"username_taken", "email_taken"}
    assert User.objects.filter(username="new").count() == 1
    assert Event.objects.filter(kind=Kind.PERSON_INVITED, outcome=Outcome.REFUSED).count() == 1


def test_a_new_invitation_stops_the_one_before(client: Client, amelie: User):
    now = timezone.now()
    first = invitation(amelie, now=now)
    second = tickets.invite_again(
        first.ticket.user_id, actor=acting(amelie, Purpose.PEOPLE, amelie.pk, now=now), clock=at(now)
    )
    assert client.get(entry(first)).status_code == 404
    assert client.get(entry(second)).status_code == 200
    first.ticket.refresh_from_db()
    assert first.ticket.secret == ""


def test_only_the_hash_of_a_link_can_be_looked_up(amelie: User):
    given = invitation(amelie)
    assert given.ticket.digest == tickets.digest_of(given.secret)
    assert given.secret not in str(EntryTicket.objects.extra(select={"raw": "secret"}).values("raw", "digest")[0])


def test_an_invitation_lasts_seven_days(amelie: User):
    given = invitation(amelie)
    assert given.ticket.until - given.ticket.made_at == 7 * DAY
    with pytest.raises(Refused, match="ticket_over"):
        tickets.use(given.ticket.pk, password=NEW, actor=acting(amelie, Purpose.PEOPLE), clock=at(NOW + 7 * DAY))


@pytest.mark.parametrize("secret", ["x", "%00", "%ED%A0%80", "a" * 3000, "..", "💥"])
def test_an_unknown_link_is_a_404(client: Client, secret: str):
    assert client.get(f"/account/entry/{secret}/").status_code == 404


# Getting back in


def test_a_new_password_never_signs_in_and_keeps_the_second_factor(client: Client, amelie: User, ines: User):
    sign_in(client, ines)
    given = help_back_in(ines, amelie, now=timezone.now())

    assert Client().post(entry(given), {"new_password": NEW, "repeated": NEW}).status_code == 200

    assert not PortalSession.objects.filter(user=ines).exists()
    assert client.get("/account/")["Location"].startswith("/account/sign-in/")
    assert TotpDevice.objects.filter(user=ines).count() == 1
    answer = give_password(client, "ines", NEW)
    assert answer["Location"] == reverse("second_factor")
    assert Event.objects.filter(kind=Kind.RESET_TICKET_USED, target_id=ines.pk).count() == 1


def test_a_lost_phone_is_replaced_by_enrolling_anew(client: Client, amelie: User, ines: User):
    given = help_back_in(ines, amelie, TicketKind.RESET_FACTOR, now=timezone.now())
    client.get(entry(given))
    assert TotpDevice.objects.filter(user=ines).exists()
    client.post(entry(given))
    assert not TotpDevice.objects.filter(user=ines).exists()
    answer = give_password(client, "ines")
    assert client.get(answer["Location"])["Location"] == reverse("enrol")


def test_a_reset_lasts_two_hours(amelie: User, ines: User):
    given = help_back_in(ines, amelie)
    with pytest.raises(Refused, match="ticket_over"):
        tickets.use(given.ticket.pk, password=NEW, actor=acting(ines, Purpose.PEOPLE), clock=at(NOW + 2 * HOUR))


def test_the_page_of_a_link_opens_while_it_works_and_no_longer(amelie: User, ines: User, petra: User):
    given = help_back_in(ines, amelie)
    until, digest = given.ticket.until, given.ticket.digest
    assert working_ticket(digest, until - timedelta(microseconds=1)) == given.ticket
    assert working_ticket(digest, until) is None
    User.objects.filter(pk=ines.pk).update(enabled=False)
    assert working_ticket(digest, NOW) is None
    User.objects.filter(pk=ines.pk).update(enabled=True)
    EntryTicket.objects.update(used_at=NOW)
    assert working_ticket(digest, NOW) is None


def test_a_link_ends_with_the_account_of_whoever_made_it(client: Client, amelie: User, ines: User, petra: User):
    now = timezone.now()
    given = help_back_in(ines, amelie, now=now)
    services.disable(amelie.pk, reason="left", actor=acting(petra, Purpose.PEOPLE, petra.pk, now=now), clock=at(now))
    assert client.get(entry(given)).status_code == 404
    with pytest.raises(Refused, match="ticket_over"):
        tickets.use(given.ticket.pk, password=NEW, actor=acting(ines, Purpose.PEOPLE), clock=at(now))


def test_no_link_of_before_makes_an_administrator_of_whoever_made_it(
    client: Client, amelie: User, paul: User, ines: User
):
    """Amélie may reset people but not administrators, and has kept a copy of the link."""
    now = timezone.now()
    given = help_back_in(ines, amelie, now=now)
    make_eligible(ines, role(ids.PRIVILEGED_ROLE_ADMINISTRATOR))
    assert client.get(entry(given)).status_code == 404
    with pytest.raises(Refused, match="ticket_over"):
        tickets.use(given.ticket.pk, password=NEW, actor=acting(ines, Purpose.PEOPLE), clock=at(now))
    give(paul, role(RESETTER))
    again = help_back_in(ines, paul, now=now)
    assert client.get(entry(again)).status_code == 200


def test_nobody_resets_themselves(amelie: User):
    with pytest.raises(Refused, match="oneself"):
        help_back_in(amelie, amelie)


def test_whoever_may_administer_is_reset_only_by_another_administrator(amelie: User, petra: User, paul: User):
    eligible = person("eli")
    make_eligible(eligible, role(ids.PRIVILEGED_ROLE_ADMINISTRATOR))
    member = person("mem")
    give(group("Tier 0", member), role(ids.PRIVILEGED_ROLE_ADMINISTRATOR))
    for target in (petra, eligible, member):
        with pytest.raises(Refused, match="target_administers"):
            help_back_in(target, amelie)
    give(paul, role(RESETTER))
    for target in (petra, eligible, member):
        assert help_back_in(target, paul)


@pytest.mark.parametrize("through", ["directly", "group"])
def test_a_link_made_before_somebody_came_to_administer_no_longer_works(
    amelie: User, paul: User, ines: User, through: str
):
    """Whoever made it has it before their eyes, and could not make it any more."""
    given = help_back_in(ines, amelie, TicketKind.RECOVERY)
    administers = role(ids.PRIVILEGED_ROLE_ADMINISTRATOR)
    if through == "directly":
        make_eligible(ines, administers, starts_at=NOW + MINUTE, now=NOW + MINUTE)
    else:
        tier_0 = group("Tier 0")
        give(tier_0, administers)
        give(ines, role(ids.GROUP_MEMBER), tier_0.resource, starts_at=NOW + MINUTE, now=NOW + MINUTE)
    with pytest.raises(Refused, match="ticket_over"):
        tickets.use(given.ticket.pk, password=NEW, actor=Actor(user=ines), clock=at(NOW + HOUR))
    assert TotpDevice.objects.filter(user=ines).exists()
    assert not User.objects.get(pk=ines.pk).check_password(NEW)


def test_a_link_for_an_administrator_ends_with_the_role_of_the_one_who_made_it(paul: User, petra: User):
    give(paul, role(RESETTER))
    given = help_back_in(petra, paul)
    paul_administers = Assignment.objects.get(principal=paul, role=ids.PRIVILEGED_ROLE_ADMINISTRATOR)
    remove(paul_administers.pk, reason="over", actor=OPERATOR, clock=at(NOW + MINUTE))
    with pytest.raises(Refused, match="ticket_over"):
        tickets.use(given.ticket.pk, password=NEW, actor=Actor(user=petra), clock=at(NOW + HOUR))


def test_a_link_by_an_administrator_works_for_somebody_who_became_one_since(paul: User, ines: User):
    give(paul, role(RESETTER))
    given = help_back_in(ines, paul)
    make_eligible(ines, role(ids.PRIVILEGED_ROLE_ADMINISTRATOR), starts_at=NOW + MINUTE, now=NOW + MINUTE)
    assert tickets.use(given.ticket.pk, password=NEW, actor=Actor(user=ines), clock=at(NOW + HOUR))


@pytest.mark.parametrize("way", ["held", "eligible", "group", "resource", "decides"])
def test_an_invitation_ends_when_whoever_made_it_could_not_make_it_any_more(
    client: Client, amelie: User, petra: User, way: str
):
    """A User Administrator invites no privileged person, and Amélie may have kept a copy of the link."""
    now = timezone.now()
    given = invitation(amelie, now=now)
    new = given.ticket.user
    page = reverse("person", args=[new.pk])
    assert "It works until" in visiting(petra).get(page).content.decode()
    administrator = role(ids.GLOBAL_ADMINISTRATOR)
    if way == "held":
        give(new, administrator)
    elif way == "eligible":
        make_eligible(new, administrator)
    elif way == "group":
        give(group("Tier 0", new), administrator)
    elif way == "resource":
        give(new, role(ids.OWNER), tree("Contoso")[0])
    else:
        configure(administrator, directory(), approvers=[new])
    assert client.get(entry(given)).status_code == 404
    with pytest.raises(Refused, match="ticket_over"):
        tickets.use(given.ticket.pk, password=NEW, actor=Actor(user=new), clock=at(now))
    assert "It works until" not in visiting(petra).get(page).content.decode()

    actor = acting(petra, Purpose.PEOPLE, petra.pk, now=now)
    again = tickets.invite_again(new.pk, actor=actor, clock=at(now))
    assert client.get(entry(again)).status_code == 200


def test_an_invitation_works_for_somebody_who_came_to_hold_what_is_not_privileged(client: Client, amelie: User):
    given = invitation(amelie, now=timezone.now())
    make_eligible(given.ticket.user, role(EXCHANGE_ADMINISTRATOR))
    assert client.get(entry(given)).status_code == 200


def test_the_last_administrator_keeps_a_second_factor(petra: User, amelie: User):
    give(amelie, role(ids.PRIVILEGED_ROLE_ADMINISTRATOR), ends_at=NOW + DAY)
    with pytest.raises(Refused, match="last_administrator"):
        help_back_in(petra, amelie, TicketKind.RESET_FACTOR)
    assert help_back_in(petra, amelie, TicketKind.RESET_PASSWORD)


@pytest.mark.parametrize("who", ["zoe", "nina", "petra"])
def test_only_resetters_reset(who: str, request: pytest.FixtureRequest, ines: User):
    with pytest.raises(Refused, match="not_allowed"):
        help_back_in(ines, request.getfixturevalue(who))
    assert Event.objects.filter(kind=Kind.RESET_TICKET_GIVEN, outcome=Outcome.REFUSED).count() == 1


# Disabling


def test_disabling_ends_roles_sessions_and_links_at_once(client: Client, amelie: User, ines: User):
    give(ines, role(EXCHANGE_ADMINISTRATOR))
    sign_in(client, ines)
    given = help_back_in(ines, amelie, now=timezone.now())
    services.disable(
        ines.pk,
        reason="left",
        actor=acting(amelie, Purpose.PEOPLE, amelie.pk, now=timezone.now()),
        clock=timezone.now,
    )
    assert not Assignment.objects.open().filter(principal=ines).exists()
    assert not PortalSession.objects.filter(user=ines).exists()
    assert client.get(entry(given)).status_code == 404
    assert client.get("/account/")["Location"].startswith("/account/sign-in/")


def test_disabling_without_a_reason_is_refused_and_changes_nothing(amelie: User, ines: User):
    with pytest.raises(Refused, match="reason_missing"):
        services.disable(ines.pk, reason="\u200b", actor=acting(amelie, Purpose.PEOPLE, amelie.pk), clock=at(NOW))
    ines.refresh_from_db()
    assert ines.enabled


# Pages


PAGES = ["person", "person_invite", "person_disable", "person_enable", "person_reset"]


def test_the_list_is_closed_to_strangers(client: Client, zoe: User, ines: User):
    sign_in(client, zoe)
    for page in ("people", "groups", "invite"):
        assert client.get(reverse(page)).status_code == 403
    for page in PAGES:
        for pk in (ines.pk, uuid.uuid4()):
            assert client.get(reverse(page, args=[pk])).status_code == 404


def test_a_reader_sees_and_cannot_change(client: Client, nina: User, ines: User):
    sign_in(client, nina)
    shown = client.get(reverse("people")).content.decode()
    assert "Ines" in shown
    assert reverse("invite") not in shown
    assert client.get(reverse("person", args=[ines.pk])).status_code == 200
    assert client.get(reverse("invite")).status_code == 403
    for page in PAGES[1:]:
        assert client.post(reverse(page, args=[ines.pk]), {"reason": "x"}).status_code == 404


@pytest.mark.parametrize(
    "query", ["q=INES", "q=%00", "q=ines@", "state=enabled", "state=x", "page=9999", "sort=-name", "sort=%00"]
)
def test_the_list_survives_every_query(client: Client, nina: User, ines: User, query: str):
    sign_in(client, nina)
    assert client.get(reverse("people") + "?" + query).status_code in (200, 404)


def test_the_list_searches_and_filters(client: Client, nina: User, ines: User):
    User.objects.filter(pk=ines.pk).update(enabled=False)
    sign_in(client, nina)
    shown = client.get(reverse("people") + "?q=INE&state=disabled").content.decode()
    assert "ines" in shown
    assert "nobody" not in shown
    assert "petra" not in client.get(reverse("people") + "?q=INE").content.decode().replace("Petra", "")


def test_the_list_offers_each_department_once_in_order(client: Client, nina: User, ines: User):
    shop = [person("fatima"), person("george")]
    User.objects.filter(pk__in=[user.pk for user in shop]).update(department="Shop & till")
    User.objects.filter(pk=ines.pk).update(department="Accounts")
    sign_in(client, nina)
    pill = client.get(reverse("people")).content.decode().partition('name="department"')[2].partition("</select>")[0]
    assert re.findall('<option value="([^"]*)"', pill) == ["", "Accounts", "Shop &amp; till"]
    found = client.get(reverse("people"), {"department": "Shop & till"}).content.decode()
    assert all(user.name in found for user in shop)
    assert ines.name not in found


def test_a_directory_role_shows_nothing_of_resource_roles(client: Client, nina: User, ines: User):
    root, *_below = tree("Contoso")
    give(ines, role(ids.OWNER), root)
    give(ines, role(EXCHANGE_ADMINISTRATOR))
    sign_in(client, nina)
    shown = client.get(reverse("person", args=[ines.pk])).content.decode()
    assert "Exchange Administrator" in shown
    assert "Contoso" not in shown
    give(nina, role(ids.READER), root)
    assert "Contoso" in client.get(reverse("person", args=[ines.pk])).content.decode()


def test_a_group_shows_its_members_and_what_it_gives(client: Client, nina: User, ines: User):
    team = group("Blue team", ines)
    give(team, role(EXCHANGE_ADMINISTRATOR))
    sign_in(client, nina)
    assert "Blue team" in client.get(reverse("groups")).content.decode()
    shown = client.get(reverse("group", args=[team.pk])).content.decode()
    assert "Ines" in shown
    assert "Exchange Administrator" in shown
    assert client.get(reverse("group", args=[ines.pk])).status_code == 404


def test_whoever_enables_somebody_hears_what_their_groups_give_them_at_once(petra: User, amelie: User, ines: User):
    team = group("Blue team", ines)
    give(team, role(EXCHANGE_ADMINISTRATOR))
    make_eligible(group("Green team", ines), role(ids.GLOBAL_READER))
    give(ines, role(ids.SECURITY_READER))
    actor = acting(petra, Purpose.PEOPLE, petra.pk)
    services.disable(ines.pk, reason="away", actor=actor, clock=at(NOW))
    page = reverse("person_enable", args=[ines.pk])
    with time_machine.travel(NOW + HOUR, tick=False):
        shown = visiting(petra).get(page)
        assert [one.role.name for one in shown.context["held"]] == ["Exchange Administrator"]
        assert "Is held again at once, through a group" in shown.content.decode()
        assert visiting(amelie).get(page).context["held"] == []  # she sees people, and nobody's roles
        enable_person(ines.pk, actor=acting(petra, Purpose.PEOPLE, petra.pk, now=NOW + HOUR), clock=at(NOW + HOUR))
        assert visiting(petra).get(page).context["held"] == []
    held = Assignment.objects.held_by(ines.pk, NOW + HOUR).exclude(role__kind="group")
    assert [one.role.name for one in held.select_related("role")] == ["Exchange Administrator"]


@pytest.mark.parametrize("configured", [True, False])
def test_a_link_is_said_to_be_mailed_where_mail_is_set_up(client: Client, amelie: User, settings, configured: bool):
    settings.PIM_MAILS_LEAVE = configured
    sign_in(client, amelie)
    form = client.get(reverse("invite")).content.decode()
    assert ("The link is mailed there as well." in form) is configured
    made = client.post(reverse("invite"), {"name": "New", "username": "new", "email": "new@example.org"})
    assert ("It is also mailed to new@example.org." in made.content.decode()) is configured
    assert ("Mail is not set up: hand it over yourself." in made.content.decode()) is not configured


def test_an_address_that_is_none_is_refused_in_words_of_the_portal(client: Client, amelie: User):
    sign_in(client, amelie)
    refused = client.post(reverse("invite"), {"name": "New", "username": "new", "email": "new"})
    assert "Write a whole e-mail address, like name@example.org." in refused.content.decode()


def test_the_pages_invite_disable_enable_and_reset(client: Client, amelie: User, ines: User):
    def again() -> Client:
        browser = Client()
        TotpDevice.objects.filter(user=amelie).update(last_step=-1)
        give_password(browser, "amelie")
        give_code(browser, amelie)
        return browser

    form = {"name": "New", "username": "new", "email": "new@example.org"}
    page = again().post(reverse("invite"), form)
    assert "/account/entry/" in page.content.decode()
    new = User.objects.get(username="new")
    assert "/account/entry/" in again().post(reverse("person_invite", args=[new.pk])).content.decode()
    assert again().post(reverse("person_disable", args=[ines.pk]), {"reason": "left"}).status_code == 302
    assert again().post(reverse("person_enable", args=[ines.pk])).status_code == 302
    page = again().post(reverse("person_reset", args=[ines.pk]), {"kind": "reset_password", "reason": "called"})
    assert "/account/entry/" in page.content.decode()
    assert (
        again().post(reverse("person_reset", args=[ines.pk]), {"kind": "recovery", "reason": "called"}).status_code
        == 422
    )
    shown = again().get(reverse("person", args=[ines.pk])).content.decode()
    assert "A link was made by Amelie" in shown
    assert timedelta(0) < EntryTicket.objects.filter(user=ines).latest("made_at").until - timezone.now() <= 2 * HOUR
