"""The kinds of events in the groups that are kept for the same time; see `audit.models.Retention`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from audit.kinds import Kind

LEAST_KEPT: Final = timedelta(days=90)  # nothing younger ever goes; the triggers of the tables say so as well


class Group(TextChoices):
    """Kinds that are kept for the same time."""

    ASSIGNMENTS = "assignments", _("Assignments and activations")
    REQUESTS = "requests", _("Requests, deputies and emergencies")
    REVIEWS = "reviews", _("Access reviews")
    SETTINGS = "settings", _("Roles, resources and settings")
    PEOPLE = "people", _("People and groups")
    SIGNING_IN = "signing_in", _("Signing in and second factors")
    ALERTS = "alerts", _("Alerts and incidents")
    EXCHANGE = "exchange", _("Imports, exports, mails and web hooks")


# By what a kind is called before its dot.
_GROUPS: Final[dict[str, Group]] = {
    "assignment": Group.ASSIGNMENTS,
    "activation": Group.ASSIGNMENTS,
    "request": Group.REQUESTS,
    "deputy": Group.REQUESTS,
    "emergency": Group.REQUESTS,
    "review": Group.REVIEWS,
    "role": Group.SETTINGS,
    "role_settings": Group.SETTINGS,
    "duty_rule": Group.SETTINGS,
    "resource": Group.SETTINGS,
    "access": Group.SETTINGS,
    "person": Group.PEOPLE,
    "group": Group.PEOPLE,
    "session": Group.SIGNING_IN,
    "factor": Group.SIGNING_IN,
    "password": Group.SIGNING_IN,
    "reset": Group.SIGNING_IN,
    "incident": Group.ALERTS,
    "alert": Group.ALERTS,
    "alert_settings": Group.ALERTS,
    "alerts": Group.ALERTS,
    "import": Group.EXCHANGE,
    "export": Group.EXCHANGE,
    "mail": Group.EXCHANGE,
    "web_hook": Group.EXCHANGE,
}
# What the history says of itself is read by every verification; how the portal began is one event.
FOR_EVER: Final = frozenset({"history", "portal"})

# The alert about settings that were loosened may look back for a year.
LEAST: Final[dict[Group, timedelta]] = dict.fromkeys(Group, LEAST_KEPT) | {Group.SETTINGS: timedelta(days=366)}


def group_of(kind: Kind) -> Group | None:
    """Return the group of a kind; none where such events are kept for ever. Raises LookupError for an unknown one."""
    family = kind.value.partition(".")[0]
    return None if family in FOR_EVER else _GROUPS[family]


def kinds_in(groups: Iterable[Group]) -> list[Kind]:
    """Return the kinds of these groups, in the order of `Kind`."""
    wanted = set(groups)
    return [kind for kind in Kind if group_of(kind) in wanted]
