"""The same choice of words, made by PostgreSQL: a download of a million events has no time to ask Python for each.

A test says every kind of event both ways.
"""

from __future__ import annotations

import re
from typing import Final

from audit.kinds import Kind, Outcome
from audit.sentences import NAMELESS
from audit.wordings import VARIANTS, WORDINGS

NAMES: Final = tuple(NAMELESS)
_PLACEHOLDER: Final = re.compile(r"\{(\w+)\}")


def variant() -> str:
    """Return the expression that says which of several wordings fits an event `e`: its number, 0 for the first."""
    cases = [
        f"WHEN e.kind = '{kind.value}' AND ({fits.sql}) THEN '{number}'"
        for kind, variants in VARIANTS.items()
        for number, (fits, _wording) in enumerate(variants, start=1)
    ]
    return f"CASE {' '.join(cases)} ELSE '0' END"


def templates(endings: dict[Outcome, str]) -> dict[str, str]:
    """Return the words of each kind, outcome and variant, with the names of `NAMES` as PostgreSQL's format() counts."""
    made: dict[str, str] = {}
    for kind in Kind:
        every = [WORDINGS[kind], *(words for _fits, words in VARIANTS.get(kind, []))]
        for number, words in enumerate(every):
            made[f"{kind.value}:{Outcome.DONE.value}:{number}"] = _counted(str(words.done))
            for outcome, ending in endings.items():
                told = ending.format(attempt=str(words.tried))
                made[f"{kind.value}:{outcome.value}:{number}"] = _counted(told)
    return made


def _counted(text: str) -> str:
    return _PLACEHOLDER.sub(lambda found: f"%{NAMES.index(found[1]) + 1}$s", text.replace("%", "%%"))
