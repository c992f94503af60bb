"""Mails about who was given, activated, kept or lost a role."""

from __future__ import annotations

from pim_portal.models import Topic
from pim_portal.notifications import recipients
from pim_portal.notifications.letters import assignments, due, imports, news
from pim_portal.notifications.mails.conditions import (
    of_a_privileged_role,
    of_another_role,
    without_a_request,
)
from pim_portal.notifications.mails.mail import (
    ADMINISTRATORS,
    HOLDER,
    DueMail,
    Mail,
    always_applies,
)

ROLE_ACTIVATED = Mail(
    "role_activated",
    recipients.administrators,
    assignments.role_activated,
    audience=ADMINISTRATORS,
    topic=Topic.PRIVILEGED_ACTIVATIONS,
    applies=of_a_privileged_role,
    chat=lambda event: not recipients.in_an_emergency(event),
)

ROLE_PROLONGED = Mail(
    "role_prolonged",
    recipients.administrators,
    assignments.role_prolonged,
    audience=ADMINISTRATORS,
    topic=Topic.PRIVILEGED_ACTIVATIONS,
    applies=of_a_privileged_role,
    chat=always_applies,
)

# Told at once to those who asked for it, and to the addresses of the role's settings; to all others by the digest.
OTHER_ROLE_ACTIVATED = Mail(
    "other_role_activated",
    recipients.administrators_who_want_all,
    assignments.role_activated,
    audience=ADMINISTRATORS,
    topic=Topic.OTHER_ACTIVATIONS,
    applies=of_another_role,
)

ACTIVATION_ENDED = Mail(
    "activation_ended",
    recipients.person,
    assignments.activation_ended,
    audience=HOLDER,
    topic=Topic.MY_ROLES,
    for_others=news.role_no_longer_held,
)

ASSIGNMENT_ADDED = Mail(
    "assignment_added",
    recipients.holders,
    assignments.assignment_added,
    audience=HOLDER,
    topic=Topic.MY_ROLES,
    for_others=news.role_given,
)

# What was asked for is told as the result of the request; nobody hears of it twice.
ASSIGNMENT_RENEWED = Mail(
    "assignment_renewed",
    recipients.holders_unasked,
    assignments.assignment_added,
    audience=HOLDER,
    topic=Topic.MY_ROLES,
    for_others=news.role_given,
    applies=without_a_request,
)

ASSIGNMENT_KEPT = Mail(
    "assignment_kept",
    recipients.holders_unasked,
    assignments.kept,
    audience=HOLDER,
    topic=Topic.MY_ROLES,
    for_others=news.times_changed,
    applies=without_a_request,
)

ASSIGNMENT_CHANGED = Mail(
    "assignment_changed",
    recipients.holders,
    assignments.assignment_changed,
    audience=HOLDER,
    topic=Topic.MY_ROLES,
    for_others=news.times_changed,
)

ASSIGNMENT_ENDED = Mail(
    "assignment_ended",
    recipients.holders,
    assignments.assignment_ended,
    audience=HOLDER,
    topic=Topic.MY_ROLES,
    for_others=news.role_no_longer_held,
)

# One mail to each holder for all that an import brought them, in place of one for each assignment; and one to each
# address that the settings of the roles name besides (`subscriber.tell_many`).
ROLES_IMPORTED = Mail(
    "roles_imported",
    recipients.holders,
    imports.roles_imported,
    audience=HOLDER,
    topic=Topic.MY_ROLES,
    for_others=imports.roles_imported_for,
)

ROLE_GIVEN = Mail(
    "role_given", recipients.administrators, news.role_given, audience=ADMINISTRATORS, topic=Topic.ADMINISTERED
)

TIMES_CHANGED = Mail(
    "times_changed", recipients.administrators, news.times_changed, audience=ADMINISTRATORS, topic=Topic.ADMINISTERED
)

ROLE_EXPIRED = Mail(
    "role_expired",
    recipients.administrators_except_of_resources,
    news.role_no_longer_held,
    audience=ADMINISTRATORS,
    topic=Topic.ADMINISTERED,
)

ENDS_SOON = DueMail(
    "ends_soon",
    recipients.holders_of,
    due.ends_soon,
    audience=HOLDER,
    topic=Topic.MY_ENDS,
    for_others=due.ends_soon_for,
)

ENDS_SOON_FOR = DueMail(
    "ends_soon_for",
    recipients.administrators_over,
    due.ends_soon_for,
    audience=ADMINISTRATORS,
    topic=Topic.ADMINISTERED,
)

ACTIVATION_ENDS_SOON = DueMail(
    "activation_ends_soon",
    recipients.holders_of,
    due.activation_ends_soon,
    audience=HOLDER,
    topic=Topic.MY_ENDS,
    for_others=due.activation_ends_soon_for,
)
