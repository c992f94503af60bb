"""Mails about alerts: one for all that one look found, to each who administers where something was found."""

from __future__ import annotations

from audit.models import Event
from pim_portal.alerts.definitions import BY_KEY
from pim_portal.models import Severity, Topic
from pim_portal.notifications.letters import alerts
from pim_portal.notifications.mails.mail import Mail, always_applies


def is_high(event: Event) -> bool:
    """Whether somebody should act now: nobody can quiet such a mail."""
    return BY_KEY[event.details["alert"]].severity == Severity.HIGH


def is_lower(event: Event) -> bool:
    return not is_high(event)


HIGH_ALERT_RAISED = Mail(
    "high_alert_raised", alerts.concerned, alerts.alert_raised, applies=is_high, chat=always_applies
)
ALERT_RAISED = Mail("alert_raised", alerts.concerned, alerts.alert_raised, topic=Topic.ALERTS, applies=is_lower)
ALERT_RESOLVED = Mail("alert_resolved", alerts.concerned, alerts.alert_resolved, topic=Topic.ALERTS)
