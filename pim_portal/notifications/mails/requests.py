"""Mails about what is asked and decided."""

from __future__ import annotations

from pim_portal.models import Topic
from pim_portal.notifications import recipients
from pim_portal.notifications.letters import deputies, due, requests
from pim_portal.notifications.mails.conditions import (
    escalation_waits,
    of_a_request,
    still_silent,
    still_to_decide,
    was_told,
)
from pim_portal.notifications.mails.mail import (
    APPROVERS,
    HOLDER,
    DueMail,
    Mail,
)

REQUEST_WAITS = Mail(
    "request_waits",
    recipients.approvers_to_ask,
    deputies.request_waits,
    still_to_decide,
    audience=APPROVERS,
    asks=True,
    chat=lambda event: bool(recipients.approvers_to_ask(event)),
)

REQUEST_RESULT = Mail(
    "request_result",
    recipients.requestors,
    requests.request_result,
    audience=HOLDER,
    topic=Topic.MY_REQUESTS,
    applies=of_a_request,
)

REQUEST_CLOSED = Mail(
    "request_closed",
    recipients.approvers_told,
    requests.request_result,
    was_told,
    audience=APPROVERS,
    topic=Topic.DECIDED,
    applies=of_a_request,
)

STILL_WAITS = DueMail(
    "still_waits", recipients.not_answered, due.still_waits, still_silent, audience=APPROVERS, asks=True
)

REQUEST_ESCALATED = DueMail(
    "request_escalated", recipients.escalated_to, due.request_escalated, escalation_waits, audience=APPROVERS, asks=True
)

DEPUTY_NAMED = Mail("deputy_named", recipients.both_of_a_deputy, deputies.deputy_named)

DEPUTY_ENDED = Mail("deputy_ended", recipients.both_of_a_deputy, deputies.deputy_ended)
