"""The matrix of notifications: every cell of a role's settings decides who gets the mails that belong to it."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest
from django.core import mail
from django.db import IntegrityError, transaction

from approvals.models import Action, Request
from pim_portal.models import Notification
from pim_portal.notifications.matrix import row_of_request
from pim_portal.notifications.outbox import deliver
from pim_portal.notifications.subscriber import untold
from roles import ids
from roles.models import Audience, NotifiedAct, Role, User
from roles.selectors.settings import Cell, EffectiveSettings
from roles.services.ends import write_down_ends
from tests.people import (
    HOUR,
    MINUTE,
    NOW,
    at,
    configure,
    directory,
    give,
    make_eligible,
    person,
    request_activation,
    role,
    tree,
)

ELIGIBLE, ACTIVE, ACTIVATED = NotifiedAct.ASSIGNED_ELIGIBLE, NotifiedAct.ASSIGNED_ACTIVE, NotifiedAct.ACTIVATED
ADMINISTRATORS, HOLDER, APPROVERS = Audience.ADMINISTRATORS, Audience.HOLDER, Audience.APPROVERS
SOC = "soc@elsewhere.example"
SOON = NOW + 2 * MINUTE

# The mail of each cell, and whom it usually goes to.
CELLS = {
    (ELIGIBLE, ADMINISTRATORS): ("role_given", "Petra"),
    (ELIGIBLE, HOLDER): ("assignment_added", "Ines"),
    (ACTIVE, ADMINISTRATORS): ("role_given", "Petra"),
    (ACTIVE, HOLDER): ("assignment_added", "Ines"),
    (ACTIVATED, ADMINISTRATORS): ("role_activated", "Petra"),
    (ACTIVATED, HOLDER): ("activation_ended", "Ines"),
    (ACTIVATED, APPROVERS): ("request_waits", "Adam"),
}
ASKS = (ACTIVATED, APPROVERS)


@pytest.fixture
def what(db: None) -> Role:
    return role(ids.PRIVILEGED_AUTHENTICATION_ADMINISTRATOR)


@pytest.fixture
def cast(ines: User, petra: User, adam: User) -> None:
    """Ines gets the role, Petra administers it, Adam may be asked; how they came to it is forgotten."""
    Notification.objects.all().delete()


def told(name: str) -> set[str]:
    rows = Notification.objects.filter(mail=name)
    return {row.recipient.name if row.recipient else row.address for row in rows}


def bring_about(act: NotifiedAct, audience: Audience, what: Role, **cell: object) -> set[str]:
    """Do what the act names under settings with this cell; return who stands in the outbox for its mail."""
    ines = User.objects.get(username="ines")
    approvers = [User.objects.get(username="adam")] if audience == APPROVERS else None
    values = {"approvers": approvers} if approvers else {}
    configure(what, cells=(Cell(act, audience, **cell),) if cell else (), **values)
    if act == ELIGIBLE:
        make_eligible(ines, what)
    elif act == ACTIVE:
        give(ines, what)
    else:
        with untold():
            eligibility = make_eligible(ines, what)
        request_activation(ines, eligibility)
        write_down_ends(clock=at(NOW + 2 * HOUR))
    return told(CELLS[act, audience][0])


@pytest.mark.parametrize(("act", "audience"), CELLS)
def test_as_a_rule_the_usual_recipients_are_told(cast, what, act, audience):
    assert bring_about(act, audience, what) == {CELLS[act, audience][1]}


@pytest.mark.parametrize(("act", "audience"), CELLS)
def test_a_cell_without_default_recipients_tells_nobody(cast, what, act, audience):
    assert bring_about(act, audience, what, default_recipients=False) == set()


@pytest.mark.parametrize(("act", "audience"), [cell for cell in CELLS if cell != ASKS])
def test_additional_recipients_are_told_besides(cast, what, act, audience):
    assert bring_about(act, audience, what, additional=(SOC,)) == {CELLS[act, audience][1], SOC}


@pytest.mark.parametrize(("act", "audience"), [cell for cell in CELLS if cell != ASKS])
def test_additional_recipients_may_be_the_only_ones(cast, what, act, audience):
    assert bring_about(act, audience, what, additional=(SOC,), default_recipients=False) == {SOC}


@pytest.mark.parametrize(("act", "audience"), CELLS)
def test_critical_only_lets_through_what_asks_for_something(cast, what, act, audience):
    expected = {CELLS[act, audience][1]} if (act, audience) == ASKS else set()
    assert bring_about(act, audience, what, critical_only=True) == expected


@pytest.mark.parametrize(("act", "audience"), [cell for cell in CELLS if cell != ASKS])
def test_critical_only_holds_for_additional_recipients_too(cast, what, act, audience):
    assert bring_about(act, audience, what, critical_only=True, additional=(SOC,)) == set()


def test_no_cell_is_ignored(cast, what, monkeypatch):
    """Every cell of the matrix is asked for by some mail."""
    asked: set[tuple[NotifiedAct, Audience]] = set()
    cell = EffectiveSettings.cell

    def watched(self, act, audience):
        asked.add((act, audience))
        return cell(self, act, audience)

    monkeypatch.setattr(EffectiveSettings, "cell", watched)
    for act in (ACTIVE, ACTIVATED):
        bring_about(act, HOLDER, what)
    zed = person("zed")
    eligibility = make_eligible(zed, what)
    configure(what, approvers=[User.objects.get(username="adam")])
    request_activation(zed, eligibility)
    for type in ("active", "eligible"):
        # Asking to extend comes to the approvers by the row of the type.
        row = give(person(f"holds-{type}"), what, type=type)
        row_of_request(Request(action=Action.EXTEND, assignment=row)).cell(APPROVERS)
    assert asked == set(itertools.product(NotifiedAct, Audience))


@pytest.mark.parametrize(
    ("action", "type", "act"),
    [
        (Action.ACTIVATE, "eligible", ACTIVATED),
        (Action.EXTEND, "eligible", ELIGIBLE),
        (Action.RENEW, "active", ACTIVE),
    ],
)
def test_a_request_belongs_to_the_row_of_what_it_asks_for(ines, what, action, type, act):
    row = give(ines, what, type=type)
    assert row_of_request(Request(action=action, assignment=row)).act == act


def test_an_activation_obeys_the_cells_at_its_eligibilitys_resource(ines, what):
    root, subscription = tree("Contoso", "Production")
    owner = role(ids.OWNER)
    eligibility = make_eligible(ines, owner, root)
    give(person("olga"), owner, root)
    Notification.objects.all().delete()
    configure(owner, root, cells=(Cell(ACTIVATED, ADMINISTRATORS, additional=(SOC,)),), permanent_eligible_allowed=True)
    configure(owner, subscription, cells=(Cell(ACTIVATED, ADMINISTRATORS, default_recipients=False),))
    request_activation(ines, eligibility, resource_id=subscription.pk)
    assert told("role_activated") == {"Olga", SOC}


def test_an_activation_of_another_role_is_told_at_once_to_addresses_only(ines, petra):
    reader = role(ids.GLOBAL_READER)
    reader.privileged = False
    reader.save()
    configure(reader, cells=(Cell(ACTIVATED, ADMINISTRATORS, additional=(SOC,)),))
    request_activation(ines, make_eligible(ines, reader))
    assert told("role_activated") == set()
    assert told("other_role_activated") == {SOC}


def test_an_address_of_somebody_who_is_told_anyway_gets_no_second_mail(cast, what):
    assert bring_about(ELIGIBLE, ADMINISTRATORS, what, additional=("PETRA@example.org", SOC)) == {"Petra", SOC}


def test_every_world_has_its_administrators(ines, petra):
    sven, greta = person("sven"), person("greta")
    give(sven, role(ids.SECURITY_ADMINISTRATOR))
    give(greta, role(ids.GLOBAL_ADMINISTRATOR))
    Notification.objects.all().delete()
    make_eligible(ines, role(ids.GLOBAL_READER))
    assert told("role_given") == {"Petra", "Sven", "Greta"}


def test_what_an_address_reads_is_about_somebody_else_and_says_nothing_more(cast, what):
    bring_about(ELIGIBLE, HOLDER, what, additional=(SOC,), default_recipients=False)
    Notification.objects.exclude(address=SOC).delete()
    Notification.objects.update(next_attempt_at=SOON)
    deliver(clock=at(SOON))
    (message,) = mail.outbox
    assert message.to == [SOC]
    assert message.subject.startswith(
        "PIM: Ines was made eligible for the Privileged Authentication Administrator role"
    )
    assert "The settings of this role name this address." in message.body
    assert "for the test" not in message.body
    assert "/account/notifications/" not in message.body


def test_a_role_whose_settings_change_is_told_to_its_administrators(petra, paul, what):
    configure(what, directory(), max_activation=timedelta(hours=2))
    assert told("settings_changed") == {"Petra", "Paul"}
    Notification.objects.update(next_attempt_at=SOON)
    deliver(clock=at(SOON))
    link = f"/manage/directory/roles/{what.pk}/settings/"
    assert {message.to[0] for message in mail.outbox if link in message.body} == {
        "petra@example.org",
        "paul@example.org",
    }


def test_a_notification_goes_to_one_recipient_or_address_or_channel(cast, what):
    bring_about(ELIGIBLE, HOLDER, what)
    row = Notification.objects.get(mail="assignment_added")
    for wrong in ({"address": SOC}, {"channel": "c"}, {"recipient": None}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Notification.objects.filter(pk=row.pk).update(**wrong)
