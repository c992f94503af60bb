"""Roles and their settings, in words."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_lazy

from audit.kinds import Kind
from audit.wordings.wording import (
    Variants,
    Wording,
    default_settings,
)

WORDINGS: Final[dict[Kind, Wording]] = {
    Kind.ROLE_ADDED: Wording(
        gettext_lazy("{actor} added the role {role}."),
        gettext_lazy("{actor} tried to add the role {role}"),
    ),
    Kind.ROLE_CHANGED: Wording(
        gettext_lazy("{actor} changed the role {role}."),
        gettext_lazy("{actor} tried to change the role {role}"),
    ),
    Kind.ROLE_RETIRED: Wording(
        gettext_lazy("{actor} retired the role {role}."),
        gettext_lazy("{actor} tried to retire the role {role}"),
    ),
    Kind.ROLE_RESTORED: Wording(
        gettext_lazy("{actor} restored the role {role}."),
        gettext_lazy("{actor} tried to restore the role {role}"),
    ),
    Kind.ROLE_SETTINGS_CHANGED: Wording(
        gettext_lazy("{actor} changed the settings of {role} at {resource}."),
        gettext_lazy("{actor} tried to change the settings of {role} at {resource}"),
    ),
    Kind.ROLE_SETTINGS_CHANGED_ALONE: Wording(
        gettext_lazy("{actor} loosened the settings of {role} at {resource} alone: nobody else had answered."),
        gettext_lazy("{actor} tried to loosen the settings of {role} at {resource} alone"),
    ),
    Kind.ROLE_SETTINGS_RESET: Wording(
        gettext_lazy("{actor} let the settings of {role} at {resource} come from above again."),
        gettext_lazy("{actor} tried to let the settings of {role} at {resource} come from above again"),
    ),
}

VARIANTS: Final[dict[Kind, Variants]] = {
    Kind.ROLE_SETTINGS_CHANGED: [
        (
            default_settings,
            Wording(
                gettext_lazy("{actor} changed the default settings of {role}."),
                gettext_lazy("{actor} tried to change the default settings of {role}"),
            ),
        )
    ],
}
