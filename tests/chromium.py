"""The Chromium that the browser tests drive: the system's own, so that nothing is downloaded."""

import shutil
import subprocess
import sys
from collections.abc import Sequence

from playwright._impl._driver import compute_driver_executable

NAMES = ("chromium", "chromium-browser", "google-chrome")
MISSING = "Chromium is missing, and the browser tests need it. On Debian: apt-get install chromium"
NO_DRIVER = "What drives Chromium does not start: {why}\nOn a bare Debian: apt-get install libatomic1"


def find() -> str | None:
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def no_driver(command: Sequence[str]) -> str | None:
    """Say why Playwright's driver cannot start: its Node.js wants a library that few systems bring. None if it can."""
    started = subprocess.run([*command, "--version"], capture_output=True, text=True)
    return NO_DRIVER.format(why=started.stderr.strip()) if started.returncode else None


def missing() -> str | None:
    return no_driver(compute_driver_executable()) if find() else MISSING


if __name__ == "__main__":
    sys.exit(missing())
