"""People: adding, disabling, enabling."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from audit.kinds import Kind
from audit.recording import Ids
from roles.actors import Actor, Clock
from roles.authority import Authority, Held
from roles.catalogue import Permission
from roles.ids import GROUP_MEMBER
from roles.models import Assignment, EndReason, Principal, Purpose, User
from roles.models.principals import LONGEST_KEY, USERNAME_SHAPE, search_key
from roles.refusals import About, Refused, Violation
from roles.rules.duties import told
from roles.selectors.duties.clashes import clashes_when_enabled
from roles.service import record, service
from roles.services import step_ups
from roles.services.administrators import keep_an_administrator
from roles.services.ends import end_unless_over
from roles.services.locks import hold_trees, lock_principal
from roles.text import MAX_NAME, clean, is_visible


@service(Kind.PERSON_ADDED)
def add_person(
    *,
    username: str,
    name: str,
    email: str = "",
    job_title: str = "",
    department: str = "",
    manager: User | None = None,
    time_zone: str = "",
    actor: Actor,
    clock: Clock,
) -> User:
    """Add somebody without a password or second factor; an invitation lets them in. Raises `Refused`."""
    now = clock()
    user = User(
        username=clean(username),
        name=clean(name),
        email=clean(email),
        job_title=clean(job_title),
        department=clean(department),
        manager=manager,
        time_zone=time_zone,
        created_at=now,
    )
    held, violations = may(actor, Permission.MANAGE_PEOPLE, now)
    violations += broken_fields(user)
    about = About(ids=Ids(target=user.pk), text={"target": user.name})
    if violations:
        raise Refused(violations, about=about)
    user.set_unusable_password()
    save_or_refuse(user, about=about, adding=True)
    if actor.user is not None:
        step_ups.spend(actor, Purpose.PEOPLE, actor.user.pk, now=now)
    authority_id = held.assignment_id if held else None
    record(Kind.PERSON_ADDED, actor=actor, at=now, target=user, authority_id=authority_id, username=user.username)
    return user


def save_or_refuse(user: User, *, about: About, adding: bool = False) -> None:
    """Save somebody whose fields were found free; refuse where another has taken one meanwhile."""
    try:
        with transaction.atomic():
            user.save(force_insert=adding)
    except IntegrityError:
        if violations := broken_fields(user):
            raise Refused(violations, about=about) from None
        raise


def may(actor: Actor, permission: Permission, now: datetime) -> tuple[Held | None, list[Violation]]:
    """Return by what somebody may do this to people, and what keeps them from it."""
    if actor.user is None:
        return None, []
    held = Authority(actor.user, now).by(permission)
    violations = []
    if held is None:
        violations.append(Violation("not_allowed", _("You may not do this to people.")))
    if not step_ups.serves(actor, Purpose.PEOPLE, actor.user.pk, now=now):
        violations.append(step_ups.needed())
    return held, violations


def broken_fields(user: User) -> list[Violation]:
    """Return what is wrong with the fields of somebody who is about to be saved."""
    violations = []
    others = User.objects.exclude(pk=user.pk)
    if not is_visible(user.name):
        violations.append(Violation("name_missing", _("Give this person a name."), "name"))
    if len(user.name) > MAX_NAME:
        violations.append(Violation("invalid", _("The name is too long."), "name"))
    if len(search_key(user.username)) > LONGEST_KEY:
        violations.append(Violation("invalid", _("This user name is too long."), "username"))
    if len(search_key(user.email)) > LONGEST_KEY:
        violations.append(Violation("invalid", _("This e-mail address is too long."), "email"))
    if others.filter(username_key=search_key(user.username)).exists():
        violations.append(Violation("username_taken", _("This user name is taken."), "username"))
    if user.email and others.filter(email_key=search_key(user.email)).exists():
        violations.append(Violation("email_taken", _("Somebody else has this e-mail address."), "email"))
    checked_here = ["password", "username_key", "email_key", "name_key", "kind", "manager", "name"]
    if not user.username:
        violations.append(Violation("invalid", _("Give this person a user name."), "username"))
        checked_here.append("username")
    try:
        user.clean_fields(exclude=checked_here)
        if user.username:
            # As it is compared, too: some signs become an @ by folding, and the name that of somebody's address.
            USERNAME_SHAPE(search_key(user.username))
    except ValidationError as error:
        told = error.message_dict if hasattr(error, "error_dict") else {"username": error.messages}
        for field, messages in told.items():
            violations += [Violation("invalid", message, field) for message in messages]
    return violations


def apart_when_enabled(principal: Principal, actor: Actor, now: datetime) -> list[Violation]:
    """Return what keeps somebody, or a group, from being enabled: roles that are kept apart would come together."""
    found = clashes_when_enabled(principal, now, viewer=actor.user)
    return [Violation("duties", told(found))] if found else []


@service(Kind.PERSON_DISABLED)
def disable_person(user_id: uuid.UUID, *, reason: str, actor: Actor, clock: Clock) -> User:
    """Disable somebody: activations and assigned actives end, eligibilities and memberships are suspended.

    What waits for a decision is cancelled by whoever composes this with approvals. Raises `Refused`.
    """
    lock_principal(user_id)
    now = clock()
    user = User.objects.get(pk=user_id)
    about = About(ids=Ids(target=user.pk), text={"target": user.name, "reason": clean(reason)})
    held, violations = may(actor, Permission.MANAGE_PEOPLE, now)
    if not user.enabled:
        violations.append(Violation("already_disabled", _("This person is already disabled.")))
    if actor.id == user.pk:
        violations.append(Violation("oneself", _("You cannot disable yourself.")))
    if violations:
        raise Refused(violations, about=about)
    if actor.user is not None:
        step_ups.spend(actor, Purpose.PEOPLE, actor.user.pk, now=now)
    user.enabled = False
    user.save(update_fields=["enabled"])
    authority_id = held.assignment_id if held else None
    record(Kind.PERSON_DISABLED, actor=actor, at=now, target=user, authority_id=authority_id, reason=clean(reason))
    actives = Assignment.objects.open().active().filter(principal=user).exclude(role=GROUP_MEMBER, activated_from=None)
    for row in actives.select_related("principal", "role", "resource"):
        end_unless_over(row, EndReason.PERSON_DISABLED, actor=actor, at=now, authority_id=authority_id)
    keep_an_administrator(now, about=about)
    return user


@service(Kind.PERSON_ENABLED)
def enable_person(user_id: uuid.UUID, *, actor: Actor, clock: Clock) -> User:
    """Enable somebody again: eligibilities and memberships count again, nothing that ended does. Raises `Refused`."""
    lock_principal(user_id)
    hold_trees()
    now = clock()
    user = User.objects.get(pk=user_id)
    held, violations = may(actor, Permission.MANAGE_PEOPLE, now)
    violations += apart_when_enabled(user, actor, now) if not violations and not user.enabled else []
    if user.enabled:
        violations.append(Violation("already_enabled", _("This person is already enabled.")))
    if violations:
        raise Refused(violations, about=About(ids=Ids(target=user.pk), text={"target": user.name}))
    if actor.user is not None:
        step_ups.spend(actor, Purpose.PEOPLE, actor.user.pk, now=now)
    user.enabled = True
    user.save(update_fields=["enabled"])
    record(Kind.PERSON_ENABLED, actor=actor, at=now, target=user, authority_id=held.assignment_id if held else None)
    return user
