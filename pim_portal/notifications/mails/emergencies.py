"""Mails about emergencies: nobody can quiet that somebody did not wait for approval, nor that a review is overdue."""

from __future__ import annotations

from pim_portal.models import Topic
from pim_portal.notifications import recipients
from pim_portal.notifications.letters import emergencies
from pim_portal.notifications.mails.mail import DueMail, Mail, always_applies

# No audience: no cell of the settings can keep it from anybody.
EMERGENCY_STARTED = Mail(
    "emergency_started",
    recipients.told_of_emergency,
    emergencies.emergency_started,
    asks=True,
    chat=always_applies,
)
EMERGENCY_OVERDUE = DueMail(
    "emergency_overdue", recipients.reviewers_of_emergency, emergencies.review_overdue, asks=True
)
EMERGENCY_RESULT = Mail(
    "emergency_result", recipients.requestors, emergencies.emergency_reviewed, topic=Topic.MY_REQUESTS
)
EMERGENCY_CLOSED = Mail(
    "emergency_closed",
    recipients.others_told_of_emergency,
    emergencies.emergency_reviewed,
    topic=Topic.DECIDED,
    chat=always_applies,
)
