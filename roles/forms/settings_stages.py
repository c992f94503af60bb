"""The stages of approval as they are typed: rows that are added, taken away and moved before anything is saved."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

from django.http import QueryDict

from roles.rules.settings import MAX_STAGES
from roles.selectors.settings import EffectiveSettings

# The buttons that change only the form: each shows it again.
FIND, ADD, REMOVE, EARLIER = "find", "add_stage", "remove_stage", "earlier_stage"
_ONLY_THE_FORM = (FIND, ADD, REMOVE, EARLIER)


@dataclass(frozen=True, slots=True)
class TypedStage:
    """One stage as it stands in the form."""

    quorum: str = "1"
    approvers: list[uuid.UUID] = field(default_factory=list)
    q: str = ""
    escalation: list[uuid.UUID] = field(default_factory=list)

    @property
    def chosen(self) -> list[uuid.UUID]:
        """Everybody who is named in it, each once."""
        return list(dict.fromkeys([*self.approvers, *self.escalation]))


def changes_only_the_form(query: QueryDict) -> bool:
    """Return whether a button was pressed that saves nothing."""
    return any(name in query for name in _ONLY_THE_FORM)


def stages_shown(settings: EffectiveSettings) -> list[TypedStage]:
    """Return the stages that a form starts with; one at least, so that there is something to fill in."""
    written = settings.written_stages or settings.stages
    rows = [TypedStage(str(one.quorum), sorted(one.approvers), "", sorted(one.escalation)) for one in written]
    return rows or [TypedStage()]


def stages_typed(query: QueryDict) -> list[TypedStage]:
    """Return the stages that came with a form, as its buttons change them."""
    count = _number(query.get("stage_count", ""), most=MAX_STAGES)
    rows = [
        TypedStage(
            query.get(f"quorum_{number}", ""),
            _ids(query, f"approvers_{number}"),
            query.get(f"q_{number}", ""),
            _ids(query, f"escalation_{number}"),
        )
        for number in range(1, count + 1)
    ]
    if ADD in query and count < MAX_STAGES:
        rows.append(TypedStage())
    if REMOVE in query and count > 1:
        del rows[_number(str(query[REMOVE]), most=count) - 1]
    if EARLIER in query and (at := _number(str(query[EARLIER]), most=count) - 1):
        rows[at - 1], rows[at] = rows[at], rows[at - 1]
    return rows


def _number(text: str, *, most: int) -> int:
    # Of thousands of digits Python makes no number.
    return min(max(int(text), 1), most) if text.isascii() and text.isdigit() and len(text) < 9 else 1


def _ids(query: QueryDict, name: str) -> list[uuid.UUID]:
    """Return what can be an id; whatever else was sent is refused by the field, as no choice of it."""
    found = []
    for value in query.getlist(name):
        try:
            found.append(uuid.UUID(value))
        except ValueError:
            continue
    return list(dict.fromkeys(found))
