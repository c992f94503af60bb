"""What must never be, told by `manage.py check` before the portal serves: each is an error with an id of its own.

Those that read the code and the templates run with `check --deploy` only: they take a moment.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.contrib import admin
from django.core.checks import CheckMessage, Error, Tags, register
from django.urls import URLPattern, URLResolver, get_resolver

from pim_portal.environment import BASE_DIR
from pim_portal.portal_admin import PortalAdminSite, ReadOnlyAdmin

APPS: Final = ("audit", "roles", "approvals", "reviews", "pim_portal")
AUTHENTICATED: Final = "django.contrib.auth.middleware.AuthenticationMiddleware"
CLOSED: Final = "roles.guards.SignedInMiddleware"
GUARDS: Final = (
    "django.middleware.security.SecurityMiddleware",
    "pim_portal.headers.SecurityHeadersMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    AUTHENTICATED,
    "pim_portal.accounts.middleware.SessionLimitsMiddleware",
    CLOSED,
    "axes.middleware.AxesMiddleware",
)
# Each of these has its reason on its own page; whatever else would open to others is a mistake.
OPEN: Final = {
    "strangers": {
        "healthz",
        "healthz_worker",
        "readyz",
        "metrics",
        "robots_txt",
        "security_txt",
        "change_password",
        "sign_in",
        "sign_out",
        "entry",
        "setup",
    },
    "unverified": {"second_factor", "enrol"},
}
RUNS_CODE: Final = "django_q"  # a row of its tables names what the worker calls
# What a library drew, or what is escaped already, is the exception, and says so on its line.
UNESCAPED: Final = {
    ".py": re.compile(r"\bmark_safe\((?!.*# noqa: S308 +[#-] )|\bSafeString\([^)](?!.*# safe: \w)|\bcsrf_exempt\b"),
    ".html": re.compile(r"\|\s*safe(seq)?\b|autoescape\s+off|<script>|\son[a-z]+=|javascript:"),
}


def check_guards(**kwargs: Any) -> list[CheckMessage]:
    """Every page is closed by a guard that knows who is there."""
    order = settings.MIDDLEWARE
    errors = [Error(f"{one} is missing in MIDDLEWARE.", id="pim_portal.E021") for one in GUARDS if one not in order]
    if not errors and order.index(CLOSED) < order.index(AUTHENTICATED):
        errors.append(Error("SignedInMiddleware stands before anybody is known.", id="pim_portal.E021"))
    return [*errors]


def check_views(**kwargs: Any) -> list[CheckMessage]:
    """No view is open to others but those that are known, and none does without CSRF protection."""
    return [*_views(_addresses(get_resolver()))]


def _views(addresses: Iterable[tuple[str, Callable[..., Any]]]) -> Iterator[CheckMessage]:
    for name, view in addresses:
        open_to = getattr(view, "open_to", None) or getattr(getattr(view, "view_class", None), "open_to", None)
        if open_to is not None and name not in OPEN.get(open_to, set()):
            yield Error(
                f"The page “{name}” is open to {open_to}, and nobody said that it may be.", id="pim_portal.E022"
            )
        if getattr(view, "csrf_exempt", False):
            yield Error(f"The page “{name}” takes forms from other sites.", id="pim_portal.E023")


def _addresses(resolver: URLResolver) -> Iterator[tuple[str, Callable[..., Any]]]:
    """Every view outside the demo, whose people are invented, and whose pages are there in a demo only."""
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver) and pattern.app_name != "demo":
            yield from _addresses(pattern)
        elif isinstance(pattern, URLPattern):
            yield str(pattern.name), pattern.callback


def check_admin(**kwargs: Any) -> list[CheckMessage]:
    """Django admin is the portal's own, changes nothing, and shows no rows that run code."""
    return [*_admin(admin.site)]


def _admin(site: admin.AdminSite) -> Iterator[CheckMessage]:
    if not isinstance(getattr(site, "_wrapped", site), PortalAdminSite):
        yield Error("Django admin is not behind the portal's own doors.", id="pim_portal.E024")
    for model, options in site._registry.items():
        if model._meta.app_label == RUNS_CODE:
            yield Error(f"{model._meta.label} is in the admin: its rows run code.", id="pim_portal.E025")
        elif not isinstance(options, ReadOnlyAdmin):
            yield Error(f"{model._meta.label} could be changed in the admin.", id="pim_portal.E026")


def check_settings(**kwargs: Any) -> list[CheckMessage]:
    """What Django's own checks do not ask for."""
    database = settings.DATABASES["default"]
    https = settings.SESSION_COOKIE_SECURE
    wrong = {
        "A silent mail server would hold the worker for ever: set EMAIL_TIMEOUT.": not settings.EMAIL_TIMEOUT,
        "Over https the cookies must be bound to the host: name them __Host-….": https
        and not all(name.startswith("__Host-") for name in (settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME)),
        "Roles would be held without an end: ModelBackend gives permissions of its own.": any(
            "ModelBackend" in backend for backend in settings.AUTHENTICATION_BACKENDS
        ),
        "On SQLite a transaction must take the write lock at its start (transaction_mode IMMEDIATE).": (
            database["ENGINE"].endswith("sqlite3") and database["OPTIONS"].get("transaction_mode") != "IMMEDIATE"
        ),
        "Browsers send “Origin: null” with our own forms: the referrer policy must be same-origin.": (
            settings.SECURE_REFERRER_POLICY != "same-origin"
        ),
        "The policy of content allows what is written into a page (unsafe-…).": (
            "unsafe" in str(settings.CONTENT_SECURITY_POLICY)
        ),
    }
    return [Error(sentence, id="pim_portal.E027") for sentence, is_wrong in wrong.items() if is_wrong]


def check_hashers(**kwargs: Any) -> list[CheckMessage]:
    """New passwords are stored by Argon2."""
    if "Argon2" in settings.PASSWORD_HASHERS[0]:
        return []
    return [Error("New passwords must be stored by Argon2.", id="pim_portal.E028")]


def check_sources(**kwargs: Any) -> list[CheckMessage]:
    """Nothing that people typed is put into a page as it is; no inline script."""
    files = [path for app in APPS for path in (BASE_DIR / app).rglob("*.py") if "migrations" not in path.parts]
    return [*_unescaped([*files, *(BASE_DIR / "templates").rglob("*.html")])]


def _unescaped(files: Iterable[Path]) -> Iterator[CheckMessage]:
    for path in files:
        if path == Path(__file__):
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if UNESCAPED[path.suffix].search(line):
                yield Error(f"{path}:{number} is not escaped, or is code in a page.", id="pim_portal.E029")


def register_all() -> None:
    """Have Django run them: the quick ones always, the others with --deploy."""
    for check in (check_guards, check_views, check_admin, check_settings):
        register(Tags.security)(check)
    for check in (check_hashers, check_sources):
        register(Tags.security, deploy=True)(check)
