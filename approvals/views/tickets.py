"""Having the ticket of a form checked before the form is sent on to its service."""

from __future__ import annotations

from django.utils import timezone

from approvals.forms.activation import Prospect
from approvals.models import Action
from approvals.rules.activations import ACTIVATE
from approvals.rules.emergencies import BREAK_GLASS
from approvals.services.activations import Wanted, gather
from approvals.verifying.asking import Desk
from roles.actors import Actor
from roles.middleware import PortalRequest


def with_ticket_checked(
    request: PortalRequest,
    wanted: Wanted,
    prospect: Prospect,
    *,
    actor: Actor,
    desk: Desk | None = None,
    emergency: bool = False,
) -> Wanted:
    """Return what is wanted with what the verifier says of its ticket, where the settings demand one.

    Before the transaction, which waits for nobody outside. Several roles of one form share one `desk`. Where the page
    was not told to demand one, nobody is asked: the service refuses what lacks a check that is demanded since.
    """
    if not prospect.facts.settings.ticket_verified:
        return wanted
    facts, resource = gather(
        request.user, prospect.pk, wanted=wanted, actor=actor, now=timezone.now(), emergency=emergency
    )
    return (desk or Desk(Action.ACTIVATE)).with_check(
        wanted,
        facts=facts,
        rules=BREAK_GLASS if emergency else ACTIVATE,
        person=request.user,
        role=prospect.eligibility.role,
        resource=resource,
    )
