"""The rules of the ticket of an activation: it is there, has the form that is asked for, and was accepted."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _

from approvals.ticket_checks import GOOD_FOR, Finding, TicketCheck, TicketSubject
from roles.patterns import fits
from roles.refusals import Violation
from roles.selectors.settings import EffectiveSettings
from roles.text import MAX_TICKET, is_visible


def missing(settings: EffectiveSettings, ticket: str) -> Violation | None:
    if settings.ticket_required and not is_visible(ticket):
        return Violation("ticket_missing", _("Enter the ticket that this is for."), "ticket")
    return None


def too_long(ticket: str) -> Violation | None:
    if len(ticket) > MAX_TICKET:
        sentence = _("The ticket is too long: at most %(limit)s characters.")
        return Violation("ticket_too_long", sentence % {"limit": MAX_TICKET}, "ticket")
    return None


def misfit(settings: EffectiveSettings, ticket: str) -> Violation | None:
    """A ticket that is given has the form that is asked for, also where none would have to be given."""
    pattern = settings.ticket_pattern
    if not pattern or not is_visible(ticket) or len(ticket) > MAX_TICKET or fits(pattern, ticket):
        return None
    sentence = _("This role takes tickets of the form %(pattern)s only.")
    return Violation("ticket_form", sentence % {"pattern": pattern}, "ticket")


def not_accepted(
    settings: EffectiveSettings, subject: TicketSubject, check: TicketCheck | None, now: datetime
) -> Violation | None:
    """Where a check is demanded and cannot be had, the answer is no."""
    if not settings.ticket_verified or not is_visible(subject.ticket):
        return None
    if check is None:
        sentence = _("The ticket has not been checked yet: it is as soon as everything else is right.")
        return Violation("ticket_unchecked", sentence, "ticket")
    if check.subject != subject:
        sentence = _("Something else was checked than this ticket for this role. Send the form again.")
        return Violation("ticket_check_of_another", sentence, "ticket")
    if not now - GOOD_FOR < check.at <= now:
        return Violation("ticket_check_old", _("The ticket was checked too long ago. Send the form again."), "ticket")
    if check.finding == Finding.REJECTED:
        sentence = _("The ticket was not accepted by %(verifier)s.")
        if check.words:
            sentence = _("The ticket was not accepted by %(verifier)s: %(words)s")
        told = sentence % {"verifier": check.verifier, "words": check.words}
        return Violation("ticket_rejected", told, "ticket")
    if check.finding != Finding.ACCEPTED:
        sentence = _("This role demands that the ticket is checked, and it cannot be: %(why)s")
        return Violation("ticket_uncheckable", sentence % {"why": check.words}, "ticket")
    return None
