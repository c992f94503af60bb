"""The rules of activating in an emergency, without waiting for approval: those of activating, and stricter ones."""

from __future__ import annotations

from dataclasses import replace

from django.utils.translation import gettext as _

from approvals.rules.activations import (
    ActivateFacts,
    already_active,
    duration_too_long,
    duration_too_short,
    not_eligible,
    outside_the_eligibility,
    past_the_eligibility,
    reason_missing,
    ticket_missing,
    ticket_not_accepted,
    ticket_of_another_form,
    ticket_too_long,
)
from roles.models import SecondFactor
from roles.refusals import Violation, broken
from roles.rules.asked import reason_too_long, second_factor_missing
from roles.rules.duties import kept_apart
from roles.selectors.settings import EffectiveSettings


def in_emergency(settings: EffectiveSettings) -> EffectiveSettings:
    """Return the settings that an activation in an emergency obeys.

    Nobody is waited for; a reason and a code of its own are demanded in any case, and the shorter maximum holds.
    """
    return replace(
        settings,
        max_activation=min(settings.max_activation, settings.break_glass_max),
        second_factor=SecondFactor.EVERY_TIME,
        reason_required=True,
        stages=(),
    )


def not_allowed(facts: ActivateFacts) -> Violation | None:
    """What needs no approval is activated as usual; what does only where its settings allow it."""
    if not facts.settings.approval_required:
        return Violation("needs_no_approval", _("This role needs no approval: activate it as usual."))
    if not facts.settings.break_glass_allowed:
        sentence = _("The settings of this role do not allow activating it without approval.")
        return Violation("no_emergency_access", sentence)
    return None


def begins_later(facts: ActivateFacts) -> Violation | None:
    if facts.start is not None:
        return Violation("starts_later", _("In an emergency a role is active at once. Leave the start empty."))
    return None


BREAK_GLASS = (
    not_allowed,
    not_eligible,
    outside_the_eligibility,
    already_active,
    kept_apart,
    begins_later,
    duration_too_short,
    duration_too_long,
    past_the_eligibility,
    reason_missing,
    reason_too_long,
    ticket_missing,
    ticket_too_long,
    ticket_of_another_form,
    ticket_not_accepted,
    second_factor_missing,
)

# What can be said before anything is typed.
BREAK_GLASS_BEFOREHAND = (not_allowed, not_eligible, already_active, kept_apart)


def may_break_glass(facts: ActivateFacts) -> bool:
    """Whether somebody can be offered to activate it without waiting."""
    return not broken(BREAK_GLASS_BEFOREHAND, facts)
