"""What a verifier of tickets says, or the reason why it said nothing that could be relied on."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from approvals.ticket_checks import MOST_WORDS
from roles.text import clean


@dataclass(frozen=True, slots=True)
class Said:
    """Yes or no, and what a person is told with it."""

    accepted: bool
    words: str = ""


class NoAnswer(Exception):  # noqa: N818 - what it is, not that it is an error
    """Nothing that could be relied on; the text ends the sentence "it cannot be: …"."""


def said(accepted: object, words: object = "") -> Said:
    """Take an answer apart; raises `NoAnswer` where it is neither yes nor no."""
    if not isinstance(accepted, bool) or not isinstance(words, str):
        raise NoAnswer(_("the ticket system gave an answer that cannot be read."))
    return Said(accepted, " ".join(clean(words).split())[:MOST_WORDS])
