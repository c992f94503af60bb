"""The weekly digest: what happened where its reader administers, what ends soon, what waits for them.

Each part holds only what the reader may see at the moment of sending, by the roles held then (DESIGN.md §5, rule 12).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from approvals.models import Action
from approvals.selectors.emergencies import emergencies_awaiting
from approvals.selectors.requests import requests_awaiting
from audit.kinds import Kind, Outcome
from audit.models import Event, EventQuerySet
from audit.sentences import said
from pim_portal.models import Notification
from pim_portal.notifications.letters.letter import Letter, Section, named
from reviews.selectors.places import reviews_for
from roles import wording
from roles.authority import Authority
from roles.catalogue import Permission
from roles.ids import DIRECTORY
from roles.models import Assignment, AssignmentType, Resource, User
from roles.selectors.sight import within_sight

Line = tuple[str, str]

WEEK: Final = timedelta(days=7)
AHEAD: Final = timedelta(days=14)
LONGEST: Final = 20  # lines of one part; the rest is a number

GIVEN: Final = (Kind.ASSIGNMENT_ADDED, Kind.ASSIGNMENT_RENEWED)
ENDED: Final = (Kind.ASSIGNMENT_REMOVED, Kind.ASSIGNMENT_EXPIRED, Kind.ASSIGNMENT_ENDED)
SETTINGS: Final = (Kind.ROLE_SETTINGS_CHANGED, Kind.ROLE_SETTINGS_RESET)


def compose(notification: Notification, now: datetime, *, gathered: tuple[Line, ...]) -> Letter | None:
    """Return the digest of the week before what fell due; None when there is nothing to tell."""
    if notification.due is None or notification.recipient_id is None:
        raise LookupError("A digest is due, and for somebody.")
    authority = Authority(User.objects.get(pk=notification.recipient_id), now)
    ends_at = notification.due.at
    week = _seen(authority).filter(occurred_at__gte=ends_at - WEEK, occurred_at__lt=ends_at)
    parts = (
        (_("Waits for you"), _clipped(list(_waiting(authority)))),
        (_("Last week"), list(_figures(week))),
        (_("Activated last week"), _activations(week)),
        (_("Ends within two weeks"), _ending(authority)),
        (_("Kept for this digest"), _clipped(list(gathered))),
    )
    sections = tuple(Section(title, tuple(lines)) for title, lines in parts if lines)
    if not sections:
        return None
    # A week begins on a Monday in UTC, for everybody: in zones of their own it would begin on a Sunday for some.
    first, last = wording.day(ends_at - WEEK, UTC), wording.day(ends_at - timedelta(days=1), UTC)
    return Letter(
        subject=_("Your week: {first} to {last}").format(first=first, last=last),
        sentences=(_("Here is what you may see today of the places that you administer."),)
        if len(sections) > bool(gathered)
        else (_("These mails were kept for the digest, as you chose."),),
        facts=(),
        sections=sections,
        button=_("Open PIM Portal"),
        path=reverse("overview"),
        because=_("You administer roles, or chose to read some mails in the digest."),
    )


def _seen(authority: Authority) -> EventQuerySet:
    """Return what was done where this person may read the history."""
    places = Resource.objects.filter(within_sight(authority, Permission.SEE_AUDIT, at=""))
    return Event.objects.filter(outcome=Outcome.DONE, resource_id__in=list(places.values_list("pk", flat=True)))


def _figures(week: EventQuerySet) -> Iterator[Line]:
    started = week.filter(kind=Kind.ACTIVATION_STARTED)
    people = started.order_by().values("target_id").distinct().count()
    given = week.filter(kind__in=GIVEN)
    counts = (
        (_("People who activated a role"), people),
        (_("Activations"), started.count()),
        (_("Of these in an emergency, without approval"), week.filter(kind=Kind.EMERGENCY_STARTED).count()),
        (_("Requests denied"), week.filter(kind=Kind.REQUEST_DENIED).count()),
        (_("Assignments given"), given.count()),
        (_("Of these without an end"), given.filter(Q(details__ends_at=None)).count()),
        (_("Assignments ended"), week.filter(kind__in=ENDED).count()),
        (_("Changes of role settings"), week.filter(kind__in=SETTINGS).count()),
    )
    yield from ((label, str(count)) for label, count in counts if count)


def _activations(week: EventQuerySet) -> list[Line]:
    rows = week.filter(kind=Kind.ACTIVATION_STARTED).select_related("text").order_by("-occurred_at", "-id")
    lines = [
        (_("{name}: {role}").format(name=said(row, "target"), role=_role_of(row)), wording.exact(row.occurred_at))
        for row in rows[:LONGEST]
    ]
    return _with_the_rest(lines, rows)


def _role_of(event: Event) -> str:
    if event.resource_id == DIRECTORY:
        return said(event, "role")
    return _("{role} at {resource}").format(role=said(event, "role"), resource=said(event, "resource"))


def _ending(authority: Authority) -> list[Line]:
    now = authority.now
    rows = Assignment.objects.in_effect(now).filter(
        within_sight(authority), activated_from=None, ends_at__gt=now, ends_at__lte=now + AHEAD
    )
    found = rows.select_related("principal", "role", "resource").order_by("ends_at", "pk")
    lines = [(_who_and_what(row), wording.exact(row.ends_at)) for row in found[:LONGEST] if row.ends_at is not None]
    return _with_the_rest(lines, found)


def _who_and_what(row: Assignment) -> str:
    words = {"name": row.principal.name, "role": named(row.role, row.resource)}
    if row.type == AssignmentType.ELIGIBLE:
        return _("{name}: eligible for {role}").format(**words)
    return _("{name}: {role}").format(**words)


def _waiting(authority: Authority) -> Iterator[Line]:
    for review in emergencies_awaiting(authority):
        asked = review.request
        words = {"name": asked.principal.name, "role": named(asked.role, asked.resource)}
        by = _("review by {moment}").format(moment=wording.exact(review.due_at))
        yield _("EMERGENCY: {name} activated {role} without approval").format(**words), by
    for request in requests_awaiting(authority):
        words = {"name": request.principal.name, "role": named(request.role, request.resource)}
        by = _("decide by {moment}").format(moment=wording.exact(request.lapses_at))
        asks, proposes = _("{name} asks for {role}"), _("{name} proposes other settings of {role}")
        sentence = proposes if request.action == Action.CHANGE_SETTINGS else asks
        yield sentence.format(**words), by
    yield from _to_review(authority)


def _to_review(authority: Authority) -> Iterator[Line]:
    for work in reviews_for(authority.user.pk, authority.now):
        if work.waiting:
            review = work.stage.instance.review
            words = {"review": review.name, "place": review.resource.name, "count": work.waiting}
            sentence = ngettext(
                "Access review {review} at {place}: {count} assignment",
                "Access review {review} at {place}: {count} assignments",
                work.waiting,
            )
            yield sentence.format(**words), _("review by {moment}").format(moment=wording.exact(work.stage.ends_at))


def _clipped(lines: list[Line]) -> list[Line]:
    return [*lines[:LONGEST], *_and_more(len(lines) - LONGEST)]


def _with_the_rest(lines: list[Line], rows: QuerySet[Any]) -> list[Line]:
    """Return the lines of the first of these rows, and how many more there are: of many none is read but these."""
    return lines if len(lines) < LONGEST else [*lines, *_and_more(rows.count() - LONGEST)]


def _and_more(more: int) -> Iterator[Line]:
    if more > 0:
        yield ngettext("and {count} more", "and {count} more", more).format(count=more), ""
