"""The Chromium that the browser tests drive: the system's own, so that nothing is downloaded."""

import shutil
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome")
MISSING = "Chromium is missing, and the browser tests need it. On Debian: apt-get install chromium"


def find() -> str | None:
    return next((path for name in NAMES if (path := shutil.which(name))), None)


if __name__ == "__main__":
    sys.exit(None if find() else MISSING)
