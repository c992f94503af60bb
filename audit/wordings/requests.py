"""Asking and deciding, in words."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_lazy

from audit.kinds import Kind
from audit.wordings.wording import (
    Variants,
    Wording,
    asks_to,
    by_a_deputy,
    own,
)

WORDINGS: Final[dict[Kind, Wording]] = {
    Kind.REQUEST_MADE: Wording(
        gettext_lazy("{actor} asked for {role} at {resource}."),
        gettext_lazy("{actor} tried to ask for {role} at {resource}"),
    ),
    Kind.REQUEST_APPROVED: Wording(
        gettext_lazy("{actor} approved the request of {target} for {role} at {resource}."),
        gettext_lazy("{actor} tried to approve the request of {target} for {role} at {resource}"),
    ),
    Kind.REQUEST_DENIED: Wording(
        gettext_lazy("{actor} denied the request of {target} for {role} at {resource}."),
        gettext_lazy("{actor} tried to deny the request of {target} for {role} at {resource}"),
    ),
    Kind.REQUEST_CANCELLED: Wording(
        gettext_lazy("{actor} cancelled the request of {target} for {role} at {resource}."),
        gettext_lazy("{actor} tried to cancel the request of {target} for {role} at {resource}"),
    ),
    Kind.REQUEST_LAPSED: Wording(
        gettext_lazy("The request of {target} for {role} at {resource} lapsed."),
        gettext_lazy("{actor} tried to let the request of {target} for {role} at {resource} lapse"),
    ),
    Kind.REQUEST_FAILED: Wording(
        gettext_lazy("The request of {target} for {role} at {resource} could not be granted."),
        gettext_lazy("{actor} tried to close the request of {target} for {role} at {resource}"),
    ),
    Kind.DEPUTY_NAMED: Wording(
        gettext_lazy("{actor} named {target} as a deputy, to decide requests in their place."),
        gettext_lazy("{actor} tried to name a deputy"),
    ),
    Kind.DEPUTY_ENDED: Wording(
        gettext_lazy("{actor} ended that {target} decides requests in place of {instead}."),
        gettext_lazy("{actor} tried to end what a deputy may do"),
    ),
}

VARIANTS: Final[dict[Kind, Variants]] = {
    Kind.REQUEST_APPROVED: [
        (
            asks_to("change_settings"),
            Wording(
                gettext_lazy(
                    "{actor} approved the change of the settings of {role} at {resource} that {target} proposed."
                ),
                gettext_lazy("{actor} tried to approve a change of the settings of {role} at {resource} by {target}"),
            ),
        ),
        (
            by_a_deputy,
            Wording(
                gettext_lazy(
                    "{actor} approved, in place of {instead}, the request of {target} for {role} at {resource}."
                ),
                gettext_lazy("{actor} tried to approve the request of {target} for {role} at {resource}"),
            ),
        ),
    ],
    Kind.REQUEST_DENIED: [
        (
            asks_to("change_settings"),
            Wording(
                gettext_lazy(
                    "{actor} denied the change of the settings of {role} at {resource} that {target} proposed."
                ),
                gettext_lazy(
                    "{actor} tried to deny the change of the settings of {role} at {resource} that {target} proposed"
                ),
            ),
        ),
        (
            by_a_deputy,
            Wording(
                gettext_lazy(
                    "{actor} denied, in place of {instead}, the request of {target} for {role} at {resource}."
                ),
                gettext_lazy("{actor} tried to deny the request of {target} for {role} at {resource}"),
            ),
        ),
    ],
    Kind.REQUEST_MADE: [
        (
            asks_to("change_settings"),
            Wording(
                gettext_lazy("{actor} proposed to change the settings of {role} at {resource}."),
                gettext_lazy("{actor} tried to propose other settings of {role} at {resource}"),
            ),
        ),
        (
            asks_to("extend"),
            Wording(
                gettext_lazy("{actor} asked to extend {role} at {resource}."),
                gettext_lazy("{actor} tried to ask to extend {role} at {resource}"),
            ),
        ),
        (
            asks_to("renew"),
            Wording(
                gettext_lazy("{actor} asked to renew {role} at {resource}."),
                gettext_lazy("{actor} tried to ask to renew {role} at {resource}"),
            ),
        ),
        (
            asks_to("prolong"),
            Wording(
                gettext_lazy("{actor} asked to prolong {role} at {resource}."),
                gettext_lazy("{actor} tried to ask to prolong {role} at {resource}"),
            ),
        ),
    ],
    Kind.REQUEST_LAPSED: [
        (
            asks_to("change_settings"),
            Wording(
                gettext_lazy("The change of the settings of {role} at {resource} that {target} proposed lapsed."),
                gettext_lazy("{actor} tried to let a change of the settings of {role} at {resource} by {target} lapse"),
            ),
        ),
    ],
    Kind.REQUEST_FAILED: [
        (
            asks_to("change_settings"),
            Wording(
                gettext_lazy("The change of the settings of {role} at {resource} by {target} could not be made."),
                gettext_lazy(
                    "{actor} tried to close the change of the settings of {role} at {resource} that {target} proposed"
                ),
            ),
        ),
    ],
    Kind.REQUEST_CANCELLED: [
        (
            asks_to("change_settings"),
            Wording(
                gettext_lazy(
                    "{actor} cancelled the change of the settings of {role} at {resource} that {target} proposed."
                ),
                gettext_lazy("{actor} tried to cancel a change of the settings of {role} at {resource} by {target}"),
            ),
        ),
        (
            own,
            Wording(
                gettext_lazy("{actor} cancelled their request for {role} at {resource}."),
                gettext_lazy("{actor} tried to cancel their request for {role} at {resource}"),
            ),
        ),
    ],
}
