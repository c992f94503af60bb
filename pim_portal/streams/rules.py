"""What a web hook must be like, and what may be done with it."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, urlsplit

from django.utils.translation import gettext as _

from audit.kinds import Kind
from pim_portal.models.streams import LONGEST_URL
from roles.outbound.addresses import is_public
from roles.refusals import Violation
from roles.text import is_visible

MOST_HOOKS: Final = 20
LONGEST_NAME: Final = 100  # characters


@dataclass(frozen=True, slots=True)
class HookFacts:
    """What a web hook shall be. `others` are the names of the others; `allow_private`: whether it may lead inside."""

    name: str
    url: str
    kinds: tuple[str, ...]
    others: frozenset[str]
    allow_private: bool

    @property
    def parts(self) -> SplitResult | None:
        """The address taken apart; none where it cannot be read."""
        try:
            parts = urlsplit(self.url)
            parts.port  # noqa: B018  (raises when it is no number)
        except ValueError:
            return None
        return parts


def name_missing(facts: HookFacts) -> Violation | None:
    if not is_visible(facts.name) or len(facts.name) > LONGEST_NAME:
        sentence = _("Give it a name of at most {limit} characters.").format(limit=LONGEST_NAME)
        return Violation("name_missing", sentence, "name")
    return None


def name_taken(facts: HookFacts) -> Violation | None:
    if facts.name.casefold() in {name.casefold() for name in facts.others}:
        return Violation("name_taken", _("There is a web hook of this name."), "name")
    return None


def too_many(facts: HookFacts) -> Violation | None:
    if len(facts.others) >= MOST_HOOKS:
        return Violation("too_many", _("There are {limit} web hooks at most.").format(limit=MOST_HOOKS))
    return None


def address_unreadable(facts: HookFacts) -> Violation | None:
    parts = facts.parts
    unreadable = parts is None or parts.scheme not in {"http", "https"} or not parts.hostname
    # What http.client would refuse, or send as something else.
    odd = not facts.url.isascii() or any(character.isspace() or not character.isprintable() for character in facts.url)
    if unreadable or odd or len(facts.url) > LONGEST_URL:
        sentence = _("Write a whole address, like https://siem.example.org/pim.")
        return Violation("address_unreadable", sentence, "url")
    return None


def address_with_user(facts: HookFacts) -> Violation | None:
    parts = facts.parts
    if parts is not None and (parts.username is not None or parts.fragment):
        sentence = _("Leave user, password and fragment out: each message is signed instead.")
        return Violation("address_with_user", sentence, "url")
    return None


def address_in_clear_text(facts: HookFacts) -> Violation | None:
    parts = facts.parts
    if parts is None or parts.scheme != "http":
        return None
    if facts.allow_private and parts.hostname in {"127.0.0.1", "localhost", "::1"}:
        return None
    return Violation("address_in_clear_text", _("The address must begin with https://."), "url")


def address_inside(facts: HookFacts) -> Violation | None:
    """A literal address is told at once, a name whenever it is connected to."""
    host = facts.parts.hostname if facts.parts else None
    if facts.allow_private or not host:
        return None
    try:
        inside = not is_public(ipaddress.ip_address(host))
    except ValueError:
        inside = host == "localhost" or host.endswith((".localhost", ".internal", ".local"))
    if inside:
        sentence = _("This address lies inside, where web hooks may not lead (PIM_WEB_HOOKS_ALLOW_PRIVATE).")
        return Violation("address_inside", sentence, "url")
    return None


def kinds_unknown(facts: HookFacts) -> Violation | None:
    if not set(facts.kinds) <= set(Kind.values):
        return Violation("kinds_unknown", _("There is no such kind of event."), "kinds")
    return None


TO_BE = (name_missing, name_taken, address_unreadable, address_with_user, address_in_clear_text, address_inside)
CHANGE: Final = (*TO_BE, kinds_unknown)
ADD: Final = (*CHANGE, too_many)


@dataclass(frozen=True, slots=True)
class ReplayFacts:
    """From which leaf a web hook shall be sent everything again, and up to where it has everything."""

    leaf: int
    position: int


def replay_before_the_first(facts: ReplayFacts) -> Violation | None:
    if facts.leaf < 1:
        return Violation("no_such_leaf", _("Leaves are numbered from 1."), "leaf")
    return None


def replay_would_skip(facts: ReplayFacts) -> Violation | None:
    if facts.leaf > facts.position + 1:
        sentence = _("It was delivered up to leaf {leaf}: what comes after that would be left out.")
        return Violation("would_skip", sentence.format(leaf=facts.position), "leaf")
    return None


REPLAY: Final = (replay_before_the_first, replay_would_skip)
