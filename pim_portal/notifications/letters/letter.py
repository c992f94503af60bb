"""A letter: what a mail says, as plain values, and the words that many letters share."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from django.utils.translation import gettext as _

from audit.models import Event
from pim_portal.models import Notification
from pim_portal.notifications.recipients import named_by_event
from roles import wording
from roles.ids import DIRECTORY
from roles.models import Assignment, Principal, Resource, Role, User


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a longer mail: its title, and lines of a fact and what is said of it."""

    title: str
    lines: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail to one person. `path` is where its one button leads, `quote` what somebody wrote, with its label,
    `note` what is said below the button."""

    subject: str
    sentences: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    button: str
    path: str
    because: str
    quote: tuple[str, str] | None = None
    note: str = ""
    sections: tuple[Section, ...] = ()


Compose = Callable[[Notification, datetime], Letter | None]


def named(role: Role, resource: Resource) -> str:
    """Say which role is meant: by its name in the directory, elsewhere with its place."""
    if resource.pk == DIRECTORY:
        return role.name
    return _("{role} at {resource}").format(role=role.name, resource=resource.name)


def the_role(role: Role, resource: Resource) -> str:
    """Say the same inside a sentence: "the Owner role at Production"; a name that ends so already says it itself."""
    says_role = role.name.casefold().endswith(" role")
    if resource.pk == DIRECTORY:
        sentence = _("the {role}") if says_role else _("the {role} role")
    else:
        sentence = _("the {role} at {resource}") if says_role else _("the {role} role at {resource}")
    return sentence.format(role=role.name, resource=resource.name)


def event_of(notification: Notification) -> Event:
    assert notification.event is not None  # noqa: S101 - every mail of the catalogue tells of an event
    return notification.event


def assignment_of(notification: Notification) -> Assignment:
    rows = Assignment.objects.select_related("principal", "role", "resource")
    return rows.get(pk=named_by_event(event_of(notification).assignment_id))


def span_of(row: Assignment) -> list[tuple[str, str]]:
    end = wording.exact(row.ends_at) if row.ends_at else _("Permanent")
    return [(_("Start"), wording.exact(row.starts_at)), (_("End"), end)]


def unlinked(text: str) -> str:
    """Return `text` so that mail programs make no link of it: nobody's words become a thing to click."""
    return re.sub(r"(?<=\S)([.:/@])(?=\S)", "\\1\u200b", text)


def without_links(letter: Letter) -> Letter:
    """Return the letter so that no name in it becomes a link: an owner of a place or a group names it as they like.

    A name that is only the name of a host stays as it is, and can be copied. The quote is unlinked by who quotes.
    """

    def plain(text: str) -> str:
        return re.sub(r"(?i)(?<=\w:)(?=//)|(?<=\bwww)(?=\.)", "\u200b", text)

    def lines(pairs: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
        return tuple((plain(label), plain(value)) for label, value in pairs)

    return replace(
        letter,
        subject=plain(letter.subject),
        sentences=tuple(map(plain, letter.sentences)),
        facts=lines(letter.facts),
        sections=tuple(Section(one.title, lines(one.lines)) for one in letter.sections),
        quote=(plain(letter.quote[0]), letter.quote[1]) if letter.quote else None,
        because=plain(letter.because),
        note=plain(letter.note),
    )


def with_job(person: User) -> str:
    return ", ".join(part for part in (person.name, person.job_title, person.department) if part)


def actor_of(notification: Notification) -> str:
    """Say who did it; the text of the event may have been erased since."""
    event = event_of(notification)
    if event.actor_id == notification.recipient_id:
        return _("Yourself")
    actor = Principal.objects.filter(pk=event.actor_id).first() if event.actor_id else None
    return actor.name if actor else event.text.fields.get("actor", _("PIM Portal"))
