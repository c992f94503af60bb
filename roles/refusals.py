"""Refusals: rules are sentences, and all that are broken are told at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from audit.kinds import Realm
from audit.recording import Ids


@dataclass(frozen=True, slots=True)
class Violation:
    """A broken rule: a stable code for programs, a sentence for people, and the form field that it speaks of."""

    code: str
    message: str | Promise
    field: str = ""


@dataclass(frozen=True, slots=True)
class About:
    """What an attempt was about, for the history."""

    ids: Ids = field(default_factory=Ids)
    realm: Realm = Realm.DIRECTORY
    text: dict[str, str] = field(default_factory=dict)


class Refused(Exception):  # noqa: N818 - a refusal is an answer of the domain, not an error
    """A service refuses: `violations` holds every broken rule, at least one."""

    def __init__(self, violations: Iterable[Violation], *, about: About | None = None) -> None:
        self.violations = tuple(violations)
        self.about = about or About()
        super().__init__("; ".join(violation.code for violation in self.violations))

    @property
    def codes(self) -> set[str]:
        return {violation.code for violation in self.violations}

    @property
    def sentence(self) -> str:
        """All sentences, one after the other."""
        return " ".join(str(violation.message) for violation in self.violations)


class Busy(Refused):
    """Somebody else held what was to be changed for too long: nothing was changed, and trying again is no mistake.

    Told to people as any refusal; it is no verdict, so whatever goes on by itself must not take it for one.
    """

    def __init__(self) -> None:
        super().__init__([Violation("busy", _BUSY)])


_BUSY = _("Somebody else is changing this at the moment. Nothing was changed here: try again in a few seconds.")

Facts = TypeVar("Facts")
Rule = Callable[[Facts], Violation | None]


def broken(rules: Iterable[Rule[Facts]], facts: Facts) -> list[Violation]:
    """Return what these facts break, in the order of the rules."""
    return [violation for rule in rules if (violation := rule(facts)) is not None]


def require(rules: Iterable[Rule[Facts]], facts: Facts, *, about: About | None = None) -> None:
    """Raise one `Refused` with all violations, if there are any."""
    if violations := broken(rules, facts):
        raise Refused(violations, about=about)
