"""Django admin: opened by a second factor and a role held now, to look at and never to change."""

from __future__ import annotations

import re

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from approvals.models import Verdict
from audit.models import Event
from pim_portal.models import PortalSession
from pim_portal.portal_admin import ReadOnlyAdmin
from roles import ids
from roles.models import Assignment, Group, RecoveryCode, RecoveryCodes, TotpDevice, User
from tests.people import (
    EXCHANGE_ADMINISTRATOR,
    HOUR,
    MINUTE,
    configure,
    decide,
    give,
    group,
    make_eligible,
    person,
    request_activation,
    role,
    tree,
)
from tests.reviewing import chosen, started
from tests.test_accounts_sign_in import give_password, sign_in
from tests.visitors import session_of

pytestmark = pytest.mark.django_db

OURS = {"audit", "roles", "approvals", "reviews", "pim_portal"}


@pytest.fixture(autouse=True)
def _set_up(petra: User) -> None:
    """The portal is set up: Petra administers it."""


def test_it_is_closed_to_strangers_and_without_the_second_factor(client: Client, zoe: User, nina: User):
    assert client.get("/admin/")["Location"] == "/account/sign-in/?next=/admin/"
    give_password(client, "nina")
    assert client.get("/admin/")["Location"].startswith("/account/second-factor/")
    browser = sign_in(Client(), zoe)
    assert browser.get("/admin/").status_code == 403
    assert browser.get(reverse("admin:roles_user_changelist")).status_code == 403


def test_it_has_no_sign_in_of_its_own(client: Client, nina: User):
    assert client.get("/admin/login/")["Location"].startswith("/account/sign-in/")
    assert client.post("/admin/login/", {"username": "nina"})["Location"].startswith("/account/sign-in/")
    browser = sign_in(client, nina)
    assert browser.get("/admin/password_change/")["Location"] == reverse("password_change")
    assert browser.post("/admin/logout/")["Location"] == reverse("sign_in")


def test_it_closes_when_the_role_ends(client: Client, zoe: User):
    held = give(zoe, role(ids.GLOBAL_READER), ends_at=timezone.now() + HOUR)
    sign_in(client, zoe)
    assert client.get("/admin/").status_code == 200
    Assignment.objects.filter(pk=held.pk).update(ends_at=timezone.now())
    assert client.get("/admin/").status_code == 403


def test_it_does_not_open_to_somebody_who_is_only_eligible(client: Client, zoe: User):
    make_eligible(zoe, role(ids.GLOBAL_READER))
    assert sign_in(client, zoe).get("/admin/").status_code == 403


def test_only_read_only_models_are_registered():
    assert admin.site._registry
    assert all(isinstance(one, ReadOnlyAdmin) for one in admin.site._registry.values())
    assert {model._meta.app_label for model in admin.site._registry} == OURS


def test_every_model_of_ours_can_be_looked_up():
    ours = {model for model in apps.get_models() if model._meta.app_label in OURS}
    assert ours - set(admin.site._registry) == set()


def test_the_key_of_a_session_is_never_shown_linked_or_asked_for(client: Client, zoe: User):
    give(zoe, role(ids.SECURITY_ADMINISTRATOR), now=timezone.now())
    sign_in(client, zoe)
    address = reverse("admin:pim_portal_portalsession_changelist")
    key = PortalSession.objects.get(user=zoe).pk

    assert "Zoe" in client.get(address).content.decode()
    assert key not in client.get(address).content.decode()
    assert client.get(reverse("admin:pim_portal_portalsession_change", args=[key])).status_code == 302
    for lookup in ("pk", "session_key"):
        assert client.get(f"{address}?{lookup}__startswith={key[:1]}").status_code == 400


def test_every_page_opens_and_none_changes_anything(client: Client, petra: User, ines: User):
    give(petra, role(ids.SECURITY_ADMINISTRATOR))
    tree("Contoso")
    give(ines, role(EXCHANGE_ADMINISTRATOR))
    group("Blue team", ines)
    sign_in(client, petra)
    assert client.get("/admin/").status_code == 200
    for model, model_admin in admin.site._registry.items():
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        assert client.get(reverse(f"{name}_changelist")).status_code == 200, model
        assert client.get(reverse(f"{name}_changelist") + "?q=%00&o=1.-2&e=1").status_code == 200, model
        assert client.get(reverse(f"{name}_add")).status_code == 403, model
        row = model._default_manager.first()
        if row is None:
            continue
        page = client.get(reverse(f"{name}_change", args=[row.pk]))
        assert page.status_code in (200, 302), model  # 302: outside what Petra may see
        assert client.post(reverse(f"{name}_change", args=[row.pk]), {"name": "x"}).status_code in (302, 403), model
        assert client.post(reverse(f"{name}_delete", args=[row.pk]), {"post": "yes"}).status_code in (302, 403), model
        assert model._default_manager.filter(pk=row.pk).exists()
        assert not model_admin.get_actions(page.wsgi_request)


def test_its_first_page_has_no_box_of_actions_where_nothing_can_be_done(client: Client, petra: User):
    sign_in(client, petra)
    html = client.get(reverse("admin:index")).content.decode()
    assert "Recent actions" not in html
    assert "/static/favicon" in html


def test_it_shows_no_resource_to_a_directory_role(client: Client, nina: User, ines: User):
    root, *_below = tree("Contoso")
    give(ines, role(ids.OWNER), root)
    sign_in(client, nina)
    for page in ("roles_resource", "roles_assignment", "audit_event", "audit_eventtext"):
        assert "Contoso" not in client.get(reverse(f"admin:{page}_changelist")).content.decode()
    assert client.get(reverse("admin:roles_resource_change", args=[root.pk])).status_code == 302
    give(nina, role(ids.READER), root, starts_at=timezone.now() - MINUTE, now=timezone.now())
    for page in ("roles_resource", "roles_assignment", "audit_eventtext"):
        assert "Contoso" in client.get(reverse(f"admin:{page}_changelist")).content.decode()


