"""The settings of roles at a place: the list, the page of one, and two side by side."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

from django.conf import settings as django_settings
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from audit.sentences import sentence
from roles.catalogue import Permission
from roles.guards import at_place
from roles.middleware import PortalRequest
from roles.models import Audience, Resource, Role
from roles.places import Frame
from roles.selectors.settings import EffectiveSettings, SettingsBook, portal_default, settings_of
from roles.selectors.settings_lists import (
    INHERITED,
    is_own,
    roles_with_settings,
    settings_at,
    source_of,
    standing_of,
)
from roles.selectors.settings_use import approvers_in, changes_at, gaps_in, names_of, use_of
from roles.settings_words import approvers_told, compared, mails_of, parts_of, told
from roles.tables.settings import SettingsFilter, SettingsTable
from roles.views.catalogue import found_at
from roles.views.places import PlaceList

MOST_CHANGES = 10


@method_decorator(at_place(), name="dispatch")
class SettingsList(PlaceList):
    """Every role of a place, and what rules it there."""

    current = "settings"
    table_class = SettingsTable
    filter_class = SettingsFilter
    template_name = "manage/settings.html"

    @cached_property
    def settings(self) -> dict[uuid.UUID, EffectiveSettings]:
        return settings_at(self.place)

    def rows(self) -> QuerySet[Any]:
        return roles_with_settings(self.place, self.settings)

    def dress(self, rows: Sequence[Any]) -> None:
        sources = Resource.objects.in_bulk({self.settings[one.pk].source_id for one in rows} - {None})
        for one in rows:
            one.settings_here = self.settings[one.pk]
            one.source = sources.get(one.settings_here.source_id)
            one.told = author_is_told(self.request, one.source)


def author_is_told(request: PortalRequest, source: Resource | None) -> bool:
    """Return whether a viewer may know who changed settings: not where they come from a place out of sight."""
    return source is None or request.authority.allows(Permission.SEE, source)


@require_safe
@at_place()
def role_settings(request: PortalRequest, place: Resource, pk: uuid.UUID) -> HttpResponse:
    """Show what rules a role at a place, where it comes from, what it does, and what was changed lately."""
    shown = found_at(place, pk)
    settings = settings_of(shown, place)
    names = names_of(approvers_in(settings))
    source = source_of(settings)
    frame = Frame(place, request.authority, "settings")
    activation, assignment, _mails = parts_of(settings, names)
    context = {
        "place": place,
        "frame": frame,
        "shown": shown,
        "settings": settings,
        "parts": [activation, assignment],
        "audiences": [one.label for one in Audience],
        "mails": mails_of(settings),
        "source": source,
        "standing": standing_of(settings, place),
        "inherited": standing_of(settings, place) == INHERITED,
        "own": is_own(settings, place),
        "author_told": author_is_told(request, source),
        "use": use_of(shown, place, request.now),
        "gaps": list(gap_sentences(settings, shown, place, request)),
        "changes": list(_changes(request, shown, place)),
        "may_see_audit": request.authority.allows(Permission.SEE_AUDIT, place),
    }
    return render(request, "manage/settings_of_role.html", context)


def gap_sentences(settings: EffectiveSettings, role: Role, place: Resource, request: PortalRequest) -> Iterator[str]:
    """Say for whom nobody could approve as things are now."""
    if settings.ticket_verified and not (django_settings.PIM_TICKET_URL or django_settings.PIM_TICKET_VERIFIER):
        yield _(
            "Nobody can activate this role now: its tickets must be checked, and the portal knows no ticket system."
        )
    for gap in gaps_in(settings, role=role, place=place, now=request.now):
        numbers = {"stage": gap.stage, "quorum": gap.quorum, "people": gap.people}
        if gap.person is None:
            yield _(
                "Nobody can be approved now: in stage {stage} the number of people who must agree is {quorum}, "
                "and only {people} could."
            ).format(**numbers)
        elif gap.people:
            yield _(
                "For {name} too few others could approve in stage {stage}: {people}, where {quorum} must agree."
            ).format(name=gap.person.name, **numbers)
        else:
            yield _("For {name} nobody else could approve in stage {stage}.").format(name=gap.person.name, **numbers)


def _changes(request: PortalRequest, role: Role, place: Resource) -> Iterator[dict[str, Any]]:
    """Tell the changes made here lately, with old and new, to whoever may read the history here."""
    if not request.authority.allows(Permission.SEE_AUDIT, place):
        return
    events = list(changes_at(role, place)[:MOST_CHANGES])
    sides = [(one.details.get("old", {}), one.details.get("new", {})) for one in events]
    names = names_of({pk for old, new in sides for pk in approvers_told(old, new)})
    for event, (old, new) in zip(events, sides, strict=True):
        yield {"what": sentence(event), "at": event.occurred_at, "rows": told(old, new, names)}


ABOVE, PORTAL = "above", "default"


@require_safe
@at_place()
def difference(request: PortalRequest, place: Resource, pk: uuid.UUID) -> HttpResponse:
    """Set the settings of a role beside another's here, or beside what would rule without its own."""
    shown = found_at(place, pk)
    settings = settings_of(shown, place)
    own = is_own(settings, place)
    wanted = request.GET.get("with") or (ABOVE if own else PORTAL)
    other, label = _other(shown, place, wanted)
    roles = roles_with_settings(place, {}).exclude(pk=shown.pk)
    only = bool(request.GET.get("only"))
    parts = compared(settings, other, names_of(approvers_in(settings, other)))
    if only:
        narrowed = [(title, [row for row in rows if row.differs]) for title, rows in parts]
        parts = [(title, rows) for title, rows in narrowed if rows]
    context = {
        "place": place,
        "frame": Frame(place, request.authority, "settings"),
        "shown": shown,
        "own": own,
        "wanted": wanted,
        "beside": label,
        "only": only,
        "roles": roles,
        "parts": parts,
        "count": sum(row.differs for _title, rows in parts for row in rows),
    }
    return render(request, "manage/settings_difference.html", context)


def _other(role: Role, place: Resource, wanted: str) -> tuple[EffectiveSettings, str]:
    if wanted == PORTAL:
        return portal_default(role), _("Portal’s default")
    if wanted == ABOVE:
        return SettingsBook([role.pk]).without_own(role, place), _("Without its own")
    try:
        other = found_at(place, uuid.UUID(wanted))
    except ValueError:
        raise Http404 from None
    return settings_of(other, place), other.name
