"""The rules of saved profiles."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.utils.translation import gettext as _

from roles.refusals import Violation
from roles.rules.asked import reason_too_long
from roles.text import MAX_NAME, is_visible

MOST_PROFILES = 20  # of one person


@dataclass(frozen=True, slots=True)
class ProfileFacts:
    """What is known when somebody saves or renames a profile. `others`: how many they keep beside this one."""

    name: str
    taken: bool
    others: int
    items: int
    duration: timedelta
    reason: str


def nameless(facts: ProfileFacts) -> Violation | None:
    if not is_visible(facts.name):
        return Violation("nameless", _("Give the profile a name."), "name")
    return None


def name_too_long(facts: ProfileFacts) -> Violation | None:
    if len(facts.name) > MAX_NAME:
        sentence = _("The name is too long: at most {most} characters.")
        return Violation("name_too_long", sentence.format(most=MAX_NAME), "name")
    return None


def name_taken(facts: ProfileFacts) -> Violation | None:
    if facts.taken:
        return Violation("name_taken", _("You keep a profile of this name already. Choose another."), "name")
    return None


def too_many(facts: ProfileFacts) -> Violation | None:
    if facts.others >= MOST_PROFILES:
        sentence = _("You keep {most} profiles, as many as one may. Delete one first.")
        return Violation("too_many", sentence.format(most=MOST_PROFILES), "name")
    return None


def empty(facts: ProfileFacts) -> Violation | None:
    if facts.items == 0:
        return Violation("empty", _("You are eligible for none of these roles."))
    return None


def no_time(facts: ProfileFacts) -> Violation | None:
    if facts.duration <= timedelta(0):
        return Violation("no_time", _("Say for how long."), "duration")
    return None


KEEP = (nameless, name_too_long, name_taken, too_many, empty, no_time, reason_too_long)
