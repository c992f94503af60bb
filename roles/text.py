"""Text that people write: brought to one form, and known to be visible or not."""

from __future__ import annotations

import unicodedata
from typing import Final

MAX_REASON: Final = 2000  # characters
MAX_TICKET: Final = 100  # characters
MAX_NAME: Final = 200  # characters

_KEPT = {"\n", "\t"}
# Letters that draw nothing although Unicode counts them as letters or symbols (fillers, blank Braille).
_BLANK_LETTERS = {"\u115f", "\u1160", "\u2800", "\u3164", "\uffa0"}


def clean(text: str) -> str:
    """Return `text` normalised (NFC), without control and invisible format characters, trimmed."""
    lines = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n")
    kept = "".join(
        character
        for character in lines
        if character in _KEPT or unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Co", "Cn"}
    )
    return kept.strip()


def is_visible(text: str) -> bool:
    """Return whether a reader would see anything."""
    return any(
        not character.isspace() and character not in _BLANK_LETTERS and unicodedata.category(character)[0] != "M"
        for character in clean(text)
    )