def test_it_shows_no_secret(client: Client, petra: User):
    device = TotpDevice.objects.get(user=petra)
    sign_in(client, petra)
    page = client.get(reverse("admin:roles_totpdevice_change", args=[device.pk])).content.decode()
    assert device.key not in page
    page = client.get(reverse("admin:roles_user_change", args=[petra.pk])).content.decode()
    assert petra.password not in page


@pytest.mark.parametrize("query", ["password__startswith=a", "password=a"])
def test_a_secret_cannot_be_asked_for_letter_by_letter(client: Client, petra: User, query: str):
    sign_in(client, petra)
    assert client.get(reverse("admin:roles_user_changelist") + "?" + query).status_code == 400


@pytest.mark.parametrize(
    ("page", "way"),
    [
        ("roles_user", "sessions__session_key"),
        ("roles_user", "pk__user__sessions__session_key"),
        ("roles_user", "pk__user__password"),
        ("roles_user", "pk__user__stepup__session"),
        ("roles_group", "pk__assignments__resource__name"),
        ("roles_totpdevice", "user__pk__user__password"),
        ("roles_stepup", "user__pk__user__sessions__session_key"),
        ("pim_portal_notification", "recipient__user__pk__user__password"),
    ],
)
def test_a_secret_cannot_be_asked_for_by_a_roundabout_way(client: Client, petra: User, page: str, way: str):
    give(petra, role(ids.SECURITY_ADMINISTRATOR), now=timezone.now())
    sign_in(client, petra)
    assert client.get(reverse(f"admin:{page}_changelist") + f"?{way}__startswith=a").status_code == 400


def test_nobody_reads_the_session_of_somebody_else_through_the_list_of_people(client: Client, nina: User, petra: User):
    key = session_of(petra)
    sign_in(client, nina)
    page = client.get(reverse("admin:roles_user_changelist") + f"?sessions__session_key__startswith={key[:2]}")
    assert "Petra" not in page.content.decode()


def test_an_unknown_key_is_no_error(client: Client, petra: User):
    sign_in(client, petra)
    for key in ("x", "%00", "9" * 60, "..."):
        assert client.get(f"/admin/roles/user/{key}/change/").status_code in (302, 404)
    assert not Group.objects.exists()
    assert person("eve").pk


@pytest.mark.parametrize(
    "query",
    [
        "name__regex=(",
        "name__regex=(a%2B)%2B%24",
        "created_at__date__regex=(",
        "kind__regex=(",
        "kind=%00",
        "kind__in=x",
    ],
)
def test_a_list_is_asked_only_what_its_filters_ask(client: Client, petra: User, query: str):
    sign_in(client, petra)
    address = reverse("admin:roles_principal_changelist")
    assert client.get(f"{address}?{query}").status_code == 400
    for asked in ("kind__exact=user", "enabled__exact=1", "kind__exact=user&enabled__exact=0&q=a&o=-1&p=2"):
        assert client.get(f"{address}?{asked}").status_code in (200, 302)


def test_the_list_of_recovery_codes_counts_them_all_at_once(client: Client, petra: User):
    sign_in(client, petra)
    address = reverse("admin:roles_recoverycodes_changelist")

    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(address).status_code == 200
        return len(queries)

    RecoveryCodes.objects.create(user=petra, name="codes")
    asked()
    one = asked()
    for name in ("ana", "bea", "cleo"):
        codes = RecoveryCodes.objects.create(user=person(name), name="codes")
        for number, used_at in enumerate((None, None, timezone.now())):
            RecoveryCode.objects.create(device=codes, digest=f"{name}{number}", used_at=used_at)
    assert asked() == one
    assert client.get(address).content.decode().count('<td class="field-unused">2</td>') == 3


def test_a_row_says_nothing_of_a_history_in_django_admin_which_there_is_not(client: Client, petra: User):
    sign_in(client, petra)
    event = Event.objects.filter(realm="directory").latest("pk")
    team = group("Blue team")
    for page, pk, theirs in [
        ("roles_group", team.pk, reverse("group", args=[team.pk])),
        ("roles_user", petra.pk, reverse("person", args=[petra.pk])),
        ("audit_event", event.pk, reverse("audit_event", args=[event.uuid])),
    ]:
        html = client.get(reverse(f"admin:{page}_change", args=[pk])).content.decode()
        assert "historylink" not in html
        assert f'href="{theirs}"' in html
        assert client.get(theirs).status_code == 200
        assert client.get(reverse(f"admin:{page}_history", args=[pk])).status_code == 404


def test_its_lists_say_names_and_numbers_rather_than_keys(client: Client, petra: User, nina: User, ines: User):
    exchange = role(EXCHANGE_ADMINISTRATOR)
    configure(exchange, approvers=[nina])
    asked = request_activation(ines, make_eligible(ines, exchange))
    decide(Verdict.APPROVE, asked, nina)
    started(exchange, stages=[chosen(nina)])
    sign_in(client, petra)
    keys = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}")
    shown = 0
    for model in admin.site._registry:
        if model._meta.app_label in ("roles", "approvals", "reviews"):
            page = client.get(reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"))
            cells = re.findall(r'<t[dh] class="field-[^"]*">(.*?)</t[dh]>', page.content.decode())
            shown += len(cells)
            assert not [one for one in cells if keys.search(re.sub("<[^>]*>", "", one))], model
    assert shown > 100
