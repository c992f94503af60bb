"""Settings as an event of the history tells them: what was before a change, and what after it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from django.utils.dateparse import parse_duration

from roles.models import Audience, NotifiedAct, SecondFactor
from roles.selectors.settings import BY_ADMINISTRATORS, RULES, Cell, EffectiveSettings, Stage


def as_told(now: EffectiveSettings, values: Mapping[str, Any], addresses: str | None) -> EffectiveSettings:
    """Return settings with the values that the history tells; what it does not tell is as it is now.

    `addresses` is its personal text of the additional recipients, a line a cell; None where it was erased.
    """
    rules = {name: _value(name, values[name]) for name in RULES if name in values}
    told: dict[str, Any] = dict(rules)
    if "stages" in values:
        told["written_stages"] = tuple(_stage(one) for one in values["stages"])
    told["cells"] = _cells(now, values.get("cells"), _lines(addresses) if addresses is not None else None)
    changed = replace(now, **told)
    stages = (changed.written_stages or BY_ADMINISTRATORS) if changed.approval_required else ()
    return replace(changed, stages=stages)


def _value(name: str, value: Any) -> Any:
    if name == "second_factor":
        return SecondFactor(value)
    if isinstance(value, str) and name != "ticket_pattern":
        return parse_duration(value) or timedelta()
    return value


def _stage(plain: list[Any]) -> Stage:
    number, quorum, approvers, *escalation = plain
    later = frozenset(map(uuid.UUID, escalation[0])) if escalation else frozenset[uuid.UUID]()
    return Stage(number, quorum, frozenset(map(uuid.UUID, approvers)), later)


def _lines(addresses: str) -> dict[str, tuple[str, ...]]:
    pairs = (line.partition(": ") for line in addresses.splitlines())
    return {cell: tuple(listed.split("; ")) for cell, _colon, listed in pairs if listed}


def _cells(
    now: EffectiveSettings, told: Mapping[str, Any] | None, addresses: Mapping[str, tuple[str, ...]] | None
) -> tuple[Cell, ...]:
    """Return the cells as told; without their addresses so many nameless ones, as only how many there were is kept."""
    known = {f"{one.act}/{one.audience}": one for one in now.cells}
    if told is None:
        if addresses is None:
            return now.cells
        return tuple(replace(_cell(key, known), additional=addresses.get(key, ())) for key in {**known, **addresses})
    cells = []
    for key, values in told.items():
        kept = known[key].additional if key in known else ()
        nameless = tuple(kept[: values["additional"]]) + ("?",) * (values["additional"] - len(kept))
        additional = addresses.get(key, ()) if addresses is not None else nameless
        cells.append(
            replace(
                _cell(key, known),
                default_recipients=values["default_recipients"],
                critical_only=values["critical_only"],
                additional=additional,
            )
        )
    return tuple(cells)


def _cell(key: str, known: Mapping[str, Cell]) -> Cell:
    act, _slash, audience = key.partition("/")
    return known.get(key) or Cell(NotifiedAct(act), Audience(audience))
