"""What the retention of a group may be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext as _

from audit.groups import LEAST, Group
from roles.refusals import Violation

MOST_DAYS: Final = 36_500  # a hundred years; longer is for ever


@dataclass(frozen=True, slots=True)
class RetentionFacts:
    """For how many days each group shall be kept, and is; none: for ever."""

    wanted: Mapping[Group, int | None]
    present: Mapping[Group, int | None]
    reason: str

    @property
    def changed(self) -> list[Group]:
        return [group for group in Group if self.wanted.get(group) != self.present.get(group)]

    @property
    def shortened(self) -> list[Group]:
        """The groups of which events may go sooner than before."""
        return [group for group in self.changed if _sooner(self.wanted.get(group), self.present.get(group))]


def _sooner(wanted: int | None, present: int | None) -> bool:
    return wanted is not None and (present is None or wanted < present)


def unchanged(facts: RetentionFacts) -> Violation | None:
    if not facts.changed:
        return Violation("unchanged", _("Nothing would change."))
    return None


def too_short(group: Group, facts: RetentionFacts) -> Violation | None:
    days = facts.wanted.get(group)
    least = LEAST[group].days
    if days is not None and not least <= days <= MOST_DAYS:
        sentence = _("Write a number of days from {least} to {most}, or nothing to keep them for ever.")
        return Violation("too_short", sentence.format(least=least, most=f"{MOST_DAYS:,}"), group.value)
    return None
