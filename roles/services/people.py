"""Changing what the portal knows of somebody."""

from __future__ import annotations

import uuid

from django.utils.translation import gettext as _

from audit.kinds import Kind
from audit.recording import Ids
from roles.actors import Actor, Clock
from roles.authority import Authority
from roles.catalogue import Permission
from roles.ids import DIRECTORY, PRIVILEGED_ROLE_ADMINISTRATOR
from roles.models import Purpose, User
from roles.refusals import About, Refused, Violation
from roles.selectors.groups import privileged_through
from roles.service import record, service
from roles.services import step_ups
from roles.services.locks import lock_principals
from roles.services.principals import broken_fields, may, save_or_refuse
from roles.text import clean

FIELDS = ("name", "username", "email", "job_title", "department")
# Links that let people in are mailed to the address, and a manager reviews the access of whom they manage.
DECISIVE = frozenset({"username", "email", "manager"})


@service(Kind.PERSON_CHANGED)
def change_person(
    user_id: uuid.UUID,
    *,
    name: str,
    username: str,
    email: str,
    job_title: str,
    department: str,
    manager_id: uuid.UUID | None,
    actor: Actor,
    clock: Clock,
) -> User:
    """Change who somebody is; the history says which fields. Raises `Refused`, also when another took the name."""
    lock_principals({user_id, *chain_of(manager_id)})
    now = clock()
    user = User.objects.get(pk=user_id)
    about = About(ids=Ids(target=user.pk), text={"target": user.name})
    values = {"name": name, "username": username, "email": email, "job_title": job_title, "department": department}
    changed = [field for field in FIELDS if getattr(user, field) != clean(values[field])]
    # Whoever reads the old address is told of it there; in other letters (A, a) it is the same one.
    former = user.email if user.email.lower() != clean(email).lower() else ""
    if user.manager_id != manager_id:
        changed.append("manager")
    held, violations = may(actor, Permission.MANAGE_PEOPLE, now)
    if DECISIVE & set(changed) and actor.user is not None:
        violations += taking_over(user, by=Authority(actor.user, now))
    if user_id in chain_of(manager_id):
        sentence = _("{name} cannot be their own manager, not even by way of others.").format(name=user.name)
        violations.append(Violation("manager_loop", sentence, "manager"))
    for field in FIELDS:
        setattr(user, field, clean(values[field]))
    user.manager_id = manager_id
    violations += broken_fields(user)
    if not changed:
        violations.append(Violation("no_change", _("This is what the portal knows already. Change something.")))
    if violations:
        raise Refused(violations, about=about)
    if actor.user is not None:
        step_ups.spend(actor, Purpose.PEOPLE, actor.user.pk, now=now)
    save_or_refuse(user, about=about)
    record(
        Kind.PERSON_CHANGED,
        actor=actor,
        at=now,
        target=user,
        authority_id=held.assignment_id if held else None,
        details={"changed": changed},
        former_email=former,
    )
    return user


def chain_of(manager_id: uuid.UUID | None) -> list[uuid.UUID]:
    """Return a manager, their manager and so on up; it ends where it would go round."""
    chain: list[uuid.UUID] = []
    while manager_id is not None and manager_id not in chain:
        chain.append(manager_id)
        manager_id = User.objects.values_list("manager_id", flat=True).get(pk=manager_id)
    return chain


def taking_over(user: User, *, by: Authority) -> list[Violation]:
    """Whoever decides where the links of a privileged person go, or makes one, could become that person; who names
    their manager chooses who reviews what they have."""
    administers = any(one.role_id == PRIVILEGED_ROLE_ADMINISTRATOR and one.resource_id == DIRECTORY for one in by.held)
    if administers or not privileged_through(user.pk):
        return []
    sentence = _(
        "This person has, may come to, or decides about a privileged role. Only a Privileged Role Administrator may "
        "change their user name, e-mail address or manager, or invite them again."
    )
    return [Violation("target_administers", sentence, "email")]
