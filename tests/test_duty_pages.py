"""The pages of separation of duties: a rule is made in steps, and whoever stands against it is listed."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from audit.kinds import Kind
from audit.models import Event
from audit.sentences import sentence
from roles import ids
from roles.models import DutyReach, DutyRule, Purpose, Resource, Role, TotpDevice, User
from roles.places import address
from roles.refusals import Refused
from roles.rules.duty_rules import DutyTerms
from roles.selectors.duties.conflicts import conflicts
from roles.services.duties import add_duty_rule, change_duty_rule, gather, retire_duty_rule, seen_digest
from tests.people import NOW, OPERATOR, acting, at, custom_role, directory, give, person, role, tree, unit
from tests.separating import kept_apart
from tests.stepping import code_of
from tests.visitors import visiting

pytestmark = pytest.mark.django_db


@pytest.fixture
def nodes(db) -> list[Resource]:
    return tree("Root", "Sub")


@pytest.fixture
def roles(nodes) -> list[Role]:
    return [custom_role(nodes[0], name) for name in ("Makes payments", "Releases payments")]


@pytest.fixture
def olga(nodes) -> User:
    user = person("olga")
    give(user, role(ids.OWNER), nodes[0], now=timezone.now())
    return user


@pytest.fixture
def ines(nodes, roles) -> User:
    """Has both roles."""
    user = person("ines")
    for one in roles:
        give(user, one, nodes[1], now=timezone.now())
    return user


def typed(roles: list[Role], **more: Any) -> dict[str, Any]:
    values: dict[str, Any] = {"name": "Paying", "description": "", "reach": "hold", "q": "payments"}
    return values | {"roles": [str(one.pk) for one in roles]} | more


def seen_on(answer) -> str:
    return str(answer.context["form"].initial["seen"])


@pytest.fixture
def client(olga) -> Client:
    return visiting(olga)


def test_a_rule_is_made_after_whom_it_concerns_was_seen(client, olga, nodes, roles, ines):
    url = address(nodes[0], "duty_add")
    looked = client.post(url, typed(roles, look="1"))
    assert looked.status_code == 200
    assert "Ines holds Makes payments at Sub" in looked.content.decode()
    assert not DutyRule.objects.exists()
    answer = client.post(url, typed(roles, save="1", seen=seen_on(looked), reason="four eyes") | code_of(olga))
    assert answer.status_code == 302
    made = DutyRule.objects.get()
    assert (answer.status_code, answer.url) == (302, address(nodes[0], "duty", pk=made.pk))
    assert made.made_by_id == User.objects.get(username="olga").pk
    event = Event.objects.get(kind=Kind.DUTY_RULE_ADDED)
    assert sentence(event) == "Olga made the rule “Paying” of separation of duties at Root."
    assert event.details["conflicts"] == 1


def test_a_rule_that_was_not_looked_at_is_not_made(client, olga, nodes, roles):
    answer = client.post(address(nodes[0], "duty_add"), typed(roles, save="1", reason="four eyes") | code_of(olga))
    assert answer.status_code == 422
    assert "Look again before you confirm." in answer.content.decode()
    assert not DutyRule.objects.exists()


def test_what_was_looked_at_is_what_is_made(client, olga, nodes, roles):
    """Other roles than those on the page that was looked at are looked at first."""
    url = address(nodes[0], "duty_add")
    other = custom_role(nodes[0], "Audits payments")
    looked = client.post(url, typed(roles, look="1"))
    wanted = typed([*roles, other], save="1", seen=seen_on(looked), reason="four eyes")
    answer = client.post(url, wanted | code_of(olga))
    assert "Look again before you confirm." in answer.content.decode()
    assert not DutyRule.objects.exists()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"roles": []}, "Choose two roles or more."),
        ({"name": "  "}, "Give the rule a name."),
        ({"name": "four EYES"}, "Another rule here has this name."),
    ],
    ids=["no roles", "no name", "name taken"],
)
def test_what_is_wrong_is_said_before_anybody_is_looked_for(change, told, client, nodes, roles):
    kept_apart(role(ids.READER), role(ids.OWNER), place=nodes[0])
    answer = client.post(address(nodes[0], "duty_add"), typed(roles, look="1") | change)
    assert answer.status_code == 422
    assert told in answer.content.decode()


def test_one_role_alone_is_no_rule(client, nodes, roles):
    answer = client.post(address(nodes[0], "duty_add"), typed(roles[:1], look="1"))
    assert "Choose two roles or more." in answer.content.decode()


def test_a_rule_is_changed_and_retired_where_it_was_made(client, olga, nodes, roles):
    rule = kept_apart(*roles, place=nodes[0])
    url = address(nodes[0], "duty_change", pk=rule.pk)
    assert client.get(url).status_code == 200
    looked = client.post(url, typed(roles, look="1", reach="active"))
    wanted = typed(roles, save="1", reach="active", seen=seen_on(looked), reason="less")
    assert client.post(url, wanted | code_of(olga)).status_code == 302
    rule.refresh_from_db()
    assert (rule.name, rule.reach) == ("Paying", DutyReach.ACTIVE)
    TotpDevice.objects.update(last_step=-1)  # the same code once more, without half a minute between
    retired = client.post(address(nodes[0], "duty_retire", pk=rule.pk), {"reason": "over"} | code_of(olga))
    assert retired.status_code == 302
    rule.refresh_from_db()
    assert rule.retired_at is not None
    assert client.get(address(nodes[1], "duty", pk=rule.pk)).status_code == 404
    assert client.get(address(nodes[0], "duty", pk=rule.pk)).status_code == 200


def test_below_a_rule_is_read_only(client, nodes, roles):
    rule = kept_apart(*roles, place=nodes[0])
    page = client.get(address(nodes[1], "duty", pk=rule.pk)).content.decode()
    assert "Four eyes" in page
    assert address(nodes[1], "duty_change", pk=rule.pk) not in page
    for verb in ("duty_change", "duty_retire"):
        assert client.get(address(nodes[1], verb, pk=rule.pk)).status_code == 404


def test_the_lists_name_who_stands_against_it(client, nodes, roles, ines):
    rule = kept_apart(*roles, place=nodes[0], now=timezone.now())
    assert "1 person" in client.get(address(nodes[0], "duties")).content.decode()
    page = client.get(address(nodes[1], "duty_conflicts") + f"?rule={rule.pk}").content.decode()
    assert "Ines holds Releases payments at Sub" in page
    file = client.get(address(nodes[0], "duty_conflicts") + "?download=csv")
    assert "payments apart from it." in b"".join(file.streaming_content).decode()


def test_who_may_not_look_learns_that_there_is_another_role_and_not_which(nodes, roles, ines):
    """A Reader of the subscription reads both sides of a conflict there, a stranger neither's other half."""
    kept_apart(*roles, place=nodes[0], now=timezone.now())
    rita = person("rita")
    give(rita, role(ids.READER), nodes[1], now=timezone.now())
    (found,) = conflicts(timezone.now(), nodes[1], viewer=rita)
    assert found.one.seen
    assert found.other.seen
    zoe = person("zoe")
    (hidden,) = conflicts(timezone.now(), nodes[1], viewer=zoe)
    assert not hidden.other.seen


