"""Insights: what a world could do without, with the evidence. Each is a list that its number leads to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import Count, Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from audit.kinds import Realm
from pim_portal.overview.selectors import lists
from roles import tallies
from roles.ids import GLOBAL_ADMINISTRATOR
from roles.models import Assignment
from roles.tallies import Lately


@dataclass(frozen=True, slots=True)
class Insight:
    """One thing to look at: how many, in which list, what it means and what to do."""

    listed: str
    count: int
    title: str | Promise
    evidence: str | Promise
    advice: str | Promise
    role: str = ""


def _count(now: datetime, places: list[str]) -> dict[str, int]:
    below = lists.below(lists.paths_now(places))
    standing = Q(type="active")
    # All of these have no end; of a few of what is in effect it is asked whether it is.
    counts = (
        lists.in_effect(below, now)
        .filter(ends_at=None)
        .aggregate(
            standing=Count("pk", filter=standing),
            privileged=Count("pk", filter=standing & Q(role__privileged=True)),
            globally=Count("pk", filter=standing & Q(role=GLOBAL_ADMINISTRATOR)),
            forever=Count("pk", filter=Q(type="eligible")),
        )
    )
    return counts | {lists.UNUSED: lists.shown(lists.UNUSED, below, now).count()}


INSIGHTS: Final = tallies.Count("insights", _count)


def insights_lately(realm: Realm, paths: lists.Paths, now: datetime) -> Lately[list[Insight]]:
    """Return what there is to look at in a world, at and below these paths; what is well is left out.

    Counted lately, where there is much.
    """
    here = Assignment.objects.open().filter(lists.below(paths))
    counted = INSIGHTS.lately(lists.keys_of(paths), among=here, now=now)
    counts = counted.found | {lists.SMALLER: len(lists.smaller_lately(paths, now).found)}
    return Lately(_told(counts, directory=realm == Realm.DIRECTORY), counted.at)


def _told(counts: dict[str, int], *, directory: bool) -> list[Insight]:
    found = [
        Insight(
            "permanent",
            counts["globally"] if directory else 0,
            _("Permanent Global Administrators"),
            _("They hold everything, always, whether they need it or not."),
            _("Keep two accounts for emergencies; make everybody else eligible."),
            role=str(GLOBAL_ADMINISTRATOR),
        ),
        Insight(
            "standing-privileged",
            counts["privileged"],
            _("Standing access to privileged roles"),
            _("Permanently active: whoever takes over such an account has the role at once."),
            _("Make them eligible, so that the role is active only while it is needed."),
        ),
        Insight(
            "permanent",
            counts["standing"],
            _("Standing access in all"),
            _("Permanently active assignments, privileged or not."),
            _("Make eligible whom you can, remove the rest, or start a review of it."),
        ),
        Insight(
            lists.UNUSED,
            counts[lists.UNUSED],
            _("Eligible and not used for 90 days"),
            _("Eligible for at least 90 days, and never activated in the last 90."),
            _("Ask whether it is still needed; remove it if it is not."),
        ),
        Insight(
            lists.SMALLER,
            counts[lists.SMALLER],
            _("A smaller role in use would do"),
            _("Held for at least 90 days; all that was done under it in the last 90, a smaller role in use allows."),
            _("Give the smaller role instead, unless the larger one is needed outside the portal."),
        ),
        Insight(
            "eligible-forever",
            counts["forever"],
            _("Eligible without an end"),
            _("Nobody is asked again whether they still need it."),
            _("Give eligibilities an end, or review them regularly."),
        ),
    ]
    return [one for one in found if one.count]
