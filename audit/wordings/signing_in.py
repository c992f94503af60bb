"""How people sign in, in words."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_lazy

from audit.kinds import Kind
from audit.wordings.wording import (
    Variants,
    Wording,
    for_somebody_else,
    own,
)

WORDINGS: Final[dict[Kind, Wording]] = {
    Kind.SIGNED_IN: Wording(
        gettext_lazy("{actor} signed in."),
        gettext_lazy("{actor} tried to sign in"),
    ),
    Kind.SIGNED_OUT: Wording(
        gettext_lazy("{actor} signed out."),
        gettext_lazy("{actor} tried to sign out"),
    ),
    Kind.SIGN_IN_LOCKED: Wording(
        gettext_lazy("Sign-in as {target} was locked for a while after too many wrong passwords."),
        gettext_lazy("{actor} tried to lock the sign-in of {target}"),
    ),
    Kind.SECOND_FACTOR_GIVEN: Wording(
        gettext_lazy("{actor} gave a second factor."),
        gettext_lazy("{actor} tried to give a second factor"),
    ),
    Kind.FACTOR_ADDED: Wording(
        gettext_lazy("{actor} added a second factor."),
        gettext_lazy("{actor} tried to add a second factor"),
    ),
    Kind.FACTOR_REMOVED: Wording(
        gettext_lazy("{actor} removed a second factor."),
        gettext_lazy("{actor} tried to remove a second factor"),
    ),
    Kind.RECOVERY_CODES_MADE: Wording(
        gettext_lazy("{actor} made new recovery codes."),
        gettext_lazy("{actor} tried to make new recovery codes"),
    ),
    Kind.RECOVERY_CODE_USED: Wording(
        gettext_lazy("{actor} used a recovery code as second factor."),
        gettext_lazy("{actor} tried to use a recovery code"),
    ),
    Kind.PASSWORD_CHANGED: Wording(
        gettext_lazy("{actor} changed the password of {target}."),
        gettext_lazy("{actor} tried to change the password of {target}"),
    ),
    Kind.PASSWORD_REHASHED: Wording(
        gettext_lazy("The password of {target} is stored in a newer form; it stayed the same."),
        gettext_lazy("{actor} tried to store the password of {target} in a newer form"),
    ),
    Kind.RESET_TICKET_GIVEN: Wording(
        gettext_lazy("{actor} gave {target} a reset ticket."),
        gettext_lazy("{actor} tried to give {target} a reset ticket"),
    ),
    Kind.RESET_TICKET_USED: Wording(
        gettext_lazy("{target} used a reset ticket."),
        gettext_lazy("{actor} tried to use a reset ticket"),
    ),
    Kind.SESSIONS_ENDED: Wording(
        gettext_lazy("{actor} ended the other sessions of {target}."),
        gettext_lazy("{actor} tried to end the other sessions of {target}"),
    ),
}

VARIANTS: Final[dict[Kind, Variants]] = {
    Kind.SIGNED_IN: [
        (
            for_somebody_else,
            Wording(
                gettext_lazy("{actor} signed in as {target}."),
                gettext_lazy("{actor} tried to sign in as {target}"),
            ),
        )
    ],
    Kind.FACTOR_REMOVED: [
        (
            for_somebody_else,
            Wording(
                gettext_lazy("{actor} removed the second factor of {target}."),
                gettext_lazy("{actor} tried to remove the second factor of {target}"),
            ),
        )
    ],
    Kind.PASSWORD_CHANGED: [
        (
            own,
            Wording(
                gettext_lazy("{actor} changed their password."),
                gettext_lazy("{actor} tried to change their password"),
            ),
        )
    ],
    Kind.SESSIONS_ENDED: [
        (
            own,
            Wording(
                gettext_lazy("{actor} ended all their other sessions."),
                gettext_lazy("{actor} tried to end all their other sessions"),
            ),
        )
    ],
}
