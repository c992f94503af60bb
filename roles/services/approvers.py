"""Taking somebody out of the approvers that the settings of a role name."""

from __future__ import annotations

import uuid
from dataclasses import replace

from django.utils.translation import gettext as _

from audit.kinds import Kind, Realm
from audit.recording import Ids
from roles.actors import Actor, Clock
from roles.authority import Authority
from roles.catalogue import Permission
from roles.ids import DIRECTORY
from roles.models import Resource, Role, RoleSettings
from roles.refusals import About, Refused, Violation
from roles.selectors.settings import SettingsBook, Stage
from roles.service import service
from roles.services.settings import change_settings


@service(Kind.ROLE_SETTINGS_CHANGED)
def remove_approver(settings_id: uuid.UUID, *, principal_id: uuid.UUID, actor: Actor, clock: Clock) -> RoleSettings:
    """Name somebody no longer as an approver, in none of the stages of these settings.

    A stage that names nobody is decided by others altogether: whoever is the only one named is replaced in the
    settings, not merely taken out. Raises `Refused`, also with everything that changing settings refuses.
    """
    row = RoleSettings.objects.select_related("role", "resource").get(pk=settings_id)
    Role.objects.select_for_update(no_key=True).get(pk=row.role_id)
    # Of these very settings: what the directory says of a role is not its default, and who is named while no approval
    # is asked for is named all the same.
    book = SettingsBook([row.role_id])
    stages = (book.of(row.role, row.resource) if row.resource else book.default_of(row.role)).written_stages
    gone = {principal_id}
    kept = tuple(replace(one, approvers=one.approvers - gone, escalation=one.escalation - gone) for one in stages)
    place = row.resource or Resource.objects.get(pk=DIRECTORY)
    if actor.user is None or Authority(actor.user, clock()).allows(Permission.CHANGE_SETTINGS, place):
        violations = _broken(stages, kept)
    else:
        # Said alone: who may not change settings is told nothing of whom they name.
        violations = [Violation("not_allowed", _("You may not change the settings of this role."))]
    if violations:
        realm = row.resource.realm if row.resource else Realm(row.role.kind)
        text = {"role": row.role.name, "resource": row.resource.name if row.resource else ""}
        raise Refused(violations, about=About(Ids(role=row.role_id, resource=row.resource_id), realm, text))
    return change_settings(row.role, resource=row.resource, values={}, stages=kept, actor=actor, clock=clock)


def _broken(before: tuple[Stage, ...], after: tuple[Stage, ...]) -> list[Violation]:
    if before == after:
        return [Violation("no_approver", _("The settings do not name this person as an approver any more."))]
    if any(was.approvers and not one.approvers for was, one in zip(before, after, strict=True)):
        sentence = _("Nobody else is named to approve this role. Name somebody else in its settings first.")
        return [Violation("only_approver", sentence)]
    if any(one.quorum > len(one.approvers) for one in after if one.approvers):
        sentence = _("Fewer would be named than must agree. Name somebody else in the settings of the role first.")
        return [Violation("too_few_approvers", sentence)]
    return []
