"""Dismissing a step of the set-up checklist."""

from __future__ import annotations

from django.utils.translation import gettext as _

from audit.kinds import Kind
from pim_portal.models import SetUp
from pim_portal.overview.selectors.checklist import Step, may_set_up
from roles.actors import Actor, Clock
from roles.authority import Authority
from roles.catalogue import Permission
from roles.refusals import Refused, Violation
from roles.service import record, service


@service(Kind.CHECKLIST_STEP_DISMISSED)
def dismiss(step: Step, *, actor: Actor, clock: Clock) -> SetUp:
    """Take a step off the checklist, for everybody; dismissing it again changes nothing. Raises `Refused`."""
    SetUp.objects.get_or_create(pk=1)
    row = SetUp.objects.select_for_update(no_key=True).get(pk=1)
    now = clock()
    authority = Authority(actor.user, now) if actor.user else None
    if authority is not None and not may_set_up(authority):
        raise Refused([Violation("not_allowed", _("Only who looks after the portal can dismiss this."))])
    if step in row.dismissed:
        return row
    row.dismissed = sorted({*row.dismissed, str(step)})
    row.save(update_fields=["dismissed"])
    held = (authority.by(Permission.OPERATE) or authority.by(Permission.ASSIGN)) if authority else None
    record(
        Kind.CHECKLIST_STEP_DISMISSED,
        actor=actor,
        at=now,
        authority_id=held.assignment_id if held else None,
        details={"step": str(step)},
    )
    return row