MAKERS = {
    "petra": (ids.PRIVILEGED_ROLE_ADMINISTRATOR, "directory", True),
    "gabi": (ids.GLOBAL_ADMINISTRATOR, "directory", False),
    "paula": (ids.PRIVILEGED_ROLE_ADMINISTRATOR, "unit", False),
}
OWNERS = {
    "olga": (ids.OWNER, 0, True),
    "ute": (ids.USER_ACCESS_ADMINISTRATOR, 0, True),
    "rita": (ids.READER, 0, False),
}


def _tries(user: User, place: Resource, roles: tuple[Role, ...]) -> bool:
    terms = DutyTerms("Four eyes", "", DutyReach.HOLD, roles)
    seen = seen_digest(terms, [])
    actor = acting(user, Purpose.SETTINGS, place.pk)
    try:
        made = add_duty_rule(place, terms, seen=seen, reason="needed", actor=actor, clock=at(NOW))
    except Refused as refused:
        return "not_allowed" not in refused.codes
    for verb in (change_duty_rule, retire_duty_rule):
        more = (
            {"terms": DutyTerms("Two eyes", "", DutyReach.HOLD, roles), "seen": seen}
            if verb is change_duty_rule
            else {}
        )
        verb(made.pk, **more, reason="needed", actor=acting(user, Purpose.SETTINGS, made.pk), clock=at(NOW))
    return True


@pytest.mark.parametrize("who", sorted(MAKERS))
def test_who_may_say_it_for_the_directory(who, db):
    what, where, may = MAKERS[who]
    user = person(who)
    give(user, role(what), unit("Berlin") if where == "unit" else None)
    two = (role(ids.SECURITY_READER), role(ids.USER_ADMINISTRATOR))
    assert _tries(user, directory(), two) is may


@pytest.mark.parametrize("who", sorted(OWNERS))
def test_who_may_say_it_at_a_resource(who, nodes):
    what, where, may = OWNERS[who]
    user = person(who)
    give(user, role(what), nodes[where])
    two = tuple(sorted((role(ids.READER), role(ids.OWNER)), key=lambda one: one.name_key))
    assert _tries(user, nodes[1], two) is may


def test_an_owner_below_cannot_say_it_above(nodes):
    user = person("olga")
    give(user, role(ids.OWNER), nodes[1])
    assert not _tries(user, nodes[0], (role(ids.READER), role(ids.OWNER)))


def test_roles_of_another_world_or_place_are_none_of_a_rule(nodes, roles):
    below = custom_role(nodes[1], "Made below")
    terms = DutyTerms("Four eyes", "", DutyReach.HOLD, (below, role(ids.SECURITY_READER)))
    facts, _held, _found = gather(nodes[0], terms, None, seen=None, actor=OPERATOR, now=NOW)
    assert set(facts.strange) == {"Made below", "Security Reader"}


def test_a_rule_without_a_second_factor_is_refused(olga, nodes, roles):
    from roles.actors import Actor

    terms = DutyTerms("Four eyes", "", DutyReach.HOLD, tuple(roles))
    with pytest.raises(Refused, match="second_factor"):
        add_duty_rule(nodes[0], terms, seen="x", reason="needed", actor=Actor(olga), clock=timezone.now)


def test_a_rule_made_below_is_linked_to_where_it_stands(client, nodes, roles, ines):
    made = kept_apart(*roles, place=nodes[1])
    html = client.get(address(nodes[0], "duty_conflicts")).content.decode()
    there = address(nodes[1], "duty", pk=made.pk)
    assert f'href="{there}"' in html
    assert client.get(there).status_code == 200
    assert address(nodes[0], "duty", pk=made.pk) not in html


def test_a_rule_made_above_the_viewers_sight_is_linked_to_its_page_here(nodes, roles, ines):
    made = kept_apart(*roles, place=nodes[0])
    below = person("bela")
    give(below, role(ids.OWNER), nodes[1], now=timezone.now())
    client = visiting(below)
    html = client.get(address(nodes[1], "duty_conflicts")).content.decode()
    here = address(nodes[1], "duty", pk=made.pk)
    assert f'href="{here}"' in html
    assert client.get(here).status_code == 200
