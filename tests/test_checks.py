"""The portal's own system checks: each fires for what it is there for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib import admin
from django.core.checks import registry
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django_q.models import OrmQ, Schedule

from pim_portal import checks
from pim_portal.portal_admin import ReadOnlyAdmin
from roles.guards import open_to_strangers, open_to_unverified
from roles.models import Assignment


def ids(found: Any) -> list[str]:
    return [one.id.removeprefix("pim_portal.") for one in found]


def view(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


def test_django_runs_each_of_them():
    always = set(registry.registry.get_checks())
    at_deploy = set(registry.registry.get_checks(include_deployment_checks=True)) - always
    assert {checks.check_guards, checks.check_views, checks.check_admin, checks.check_settings} <= always
    assert {checks.check_hashers, checks.check_sources} <= at_deploy


@pytest.mark.parametrize("guard", checks.GUARDS)
def test_a_guard_that_is_missing_is_told(settings, guard):
    settings.MIDDLEWARE = [one for one in settings.MIDDLEWARE if one != guard]
    assert ids(checks.check_guards()) == ["E021"]


def test_a_guard_that_does_not_know_who_is_there_is_told(settings):
    settings.MIDDLEWARE = [checks.CLOSED, *(one for one in settings.MIDDLEWARE if one != checks.CLOSED)]
    assert ids(checks.check_guards()) == ["E021"]


@pytest.mark.parametrize("opened", [open_to_strangers, open_to_unverified])
def test_a_view_that_is_open_and_not_known_is_told(opened):
    def page(request: HttpRequest) -> HttpResponse:
        return view(request)

    assert ids(checks._views([("my_roles", opened(page))])) == ["E022"]
    assert ids(checks._views([("my_roles", view)])) == []


def test_a_view_without_csrf_protection_is_told():
    assert ids(checks._views([("my_roles", csrf_exempt(view))])) == ["E023"]


def test_another_admin_is_told():
    assert ids(checks._admin(admin.AdminSite())) == ["E024"]


@pytest.mark.parametrize("model", [Schedule, OrmQ])
def test_rows_that_run_code_are_told_in_the_admin(model):
    site = admin.AdminSite()
    site.register(model, ReadOnlyAdmin)
    assert "E025" in ids(checks._admin(site))


def test_a_model_that_could_be_changed_in_the_admin_is_told():
    site = admin.AdminSite()
    site.register(Assignment)
    assert "E026" in ids(checks._admin(site))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("EMAIL_TIMEOUT", None),
        ("AUTHENTICATION_BACKENDS", ["django.contrib.auth.backends.ModelBackend"]),
        ("SECURE_REFERRER_POLICY", "no-referrer"),
        ("CONTENT_SECURITY_POLICY", {"DIRECTIVES": {"script-src": ["'unsafe-inline'"]}}),
        ("SESSION_COOKIE_SECURE", True),  # and its plain name
        ("DATABASES", {"default": {"ENGINE": "django.db.backends.sqlite3", "OPTIONS": {}}}),
    ],
)
def test_a_setting_that_opens_something_is_told(monkeypatch, name, value):
    monkeypatch.setattr(django_settings, name, value)
    assert ids(checks.check_settings()) == ["E027"]


def test_another_hasher_is_told(settings):
    assert ids(checks.check_hashers()) == ["E028"]  # the tests' own
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
    assert ids(checks.check_hashers()) == []


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("a.py", "text = mark_safe(words)"),
        ("a.py", "text = SafeString(words)"),
        ("a.py", "text = SafeString(words)  # safe:"),
        ("a.py", "@csrf_exempt"),
        ("a.html", "{{ reason|safe }}"),
        ("a.html", "{{ reasons | safeseq }}"),
        ("a.html", "{% autoescape off %}"),
        ("a.html", "<script>go()</script>"),
        ("a.html", '<a onclick="go()">'),
        ("a.html", '<a href="javascript:go()">'),
    ],
)
def test_what_is_not_escaped_is_told(tmp_path, name, line):
    file: Path = tmp_path / name
    file.write_text(f"\n{line}\n")
    assert ids(checks._unescaped([file])) == ["E029"]
