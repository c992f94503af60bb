"""People and groups, in words."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_lazy

from audit.kinds import Kind
from audit.wordings.wording import (
    Variants,
    Wording,
    own,
)

WORDINGS: Final[dict[Kind, Wording]] = {
    Kind.PERSON_ADDED: Wording(
        gettext_lazy("{actor} added {target}."),
        gettext_lazy("{actor} tried to add {target}"),
    ),
    Kind.PERSON_INVITED: Wording(
        gettext_lazy("{actor} invited {target}."),
        gettext_lazy("{actor} tried to invite {target}"),
    ),
    Kind.PERSON_JOINED: Wording(
        gettext_lazy("{target} accepted the invitation."),
        gettext_lazy("{actor} tried to accept an invitation"),
    ),
    Kind.PERSON_CHANGED: Wording(
        gettext_lazy("{actor} changed what the portal knows of {target}."),
        gettext_lazy("{actor} tried to change what the portal knows of {target}"),
    ),
    Kind.PERSON_DISABLED: Wording(
        gettext_lazy("{actor} disabled {target}."),
        gettext_lazy("{actor} tried to disable {target}"),
    ),
    Kind.PERSON_ENABLED: Wording(
        gettext_lazy("{actor} enabled {target}."),
        gettext_lazy("{actor} tried to enable {target}"),
    ),
    Kind.GROUP_ADDED: Wording(
        gettext_lazy("{actor} added the group {target}."),
        gettext_lazy("{actor} tried to add the group {target}"),
    ),
    Kind.GROUP_CHANGED: Wording(
        gettext_lazy("{actor} changed the group {target}."),
        gettext_lazy("{actor} tried to change the group {target}"),
    ),
    Kind.GROUP_DISABLED: Wording(
        gettext_lazy("{actor} disabled the group {target}."),
        gettext_lazy("{actor} tried to disable the group {target}"),
    ),
    Kind.GROUP_ENABLED: Wording(
        gettext_lazy("{actor} enabled the group {target}."),
        gettext_lazy("{actor} tried to enable the group {target}"),
    ),
}

VARIANTS: Final[dict[Kind, Variants]] = {
    Kind.PERSON_CHANGED: [
        (
            own,
            Wording(
                gettext_lazy("{actor} changed their account."),
                gettext_lazy("{actor} tried to change their account"),
            ),
        )
    ],
}
