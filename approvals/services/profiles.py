"""Keeping saved profiles: one's own only. They give nothing, so that no event tells of them and no code is asked for.

Activating one is asking for each of its roles (`approvals.services.activations.ask`).
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import timedelta

from approvals.models import Profile, ProfileItem
from approvals.rules.profiles import KEEP, ProfileFacts
from approvals.selectors.my_roles import eligibilities_among
from roles.actors import Actor, Clock
from roles.models import Assignment, Resource, User
from roles.models.principals import search_key
from roles.refusals import require
from roles.services.locks import lock_principal
from roles.text import MAX_REASON, clean
from roles.waiting import one_transaction


@one_transaction("A change of saved profiles")
def save_profile(
    name: str,
    *,
    scopes: Mapping[uuid.UUID, uuid.UUID | None],
    duration: timedelta,
    reason: str,
    actor: Actor,
    clock: Clock,
) -> Profile:
    """Keep these roles under a name: `scopes` says by eligibility where it is activated, None where it is given.

    An eligibility that is not one's own is passed over, as is a scope that it does not reach. Raises `Refused`.
    """
    user = _owner(actor)
    now = clock()
    eligibilities = eligibilities_among(user, scopes, now)
    facts = _facts(user, name, items=len(eligibilities), duration=duration, reason=reason)
    require(KEEP, facts)
    profile = Profile.objects.create(owner=user, name=facts.name, duration=duration, reason=facts.reason, made_at=now)
    numbers: dict[tuple[uuid.UUID, uuid.UUID], ProfileItem] = {}
    for one in eligibilities:
        # Eligible twice for the same, directly and through a group, is one role of the profile.
        numbers.setdefault(
            (one.role_id, one.resource_id),
            ProfileItem(
                profile=profile,
                number=len(numbers) + 1,
                role=one.role,
                resource=one.resource,
                scope=_scope(one, scopes[one.pk]),
            ),
        )
    ProfileItem.objects.bulk_create(numbers.values())
    return profile


@one_transaction("A change of saved profiles")
def rename_profile(profile_id: uuid.UUID, name: str, *, actor: Actor, clock: Clock) -> Profile:
    """Call a profile of one's own something else. Raises `Refused`, `Profile.DoesNotExist` for any other."""
    user = _owner(actor)
    profile = Profile.objects.get(pk=profile_id, owner=user)
    facts = _facts(user, name, but=profile, items=1, duration=profile.duration, reason=profile.reason)
    require(KEEP, facts)
    profile.name = facts.name
    profile.save(update_fields=["name"])
    return profile


@one_transaction("A change of saved profiles")
def pin_profile(profile_id: uuid.UUID, *, pinned: bool, actor: Actor, clock: Clock) -> Profile:
    """Show a profile of one's own on the Overview, or no longer. Raises `Profile.DoesNotExist` for any other."""
    profile = Profile.objects.get(pk=profile_id, owner=_owner(actor))
    profile.pinned = pinned
    profile.save(update_fields=["pinned"])
    return profile


@one_transaction("A change of saved profiles")
def delete_profile(profile_id: uuid.UUID, *, actor: Actor, clock: Clock) -> None:
    """Forget a profile of one's own. Raises `Profile.DoesNotExist` for any other."""
    Profile.objects.get(pk=profile_id, owner=_owner(actor)).delete()


@one_transaction("A change of saved profiles")
def remember_use(profile_id: uuid.UUID, *, duration: timedelta, reason: str, actor: Actor, clock: Clock) -> None:
    """Keep what was said this time for the next. A profile that is gone meanwhile is passed over."""
    said = clean(reason)[:MAX_REASON]
    Profile.objects.filter(pk=profile_id, owner=_owner(actor)).update(duration=duration, reason=said)


def _owner(actor: Actor) -> User:
    """Lock whoever keeps it, so that the limit and the names hold, and return them."""
    if actor.user is None:
        raise LookupError("Only a person keeps profiles.")
    lock_principal(actor.user.pk)
    return actor.user


def _facts(
    user: User, name: str, *, items: int, duration: timedelta, reason: str, but: Profile | None = None
) -> ProfileFacts:
    others = Profile.objects.filter(owner=user)
    if but is not None:
        others = others.exclude(pk=but.pk)
    called = clean(name)
    return ProfileFacts(
        name=called,
        taken=others.filter(name_key=search_key(called)).exists(),
        others=others.count(),
        items=items,
        duration=duration,
        reason=clean(reason),
    )


def _scope(eligibility: Assignment, scope_id: uuid.UUID | None) -> Resource:
    given: Resource = eligibility.resource
    chosen: Resource | None = Resource.objects.filter(pk=scope_id).first() if scope_id else None
    return chosen if chosen is not None and given.contains(chosen) else given
