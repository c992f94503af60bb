"""The portal's settings with the environment of a test run: SQLite, or the PostgreSQL that DATABASE_URL names."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

# A folder for each process: two runs, or two workers of one, never meet.
FOLDER = tempfile.mkdtemp(prefix="pim-tests-")
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)

os.environ.update(
    PIM_SECRET_KEY="7b0QmX2wVt9sLzR4eJc8uYpA6hNfGk3dDiToHrPxWqEnZlCaSvMgByUj",
    PIM_BASE_URL="http://localhost:8000",
    PIM_DATA_DIR=FOLDER,
)
for name in ("PIM_DEMO", "PIM_DEBUG", "PIM_SECRET_KEY_FALLBACKS", "PIM_ALLOWED_HOSTS", "PIM_TRUSTED_PROXIES"):
    os.environ.pop(name, None)
for name in (
    "PIM_TIME_ZONE",
    "PIM_EMAIL_URL",
    "PIM_EMAIL_FROM",
    "PIM_IDLE_MINUTES",
    "PIM_SESSION_HOURS",
    "PIM_CHAT_URLS",
    "PIM_CHAT_REASONS",
    "PIM_METRICS_TOKEN",
    "PIM_SECURITY_CONTACT",
    "PIM_LICENCES_OWNED",
):
    os.environ.pop(name, None)
for name in ("PIM_TICKET_VERIFIER", "PIM_TICKET_URL", "PIM_TICKET_SECRET", "PIM_TICKET_ALLOW_PRIVATE"):
    os.environ.pop(name, None)
for name in (
    "PIM_AUDIT_KEY",
    "PIM_AUDIT_ARCHIVES",
    "PIM_AUDIT_ANCHORS",
    "PIM_AUDIT_STDOUT",
    "PIM_WEB_HOOKS_ALLOW_PRIVATE",
):
    os.environ.pop(name, None)

from pim_portal.settings import *  # noqa: E402, F403
from pim_portal.settings import DATABASES, STORAGES  # noqa: E402

if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # A file, since threads share the database in races and browser tests; what a crash leaves behind is no matter.
    DATABASES["default"]["TEST"] = {"NAME": str(Path(FOLDER) / "test.sqlite3")}
    OPTIONS = DATABASES["default"]["OPTIONS"]
    OPTIONS["init_command"] = OPTIONS["init_command"].replace("synchronous=FULL", "synchronous=OFF")
else:
    # Threads that end leave no connection behind which would keep the test database from being dropped.
    DATABASES["default"]["CONN_MAX_AGE"] = 0

# Argon2 takes a fifth of a second by design.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STATIC_ROOT = None
WHITENOISE_USE_FINDERS = True
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
