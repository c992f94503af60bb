"""What concerns the portal as a whole, in words."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_lazy

from audit.kinds import Kind
from audit.wordings.wording import (
    Wording,
)

WORDINGS: Final[dict[Kind, Wording]] = {
    Kind.PORTAL_SET_UP: Wording(
        gettext_lazy("The portal was set up, with {target} as its first administrator."),
        gettext_lazy("{actor} tried to set up the portal"),
    ),
    Kind.CHECKLIST_STEP_DISMISSED: Wording(
        gettext_lazy("{actor} dismissed a step of the set-up checklist."),
        gettext_lazy("{actor} tried to dismiss a step of the set-up checklist"),
    ),
    Kind.IMPORTED: Wording(
        gettext_lazy("{actor} applied an import."),
        gettext_lazy("{actor} tried to apply an import"),
    ),
    Kind.EXPORTED: Wording(
        gettext_lazy("{actor} exported everything that they may see."),
        gettext_lazy("{actor} tried to export everything that they may see"),
    ),
    Kind.NOTIFICATIONS_CHOSEN: Wording(
        gettext_lazy("{actor} chose which mails they get."),
        gettext_lazy("{actor} tried to choose which mails they get"),
    ),
    Kind.MAILS_SENT_AGAIN: Wording(
        gettext_lazy("{actor} had mails sent again that were set aside."),
        gettext_lazy("{actor} tried to send mails again that were set aside"),
    ),
    Kind.HISTORY_VERIFIED: Wording(
        gettext_lazy("{actor} verified the audit history: nothing was changed."),
        gettext_lazy("{actor} tried to verify the audit history"),
    ),
    Kind.HISTORY_ANCHORED: Wording(
        gettext_lazy("The tip of the audit history was sent to the auditors."),
        gettext_lazy("{actor} tried to send the tip of the audit history to the auditors"),
    ),
    Kind.TEXT_ERASED: Wording(
        gettext_lazy("{actor} erased personal text from the audit history."),
        gettext_lazy("{actor} tried to erase personal text from the audit history"),
    ),
    Kind.AUDIT_KEY_MADE: Wording(
        gettext_lazy("{actor} made a new key that signs the audit history."),
        gettext_lazy("{actor} tried to make a new key that signs the audit history"),
    ),
}
