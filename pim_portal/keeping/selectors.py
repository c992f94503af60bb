"""What the page about keeping shows, and whose archives somebody may read."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.db.models import QuerySet

from audit.groups import LEAST, Group, kinds_in
from audit.models import Archive
from pim_portal.activity.selectors.sight import whole_worlds
from pim_portal.keeping.staying import retention
from roles.authority import Authority


@dataclass(frozen=True, slots=True)
class Kept:
    """A group of kinds and for how long it is kept; `days` none: for ever."""

    group: Group
    days: int | None
    least: int
    kinds: list[str]


def kept() -> list[Kept]:
    """Return every group, in their order."""
    days = retention()
    return [
        Kept(group, days[group], LEAST[group].days, [str(kind.label) for kind in kinds_in([group])]) for group in Group
    ]


def archives_seen_by(authority: Authority) -> QuerySet[Archive]:
    """Return the archives of the worlds whose whole history this person may read."""
    return Archive.objects.filter(realm__in=whole_worlds(authority)).order_by("-number")


def archive_seen_by(authority: Authority, event: uuid.UUID) -> Archive | None:
    """Return an archive by the event that tells of it; none for whoever may not read it."""
    return archives_seen_by(authority).filter(event=event).first()


def may_see_keeping(authority: Authority) -> bool:
    """Return whether somebody may read the whole history of a world."""
    return bool(whole_worlds(authority))
