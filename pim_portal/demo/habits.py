"""What the sample people made for themselves: roles of their own, saved profiles, changes of settings."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.utils.dateparse import parse_duration

from approvals.models import Request
from approvals.services.profiles import pin_profile, save_profile
from approvals.services.settings_changes import change_or_ask
from pim_portal.demo.sample import SampleCustomRole, SampleProfile, SampleSettingsChange
from roles.actors import Actor, Clock
from roles.models import Assignment, Purpose
from roles.selectors.settings import settings_of
from roles.services.custom_roles import add_role, definition_of

if TYPE_CHECKING:
    from pim_portal.demo.loader import Loader


def make_role(loader: Loader, row: SampleCustomRole, actor: Actor, clock: Clock) -> None:
    """Make a custom role; the rest of the sample names it as any other."""
    definition = definition_of(
        name=row.name,
        description=row.description,
        category=row.category,
        privileged=row.privileged,
        permissions="\n".join(row.permissions),
    )
    made = add_role(loader.places[row.at], definition, actor=actor, clock=clock)
    loader.roles[made.kind, made.name] = made


def keep_profile(loader: Loader, row: SampleProfile, now: datetime) -> None:
    """Save a profile of what somebody was eligible for at that time."""
    user = loader.users[row.who]
    mine = Assignment.objects.eligible_for(user.pk, now).select_related("resource", "role")
    wanted = {(one["role"], loader.places[one["at"]].pk) for one in row.roles}
    chosen = [one for one in mine if (one.role.name, one.resource_id) in wanted]
    if len(chosen) < len(wanted):
        raise ValueError(f"{row.who} was not eligible for all roles of the profile {row.name}.")
    actor = Actor(user=user)
    made = save_profile(
        row.name,
        scopes={one.pk: None for one in chosen},
        duration=timedelta(minutes=row.minutes),
        reason=row.reason,
        actor=actor,
        clock=lambda: now,
    )
    pin_profile(made.pk, pinned=row.pinned, actor=actor, clock=lambda: now)


def change_settings_of(loader: Loader, row: SampleSettingsChange, now: datetime) -> None:
    """Change settings as an administrator did; what loosens one's own role waits for another one."""
    place = loader.places[row.at]
    role = loader.roles[place.realm.value, row.role]
    values: dict[str, Any] = dict(row.values)
    if "max_activation" in values:
        values["max_activation"] = parse_duration(values["max_activation"])
    done = change_or_ask(
        role,
        resource=place,
        values=values,
        seen=settings_of(role, place).seen,
        actor=loader.acting(row.by, Purpose.SETTINGS, role.pk, now),
        clock=lambda: now,
    )
    if isinstance(done, Request) != row.waits:
        raise ValueError(f"The change of {row.role} by {row.by} was to {'wait' if row.waits else 'be done'}.")
