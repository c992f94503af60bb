"""Mails about what concerns the portal as a whole."""

from __future__ import annotations

from pim_portal.models import Topic
from pim_portal.notifications import recipients
from pim_portal.notifications.letters import imports, news, portal
from pim_portal.notifications.mails.conditions import not_alone
from pim_portal.notifications.mails.mail import (
    Mail,
    always_applies,
)

SETTINGS_CHANGED = Mail(
    "settings_changed",
    recipients.administrators_of_settings,
    news.settings_changed,
    topic=Topic.ADMINISTERED,
    applies=not_alone,
    chat=always_applies,
)

# Nobody can quiet it.
SETTINGS_CHANGED_ALONE = Mail(
    "settings_changed_alone", recipients.everybody_over_settings, news.settings_changed_alone, chat=always_applies
)

ACCESS_ELEVATED = Mail("access_elevated", recipients.watchers, portal.access_elevated, chat=always_applies)

IMPORTED = Mail("imported", recipients.administrators_there, imports.imported, topic=Topic.ADMINISTERED)

AUDIT_TIP = Mail("audit_tip", recipients.auditors, portal.audit_tip)
