"""Separation of duties in a sentence: what one person may not have together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from roles.models import DutyReach
from roles.refusals import Violation
from roles.selectors.duties.clashes import Clash, Side
from roles.wording import exact

# What somebody has, by whether they are the reader and whether it is active.
_HAS = {
    (True, True): gettext_lazy("You hold {role} at {place}"),
    (True, False): gettext_lazy("You may activate {role} at {place}"),
    (False, True): gettext_lazy("{person} holds {role} at {place}"),
    (False, False): gettext_lazy("{person} may activate {role} at {place}"),
}
_KEEPS = {
    DutyReach.HOLD: gettext_lazy("{held}, and the rule “{rule}” keeps {role} apart from it."),
    DutyReach.ACTIVE: gettext_lazy("{held}, and the rule “{rule}” does not let {role} be active at the same time."),
}


class HasClashes(Protocol):
    """Facts that know with what a change would clash."""

    @property
    def clashes(self) -> Sequence[Clash]: ...


def kept_apart(facts: HasClashes) -> Violation | None:
    """One person may not have both (issue 7)."""
    return Violation("duties", told(facts.clashes)) if facts.clashes else None


def told(clashes: Sequence[Clash]) -> str:
    """Say what clashes: the first in full, then how many more people it concerns."""
    said = sentence(clashes[0])
    others = len({clash.person.pk for clash in clashes}) - 1
    if not others:
        return said
    more = ngettext("It concerns {count} more person.", "It concerns {count} more people.", others)
    return f"{said} {more.format(count=others)}"


def sentence(clash: Clash) -> str:
    """Say which role is in the way, where and how it is held, and by which rule."""
    words = {"held": has(clash, clash.other), "rule": clash.rule.name, "role": clash.one.role.name}
    return str(_KEEPS[DutyReach(clash.rule.reach)]).format(**words)


def has(clash: Clash, side: Side) -> str:
    """Say what somebody has: "Ines may activate Reader at Payments, through the group Ops, until 3 Jan 2027, 12:00"."""
    words = {"person": clash.person.name, "role": side.role.name, "place": side.resource.name}
    if not side.seen:
        return _("{person} has another role that it names, where you may not look").format(**words)
    return ", ".join([str(_HAS[clash.own, side.active]).format(**words), *how(side)])


def how(side: Side) -> list[str]:
    """Say through which group, from when on and until when somebody has a role; nothing of what needs no word."""
    said = []
    if side.group is not None:
        said.append(_("through the group {group}").format(group=side.group.name))
    if not side.begun:
        said.append(_("from {start} on").format(start=exact(side.starts_at)))
    if side.ends_at is not None:
        said.append(_("until {end}").format(end=exact(side.ends_at)))
    return said
