"""The environment of `manage.py demo`, set before Django reads it. What is already set stays, and is judged as ever."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import MutableMapping, Sequence

DEFAULT_PORT = 8000


def prepare(arguments: Sequence[str], environment: MutableMapping[str, str]) -> None:
    """Switch the demo on for this process and its children, at the port that `arguments` name.

    Exits with a sentence when that is no port.
    """
    port = _port(arguments)
    if not (port.isascii() and port.isdecimal() and 1 <= int(port) <= 65535):
        sys.exit(f"“{port}” is no port: choose a number from 1024 to 65535, like make demo PORT=8123")
    environment["PIM_DEMO"] = "1"
    environment.setdefault("PIM_BASE_URL", f"http://127.0.0.1:{port}")


def _port(arguments: Sequence[str]) -> str:
    # Before Django parses them all: the command only reads them once the settings are loaded.
    parser = ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--port", default=str(DEFAULT_PORT))
    return str(parser.parse_known_args(list(arguments))[0].port)
