"""The repository tests itself: what must never stand in the code, and what must exist."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import django_tables2 as tables
import pytest
from django.contrib import admin

from audit.kinds import Kind
from pim_portal.settings import BASE_DIR
from roles.models import Role

pytestmark = pytest.mark.django_db

APPS = ("audit", "roles", "approvals", "reviews", "pim_portal")
SOURCES = [path for app in APPS for path in (BASE_DIR / app).rglob("*.py") if "migrations" not in path.parts]
CHECKS = BASE_DIR / "pim_portal" / "checks.py"  # names what must never be
TEMPLATES = list((BASE_DIR / "templates").rglob("*.html"))


def lines_with(pattern: str, files: list[Path]) -> list[str]:
    return [
        f"{path.relative_to(BASE_DIR)}:{number}: {line.strip()}"
        for path in files
        if path != CHECKS
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if re.search(pattern, line)
    ]


@pytest.mark.parametrize(
    "pattern",
    [
        pytest.param(r"@csrf_exempt|csrf_exempt\(|import .*csrf_exempt", id="a view without CSRF protection"),
        # What a library drew is the exception, and says so on its line.
        pytest.param(r"\bmark_safe\((?!.*# noqa: S308 +[#-] )", id="text declared safe"),
        pytest.param(r"fail_silently\s*=\s*True", id="a mail that fails silently"),
        pytest.param(r"\.verify_token\(", id="a code verified without django-otp's lock"),
        pytest.param(r"\bis_superuser\s*=\s*True|is_staff\s*=\s*True", id="somebody above the rules"),
        pytest.param(r"except\s*:|except Exception:\s*pass", id="an error swallowed"),
    ],
)
def test_never_in_the_code(pattern):
    assert lines_with(pattern, SOURCES) == []


@pytest.mark.parametrize("pattern", [r"\|\s*safe\b", r"autoescape off", r"<style|\sstyle=|\son[a-z]+=|<script>"])
def test_never_in_a_page(pattern):
    pages = [path for path in TEMPLATES if "mails" not in path.parts]
    assert lines_with(pattern, pages) == []


def test_assignments_and_ends_are_written_in_the_rooms_of_their_services_only():
    writers = lines_with(r"Assignment\.objects\.(create|bulk_create|update|delete)|ended_at=", SOURCES)
    elsewhere = [line for line in writers if not line.startswith(("roles/services/", "roles/models/"))]
    reads = ("filter(", "ended_at=None", "exclude(")
    assert [line for line in elsewhere if not any(read in line for read in reads)] == []


def test_rows_that_run_code_are_in_no_admin():
    registered = {model._meta.label for model in admin.site._registry}
    forbidden = {"django_q.Schedule", "django_q.OrmQ", "django_q.Success", "django_q.Failure"}
    assert registered & forbidden == set()


def test_nothing_can_be_added_changed_or_deleted_in_admin(rf, petra):
    request = rf.get("/admin/")
    request.user = petra
    for model, model_admin in admin.site._registry.items():
        assert not model_admin.has_add_permission(request), model
        assert not model_admin.has_change_permission(request), model
        assert not model_admin.has_delete_permission(request), model


def test_every_kind_of_event_is_told_apart_by_its_stored_value():
    assert len({kind.value for kind in Kind}) == len(Kind)


def test_every_built_in_role_is_there_and_the_privileged_ones_say_what_they_allow(db):
    assert Role.objects.filter(built_in=True, kind="directory").count() == 135
    assert Role.objects.filter(built_in=True, kind="resource").count() == 498
    assert not Role.objects.filter(built_in=True, privileged=True, description="").exists()
    assert not Role.objects.filter(built_in=True, category="").exists()


def test_every_module_can_be_imported():
    for path in SOURCES:
        module = ".".join(path.relative_to(BASE_DIR).with_suffix("").parts)
        importlib.import_module(module.removesuffix(".__init__"))


def tables_below(kind: type[tables.Table]) -> list[type[tables.Table]]:
    return [one for below in kind.__subclasses__() for one in (below, *tables_below(below))]


def test_every_list_has_a_name_for_those_who_hear_it_and_for_its_file():
    test_every_module_can_be_imported()
    ours = [one for one in tables_below(tables.Table) if one.__module__.startswith(APPS) and not one.__subclasses__()]
    assert [one for one in ours if "aria-label" not in (one._meta.attrs or {})] == []
