"""What is said of a smaller role that would do: the reason, in sentences."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from roles.rules.smaller import Smaller
from roles.selectors.smaller import Hint

MOST_LINES = 4


@dataclass(frozen=True, slots=True)
class Said:
    """One smaller role: why it would do, and where to go for it."""

    sentence: str
    url: str
    link: str


def said_of(hint: Hint | None, lead: Callable[[Smaller], tuple[str, str]]) -> list[Said]:
    """Say what there is to say; `lead` answers the address and the words of the link to a smaller role."""
    return [Said(reason_of(one, hint), *lead(one)) for one in hint.smaller] if hint else []


def reason_of(one: Smaller, hint: Hint) -> str:
    """Say why a smaller role would do."""
    words = {"smaller": one.name, "role": hint.role.name, "place": hint.place.name, "count": one.acts}
    if not one.acts:
        lines = ", ".join(one.lines[:MOST_LINES])
        words["lines"] = (
            _("{lines} and {more} more").format(lines=lines, more=len(one.lines) - MOST_LINES)
            if len(one.lines) > MOST_LINES
            else lines
        )
        sentence = _("{smaller} is in use here and allows only a part of what {role} allows: {lines}.")
        return sentence.format(**words)
    sentence = ngettext(
        "{smaller} is in use here, and allows the one thing that was done in the portal as {role} at {place} in the "
        "last 90 days.",
        "{smaller} is in use here, and allows all of the {count} things that were done in the portal as {role} at "
        "{place} in the last 90 days.",
        one.acts,
    )
    return sentence.format(**words)


def evidence_of(one: Smaller) -> str:
    """Say what speaks for a smaller role in a list of assignments."""
    sentence = ngettext(
        "It allows the one thing done under this assignment in the last 90 days.",
        "It allows all of the {count} things done under this assignment in the last 90 days.",
        one.acts,
    )
    return sentence.format(count=one.acts)
