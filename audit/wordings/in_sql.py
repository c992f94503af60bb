"""The same choice of words, made by PostgreSQL: a download of a million events has no time to ask Python for each.

A test says every kind of event both ways; a new condition of `audit.wordings.wording` needs its line here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from audit.kinds import Kind, Outcome
from audit.models import Event
from audit.wordings import VARIANTS, WORDINGS, wording

_OWN: Final = "e.target_id = e.actor_id"
_OTHERS: Final = "e.target_id IS NOT NULL AND e.target_id IS DISTINCT FROM e.actor_id"
_MOMENT: Final = r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d"
_STARTS: Final = "e.details->>'starts_at'"
_PLANNED: Final = f"CASE WHEN {_STARTS} ~ '{_MOMENT}' THEN ({_STARTS})::timestamptz > e.occurred_at ELSE false END"

CONDITIONS: Final[dict[Callable[[Event], bool], str]] = {
    wording.own: _OWN,
    wording.for_somebody_else: _OTHERS,
    wording.eligible: "e.details->>'type' = 'eligible'",
    wording.planned: _PLANNED,
    wording.planned_for_somebody_else: f"{_PLANNED} AND {_OTHERS}",
    wording.default_settings: "e.resource_id IS NULL AND NOT e.commitments ? 'resource'",
    wording.by_a_deputy: "e.details ? 'instead_of'",
}
NAMES: Final = ("actor", "target", "role", "resource", "review", "instead")
_PLACEHOLDER: Final = re.compile(r"\{(\w+)\}")


def condition(fits: Callable[[Event], bool]) -> str:
    """Return the condition of a variant over an event `e`."""
    if isinstance(fits, wording.AsksTo):
        return f"e.details->>'action' = '{fits.action}'"
    return CONDITIONS[fits]


def variant() -> str:
    """Return the expression that says which of several wordings fits an event `e`: its number, 0 for the first."""
    cases = [
        f"WHEN e.kind = '{kind.value}' AND ({condition(fits)}) THEN '{number}'"
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
