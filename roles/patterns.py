"""Patterns that administrators write, matched so that none can hang the server.

RE2 takes time in proportion to the text, whatever the pattern; what it cannot match so (look-around, references back)
it refuses.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import re2

MAX_PATTERN: Final = 200  # characters
_MAX_MEMORY: Final = 1 << 20  # bytes for one compiled pattern; a greater one is refused


def problem_in(pattern: str) -> str:
    """Say what is wrong with a pattern, in the words of RE2; empty for a good one."""
    try:
        _compiled(pattern)
    except re2.error as error:
        told = error.args[0] if error.args else error
        return told.decode("utf-8", "replace") if isinstance(told, bytes) else str(told)
    return ""


def fits(pattern: str, text: str) -> bool:
    """Return whether the whole text is of the form of the pattern; a pattern that is not one fits nothing."""
    try:
        return _compiled(pattern).fullmatch(text) is not None
    except re2.error:
        return False


@lru_cache(maxsize=64)
def _compiled(pattern: str) -> Any:
    options = re2.Options()
    options.max_mem = _MAX_MEMORY
    options.log_errors = False
    return re2.compile(pattern, options)
