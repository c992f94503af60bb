"""Telling of many ends at once: the rows that `subscriber.tell` writes for each of them, with a few queries for all.

The mails and whom they go to are those of the catalogue; here stands only how these people are found for many.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property, partial
from typing import Final

from audit.kinds import Kind, Outcome, Realm
from audit.models import Event
from pim_portal.models import Notification
from pim_portal.notifications import recipients
from pim_portal.notifications.catalogue import MAILS
from pim_portal.notifications.mails.mail import nowhere_else
from pim_portal.notifications.matrix import Row, addressees, row_of_assignment
from pim_portal.notifications.rows import Cause, rows_for
from roles.models import Assignment, Resource, User
from roles.selectors.settings import SettingsBook


def tells_of_an_end(event: Event) -> bool:
    """Whether such events can be told of together: an assignment ended, nobody asked for it, and only people hear."""
    mails = MAILS.get(Kind(event.kind), ())
    found = all(one.to in _FOUND and one.besides is nowhere_else and one.chat is None for one in mails)
    done = event.outcome == Outcome.DONE and event.assignment_id is not None and event.request_id is None
    return bool(mails) and found and done


def rows_for_ends(events: Sequence[Event]) -> Iterator[Notification]:
    """Yield the rows, unsaved, of every mail that these ends call for (`tells_of_an_end`)."""
    told = Told(events)
    for event in events:
        for mail in MAILS[Kind(event.kind)]:
            if mail.applies(event):
                usual = partial(_FOUND[mail.to], told, event)
                row = told.rules[event.assignment_id]
                yield from rows_for(
                    mail.name, Cause(event=event), addressees(usual, row=row, audience=mail.audience, asks=mail.asks)
                )


class Told:
    """Who is to hear of some ends, as it stands when the last of them was over."""

    def __init__(self, events: Sequence[Event]) -> None:
        self._events = events
        self._now = max(event.occurred_at for event in events)
        self._targets = {recipients.named_by_event(event.target_id) for event in events}
        self._administrators: dict[uuid.UUID, list[User]] = {}

    @cached_property
    def rules(self) -> dict[uuid.UUID | None, Row]:
        """What the settings say of each of the assignments that ended."""
        related = ("role", "resource", "activated_from__role", "activated_from__resource")
        rows = Assignment.objects.filter(pk__in={event.assignment_id for event in self._events})
        found = list(rows.select_related(*related))
        book = SettingsBook((one.activated_from or one).role_id for one in found)
        return {one.pk: row_of_assignment(one, book) for one in found}

    def person(self, event: Event) -> Iterable[User]:
        """Return the person that the event is about; see `recipients.person`."""
        user = self._people.get(recipients.named_by_event(event.target_id))
        return [user] if user else []

    def holders(self, event: Event) -> Iterable[User]:
        """Return the person, or the members of the group; see `recipients.holders`."""
        members = self._members.get(recipients.named_by_event(event.target_id), set())
        return self.person(event) or [user for pk, user in self._people.items() if pk in members]

    def administrators_except_of_resources(self, event: Event) -> Iterable[User]:
        """Return who administers the place; see `recipients.administrators_except_of_resources`."""
        if event.realm == Realm.RESOURCE or event.resource_id is None or recipients.in_an_emergency(event):
            return []
        if event.resource_id not in self._administrators:
            place = self._places[event.resource_id]
            self._administrators[event.resource_id] = recipients.administrators_of(place, self._now)
        there = self._administrators[event.resource_id]
        return [user for user in there if user.pk not in (event.target_id, event.actor_id)]

    @cached_property
    def _members(self) -> dict[uuid.UUID, set[uuid.UUID]]:
        rows = Assignment.objects.memberships(self._now).filter(resource__group__in=self._targets)
        members: dict[uuid.UUID, set[uuid.UUID]] = {}
        for group_id, person_id in rows.order_by().values_list("resource__group", "principal"):
            members.setdefault(group_id, set()).add(person_id)
        return members

    @cached_property
    def _people(self) -> dict[uuid.UUID, User]:
        """Everybody whom the ends are about, directly or as a member of a group, by name."""
        ids = self._targets.union(*self._members.values())
        return {user.pk: user for user in User.objects.filter(pk__in=ids).order_by("name_key", "pk")}

    @cached_property
    def _places(self) -> dict[uuid.UUID, Resource]:
        ids = {event.resource_id for event in self._events if event.resource_id}
        return {place.pk: place for place in Resource.objects.filter(pk__in=ids)}


# How each kind of recipients is found for many events.
_FOUND: Final[dict[recipients.Recipients, Callable[[Told, Event], Iterable[User]]]] = {
    recipients.person: Told.person,
    recipients.holders: Told.holders,
    recipients.administrators_except_of_resources: Told.administrators_except_of_resources,
}
