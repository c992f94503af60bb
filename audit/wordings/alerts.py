"""Alerts, in words."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_lazy

from audit.kinds import Kind
from audit.models import Event
from audit.wordings.wording import Variants, Wording, in_sql


@in_sql("e.target_id IS NOT NULL AND e.role_id IS NOT NULL")
def _about_somebody(event: Event) -> bool:
    return event.target_id is not None and event.role_id is not None


@in_sql("e.role_id IS NOT NULL")
def _about_a_role(event: Event) -> bool:
    return event.role_id is not None


WORDINGS: Final[dict[Kind, Wording]] = {
    Kind.INCIDENT_RAISED: Wording(
        gettext_lazy("The alert “{alert}” found an incident at {resource}."),
        gettext_lazy("{actor} tried to look for incidents at {resource}"),
    ),
    Kind.INCIDENT_RESOLVED: Wording(
        gettext_lazy("An incident of the alert “{alert}” at {resource} is over."),
        gettext_lazy("{actor} tried to resolve an incident at {resource}"),
    ),
    Kind.INCIDENT_DISMISSED: Wording(
        gettext_lazy("{actor} dismissed an incident of the alert “{alert}” at {resource}."),
        gettext_lazy("{actor} tried to dismiss incidents at {resource}"),
    ),
    Kind.INCIDENT_FIXED: Wording(
        gettext_lazy("{actor} fixed an incident of the alert “{alert}” at {resource}."),
        gettext_lazy("{actor} tried to fix an incident at {resource}"),
    ),
    Kind.ALERT_RAISED: Wording(
        gettext_lazy("The alert “{alert}” found something new at {resource}."),
        gettext_lazy("{actor} tried to raise an alert at {resource}"),
    ),
    Kind.ALERT_RESOLVED: Wording(
        gettext_lazy("Incidents of the alert “{alert}” at {resource} are over."),
        gettext_lazy("{actor} tried to resolve an alert at {resource}"),
    ),
    Kind.ALERT_SETTINGS_CHANGED: Wording(
        gettext_lazy("{actor} changed the settings of the alert “{alert}” at {resource}."),
        gettext_lazy("{actor} tried to change the settings of an alert at {resource}"),
    ),
    Kind.ALERTS_SCANNED: Wording(
        gettext_lazy("{actor} had {resource} scanned for incidents."),
        gettext_lazy("{actor} tried to have {resource} scanned for incidents"),
    ),
}

VARIANTS: Final[dict[Kind, Variants]] = {
    Kind.INCIDENT_RAISED: [
        (
            _about_somebody,
            Wording(
                gettext_lazy("The alert “{alert}” found {target} with {role} at {resource}."),
                gettext_lazy("{actor} tried to look for incidents at {resource}"),
            ),
        ),
        (
            _about_a_role,
            Wording(
                gettext_lazy("The alert “{alert}” found the role {role} at {resource}."),
                gettext_lazy("{actor} tried to look for incidents at {resource}"),
            ),
        ),
    ],
    Kind.INCIDENT_RESOLVED: [
        (
            _about_somebody,
            Wording(
                gettext_lazy("The alert “{alert}” no longer finds {target} with {role} at {resource}."),
                gettext_lazy("{actor} tried to resolve an incident at {resource}"),
            ),
        ),
        (
            _about_a_role,
            Wording(
                gettext_lazy("The alert “{alert}” no longer finds the role {role} at {resource}."),
                gettext_lazy("{actor} tried to resolve an incident at {resource}"),
            ),
        ),
    ],
}
