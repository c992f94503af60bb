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
    Kind.SECRETS_ENCRYPTED: Wording(
        gettext_lazy("{actor} encrypted stored secrets with the present secret key."),
        gettext_lazy("{actor} tried to encrypt stored secrets with the present secret key"),
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
    Kind.WEB_HOOK_ADDED: Wording(
        gettext_lazy("{actor} added the web hook {hook}."),
        gettext_lazy("{actor} tried to add the web hook {hook}"),
    ),
    Kind.WEB_HOOK_CHANGED: Wording(
        gettext_lazy("{actor} changed the web hook {hook}."),
        gettext_lazy("{actor} tried to change the web hook {hook}"),
    ),
    Kind.WEB_HOOK_PAUSED: Wording(
        gettext_lazy("{actor} paused the web hook {hook}."),
        gettext_lazy("{actor} tried to pause the web hook {hook}"),
    ),
    Kind.WEB_HOOK_RESUMED: Wording(
        gettext_lazy("{actor} resumed the web hook {hook}."),
        gettext_lazy("{actor} tried to resume the web hook {hook}"),
    ),
    Kind.WEB_HOOK_TESTED: Wording(
        gettext_lazy("{actor} had a test sent to the web hook {hook}."),
        gettext_lazy("{actor} tried to have a test sent to the web hook {hook}"),
    ),
    Kind.WEB_HOOK_SECRET_CHANGED: Wording(
        gettext_lazy("{actor} gave the web hook {hook} a new secret."),
        gettext_lazy("{actor} tried to give the web hook {hook} a new secret"),
    ),
    Kind.WEB_HOOK_REPLAYED: Wording(
        gettext_lazy("{actor} had the history sent to the web hook {hook} again."),
        gettext_lazy("{actor} tried to have the history sent to the web hook {hook} again"),
    ),
    Kind.WEB_HOOK_DELETED: Wording(
        gettext_lazy("{actor} deleted the web hook {hook}."),
        gettext_lazy("{actor} tried to delete the web hook {hook}"),
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
    Kind.RETENTION_CHANGED: Wording(
        gettext_lazy("{actor} changed how long events are kept in the audit history."),
        gettext_lazy("{actor} tried to change how long events are kept in the audit history"),
    ),
    Kind.HISTORY_ARCHIVED: Wording(
        gettext_lazy("{actor} moved old events of the audit history into an archive."),
        gettext_lazy("{actor} tried to move old events of the audit history into an archive"),
    ),
    Kind.ARCHIVE_TAKEN: Wording(
        gettext_lazy("{actor} downloaded an archive of the audit history."),
        gettext_lazy("{actor} tried to download an archive of the audit history"),
    ),
}
