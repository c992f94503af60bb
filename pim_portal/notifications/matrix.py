"""The matrix of notifications: what the settings of a role say about who gets its mails (pim-behaviour.md §2.3).

Three acts (made eligible, made active, activates) times three audiences (administrators, whom it is about, who is
asked). Each cell keeps the usual recipients or not, names addresses besides, and may let through only what asks for
something.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from approvals.models import Request
from audit.models import Event
from pim_portal.notifications.recipients import request_of
from roles.models import Assignment, Audience, NotifiedAct, User
from roles.selectors.settings import Cell, EffectiveSettings, SettingsBook, settings_behind

OF_TYPE = {"eligible": NotifiedAct.ASSIGNED_ELIGIBLE, "active": NotifiedAct.ASSIGNED_ACTIVE}


@dataclass(frozen=True, slots=True)
class Row:
    """The three cells that an act has in the settings which rule it."""

    act: NotifiedAct
    settings: EffectiveSettings

    def cell(self, audience: Audience) -> Cell:
        return self.settings.cell(self.act, audience)


@dataclass(frozen=True, slots=True)
class Addressees:
    """Whom one mail goes to: people of the portal, and addresses that the settings name besides."""

    people: tuple[User, ...]
    addresses: tuple[str, ...] = ()


def row_of_assignment(
    assignment: Assignment, book: SettingsBook | None = None, *, settings: EffectiveSettings | None = None
) -> Row:
    """Return the row for an assignment; an activation obeys the settings at its eligibility's resource.

    `book` holds the settings of its role, `settings` are those that rule it, where they have been read already.
    """
    act = NotifiedAct.ACTIVATED if assignment.activated_from_id else OF_TYPE[assignment.type]
    if settings is not None:
        return Row(act, settings)
    ruled = assignment.activated_from or assignment
    return Row(act, (book or SettingsBook([ruled.role_id])).of(ruled.role, ruled.resource))


def row_of_request(request: Request, settings: EffectiveSettings | None = None) -> Row | None:
    """Return the row for a request: to extend or renew belongs to the type of the assignment that is meant.

    None for one that is about no assignment. `settings` are those that rule it, where they have been read already.
    """
    if request.assignment is None:
        return None
    act = OF_TYPE[request.about.type] if request.is_renewal else NotifiedAct.ACTIVATED
    return Row(act, settings or settings_behind(request.behind))


def row_of_event(event: Event) -> Row | None:
    """Return the row that an event belongs to; None where no settings of a role say anything about it."""
    settings = event.about(EffectiveSettings)
    if event.assignment_id is not None:
        return row_of_assignment(event.about(Assignment) or _assignment(event.assignment_id), settings=settings)
    if event.request_id is not None:
        # What is granted at once is not written down yet; its activation tells of it.
        request = request_of(event)
        return row_of_request(request, settings) if request is not None else None
    return None


def _assignment(pk: uuid.UUID) -> Assignment:
    rows = Assignment.objects.select_related("role", "resource", "activated_from__role", "activated_from__resource")
    return rows.get(pk=pk)


def named_for_assignments(row: Row) -> list[str]:
    """Return the addresses that hear besides of an assignment that is given: as its holder, or as an administrator."""
    cells = [row.cell(audience) for audience in (Audience.HOLDER, Audience.ADMINISTRATORS)]
    named = {address.casefold(): address for cell in cells if not cell.critical_only for address in cell.additional}
    return list(named.values())


def addressees(
    usual: Callable[[], Iterable[User]], *, row: Row | None, audience: Audience | None, asks: bool
) -> Addressees:
    """Return whom a mail goes to. `asks` says that it waits for something from who gets it: that is critical."""
    if row is None or audience is None:
        return Addressees(tuple(usual()))
    cell = row.cell(audience)
    if cell.critical_only and not asks:
        return Addressees(())
    people = tuple(usual()) if cell.default_recipients else ()
    told = {user.email_key for user in people}
    besides = {address.casefold(): address for address in cell.additional if address.casefold() not in told}
    return Addressees(people, tuple(besides.values()))
