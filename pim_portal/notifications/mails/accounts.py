"""Mails about how somebody signs in."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from pim_portal.notifications import recipients
from pim_portal.notifications.letters import accounts
from pim_portal.notifications.letters.accounts import account_change
from pim_portal.notifications.mails.mail import (
    Mail,
)

ACCOUNT_ENABLED = Mail(
    "account_enabled",
    recipients.person,
    account_change(
        _("You can sign in again"), _("Your account was enabled. What you activated before, activate anew.")
    ),
)

# To the new address and to the old one: whoever changed it unasked must not be the only one who hears of it.
EMAIL_CHANGED = Mail(
    "email_changed",
    recipients.person,
    account_change(
        _("Your e-mail address was changed"),
        _("The mails of PIM Portal that are for you come to this address from now on."),
    ),
    for_others=accounts.address_given_up,
    applies=recipients.address_changed,
    besides=recipients.former_address,
)

INVITATION = Mail("invitation", recipients.person, accounts.invitation)

RESET_TICKET = Mail("reset_ticket", recipients.person, accounts.reset_ticket)

FACTOR_ADDED = Mail(
    "factor_added",
    recipients.person,
    account_change(_("A second factor was added"), _("You have a new second factor to sign in with.")),
)

FACTOR_REMOVED = Mail(
    "factor_removed",
    recipients.person,
    account_change(_("A second factor was removed"), _("One of your second factors no longer works.")),
)

RECOVERY_CODES_MADE = Mail(
    "recovery_codes_made",
    recipients.person,
    account_change(
        _("New recovery codes were made"), _("You have new recovery codes. Older ones, if you had any, no longer work.")
    ),
)

RECOVERY_CODE_USED = Mail(
    "recovery_code_used",
    recipients.person,
    account_change(
        _("A recovery code was used"), _("One of your recovery codes was used in place of your authenticator app.")
    ),
)

PASSWORD_CHANGED = Mail(
    "password_changed",
    recipients.person,
    account_change(_("Your password was changed"), _("Your old password no longer works.")),
)

RESET_TICKET_USED = Mail(
    "reset_ticket_used",
    recipients.person,
    account_change(_("Your way back in was used"), _("Somebody used the link that an administrator made for you.")),
)
