"""Roles given, activated, changed and ended, in words."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_lazy

from audit.kinds import Kind
from audit.wordings.wording import (
    Variants,
    Wording,
    eligible,
    for_somebody_else,
    planned,
    planned_for_somebody_else,
)

WORDINGS: Final[dict[Kind, Wording]] = {
    Kind.ASSIGNMENT_ADDED: Wording(
        gettext_lazy("{actor} assigned {role} at {resource} to {target}."),
        gettext_lazy("{actor} tried to assign {role} at {resource} to {target}"),
    ),
    Kind.ASSIGNMENT_CHANGED: Wording(
        gettext_lazy("{actor} changed the assignment of {role} at {resource} to {target}."),
        gettext_lazy("{actor} tried to change the assignment of {role} at {resource} to {target}"),
    ),
    Kind.ASSIGNMENT_EXTENDED: Wording(
        gettext_lazy("{actor} extended the assignment of {role} at {resource} to {target}."),
        gettext_lazy("{actor} tried to extend the assignment of {role} at {resource} to {target}"),
    ),
    Kind.ASSIGNMENT_RENEWED: Wording(
        gettext_lazy("{actor} renewed the assignment of {role} at {resource} to {target}."),
        gettext_lazy("{actor} tried to renew the assignment of {role} at {resource} to {target}"),
    ),
    Kind.ASSIGNMENT_REMOVED: Wording(
        gettext_lazy("{actor} removed the assignment of {role} at {resource} from {target}."),
        gettext_lazy("{actor} tried to remove the assignment of {role} at {resource} from {target}"),
    ),
    Kind.ASSIGNMENT_EXPIRED: Wording(
        gettext_lazy("The assignment of {role} at {resource} to {target} ended: its time was over."),
        gettext_lazy("{actor} tried to end the assignment of {role} at {resource} to {target}"),
    ),
    Kind.ASSIGNMENT_ENDED: Wording(
        gettext_lazy("The assignment of {role} at {resource} to {target} ended."),
        gettext_lazy("{actor} tried to end the assignment of {role} at {resource} to {target}"),
    ),
    Kind.ACTIVATION_STARTED: Wording(
        gettext_lazy("{actor} activated {role} at {resource}."),
        gettext_lazy("{actor} tried to activate {role} at {resource}"),
    ),
    Kind.ACTIVATION_PROLONGED: Wording(
        gettext_lazy("{actor} prolonged {role} at {resource}."),
        gettext_lazy("{actor} tried to prolong {role} at {resource}"),
    ),
    Kind.ACTIVATION_DEACTIVATED: Wording(
        gettext_lazy("{actor} deactivated {role} at {resource}."),
        gettext_lazy("{actor} tried to deactivate {role} at {resource}"),
    ),
    Kind.ACTIVATION_EXPIRED: Wording(
        gettext_lazy("{role} at {resource} is no longer active for {target}: its time was over."),
        gettext_lazy("{actor} tried to end {role} at {resource} for {target}"),
    ),
    Kind.ACTIVATION_ENDED: Wording(
        gettext_lazy("{role} at {resource} is no longer active for {target}."),
        gettext_lazy("{actor} tried to end {role} at {resource} for {target}"),
    ),
}

VARIANTS: Final[dict[Kind, Variants]] = {
    Kind.ASSIGNMENT_ADDED: [
        (
            eligible,
            Wording(
                gettext_lazy("{actor} made {target} eligible for {role} at {resource}."),
                gettext_lazy("{actor} tried to make {target} eligible for {role} at {resource}"),
            ),
        )
    ],
    Kind.ASSIGNMENT_EXPIRED: [
        (
            eligible,
            Wording(
                gettext_lazy("{target} is no longer eligible for {role} at {resource}: the time was over."),
                gettext_lazy("{actor} tried to end the eligibility of {target} for {role} at {resource}"),
            ),
        )
    ],
    Kind.ASSIGNMENT_REMOVED: [
        (
            eligible,
            Wording(
                gettext_lazy("{actor} removed the eligibility of {target} for {role} at {resource}."),
                gettext_lazy("{actor} tried to remove the eligibility of {target} for {role} at {resource}"),
            ),
        )
    ],
    Kind.ACTIVATION_STARTED: [
        (
            planned_for_somebody_else,
            Wording(
                gettext_lazy("{role} at {resource} was planned for {target}, approved by {actor}."),
                gettext_lazy("{actor} tried to plan {role} at {resource} for {target}"),
            ),
        ),
        (
            planned,
            Wording(
                gettext_lazy("{actor} planned to have {role} at {resource} later."),
                gettext_lazy("{actor} tried to plan {role} at {resource}"),
            ),
        ),
        (
            for_somebody_else,
            Wording(
                gettext_lazy("{role} at {resource} was activated for {target}, approved by {actor}."),
                gettext_lazy("{actor} tried to activate {role} at {resource} for {target}"),
            ),
        ),
    ],
    Kind.ACTIVATION_PROLONGED: [
        (
            for_somebody_else,
            Wording(
                gettext_lazy("{role} at {resource} was prolonged for {target}, approved by {actor}."),
                gettext_lazy("{actor} tried to prolong {role} at {resource} for {target}"),
            ),
        )
    ],
}
