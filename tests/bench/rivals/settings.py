"""As little as the packages need; the database is the one that DATABASE_URL names."""

import os

_place, _slash, _name = os.environ["DATABASE_URL"].removeprefix("postgres://").rpartition("/")
_user, _at, _host = _place.partition("@")

SECRET_KEY = "only for the bench"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "guardian",
    "auditlog",
    "simple_history",
    "tests.bench.rivals",
]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _name,
        "USER": _user,
        "HOST": "/" + _host.lstrip("/"),
        "OPTIONS": {"options": "-c jit=off"},
    }
}
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend", "guardian.backends.ObjectPermissionBackend"]
