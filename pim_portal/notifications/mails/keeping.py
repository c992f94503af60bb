"""Mails to those who read the history: that it is kept for another time, or goes elsewhere. Nobody can quiet them."""

from __future__ import annotations

from pim_portal.notifications import recipients
from pim_portal.notifications.letters import keeping
from pim_portal.notifications.mails.mail import Mail, always_applies

RETENTION_CHANGED = Mail("retention_changed", recipients.auditors, keeping.retention_changed, chat=always_applies)

HISTORY_ARCHIVED = Mail("history_archived", recipients.auditors, keeping.history_archived)

WEB_HOOK_SET = Mail("web_hook_set", recipients.auditors, keeping.web_hook_set, chat=always_applies)
