"""What an operator does with web hooks. Each act is an event, and needs a fresh second factor."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from django.db import connection
from django.utils.translation import gettext as _

from audit.kinds import Kind
from pim_portal.models import WebHook
from pim_portal.streams.leaves import last_leaf
from pim_portal.streams.rules import ADD, CHANGE, REPLAY, HookFacts, ReplayFacts
from pim_portal.streams.signing import new_secret
from roles.actors import Actor, Clock
from roles.authority import Authority
from roles.catalogue import Permission
from roles.models import Purpose
from roles.refusals import About, Refused, Violation, require
from roles.service import record, service
from roles.services import step_ups
from roles.text import clean

OVERLAPS: Final = (timedelta(0), timedelta(days=1), timedelta(days=7))
_LOCK: Final = 0x50494D484F4F4B  # "PIMHOOK": whoever adds web hooks or names them, one after the other


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a web hook shall be; without kinds it gets every event."""

    name: str
    url: str
    kinds: tuple[str, ...] = ()


class Given(NamedTuple):
    """A web hook and its new secret, which is shown this once."""

    hook: WebHook
    secret: str


@service(Kind.WEB_HOOK_ADDED)
def add_hook(wanted: Wanted, *, from_the_first: bool, allow_private: bool, actor: Actor, clock: Clock) -> Given:
    """Add a web hook that gets every event sealed from now on, or all there are. Raises `Refused`."""
    _alone()
    now = clock()
    held = _authority(actor, actor.id, now, name=wanted.name)
    require(ADD, _facts(wanted, allow_private=allow_private), about=_about(wanted.name))
    secret = new_secret()
    hook = WebHook.objects.create(
        name=clean(wanted.name),
        url=wanted.url,
        kinds=sorted(wanted.kinds),
        secret=secret,
        made_at=now,
        next_attempt_at=now,
        position=0 if from_the_first else last_leaf(),
    )
    _tell(Kind.WEB_HOOK_ADDED, hook, held, actor, now, host=_host(hook), kinds=hook.kinds, position=hook.position)
    return Given(hook, secret)


@service(Kind.WEB_HOOK_CHANGED)
def change_hook(pk: uuid.UUID, wanted: Wanted, *, allow_private: bool, actor: Actor, clock: Clock) -> WebHook:
    """Change where a web hook leads, its name, what it gets. What is on its way is sent anew. Raises `Refused`."""
    _alone()
    hook = _lock(pk)
    now = clock()
    held = _authority(actor, pk, now, name=hook.name)
    require(CHANGE, _facts(wanted, allow_private=allow_private, itself=pk), about=_about(hook.name))
    values = {"name": clean(wanted.name), "url": wanted.url, "kinds": sorted(wanted.kinds)}
    changed = [field for field, value in values.items() if getattr(hook, field) != value]
    if not changed:
        return hook
    for field, value in values.items():
        setattr(hook, field, value)
    _begin_anew(hook, now)
    hook.save(update_fields=[*values, *_ANEW])
    _tell(Kind.WEB_HOOK_CHANGED, hook, held, actor, now, host=_host(hook), kinds=hook.kinds, changed=changed)
    return hook


@service(Kind.WEB_HOOK_PAUSED)
def pause_hook(pk: uuid.UUID, *, actor: Actor, clock: Clock) -> None:
    """Send nothing more to a web hook; what waits is kept for it. Raises `Refused`."""
    hook = _lock(pk)
    now = clock()
    held = _authority(actor, pk, now, name=hook.name)
    if hook.paused_at is not None:
        raise Refused([Violation("paused", _("This web hook is paused already."))], about=_about(hook.name))
    hook.paused_at = now
    hook.save(update_fields=["paused_at"])
    _tell(Kind.WEB_HOOK_PAUSED, hook, held, actor, now, position=hook.position)


@service(Kind.WEB_HOOK_RESUMED)
def resume_hook(pk: uuid.UUID, *, actor: Actor, clock: Clock) -> None:
    """Go on with a web hook that was paused, at once and where it stood. Raises `Refused`."""
    hook = _lock(pk)
    now = clock()
    held = _authority(actor, pk, now, name=hook.name)
    if hook.paused_at is None:
        raise Refused([Violation("not_paused", _("This web hook is not paused."))], about=_about(hook.name))
    hook.paused_at, hook.next_attempt_at = None, now
    hook.save(update_fields=["paused_at", "next_attempt_at"])
    _tell(Kind.WEB_HOOK_RESUMED, hook, held, actor, now, position=hook.position)


@service(Kind.WEB_HOOK_TESTED)
def ask_for_test(pk: uuid.UUID, *, actor: Actor, clock: Clock) -> None:
    """Have the worker send a message without events, also to a web hook that is paused. Raises `Refused`."""
    hook = _lock(pk)
    now = clock()
    held = _authority(actor, pk, now, name=hook.name)
    hook.test_asked_at = now
    hook.save(update_fields=["test_asked_at"])
    _tell(Kind.WEB_HOOK_TESTED, hook, held, actor, now, host=_host(hook))


@service(Kind.WEB_HOOK_SECRET_CHANGED)
def rotate_secret(pk: uuid.UUID, *, overlap: timedelta, actor: Actor, clock: Clock) -> Given:
    """Give a web hook a new secret; for `overlap`, one of `OVERLAPS`, the old one signs too. Raises `Refused`."""
    hook = _lock(pk)
    now = clock()
    held = _authority(actor, pk, now, name=hook.name)
    if overlap not in OVERLAPS:
        raise Refused([Violation("overlap", _("Choose one of these."), "overlap")], about=_about(hook.name))
    secret = new_secret()
    hook.old_secret, hook.old_secret_until = (hook.secret, now + overlap) if overlap else ("", None)
    hook.secret, hook.next_attempt_at = secret, now
    hook.save(update_fields=["secret", "old_secret", "old_secret_until", "next_attempt_at"])
    hours = int(overlap.total_seconds() // 3600)
    _tell(Kind.WEB_HOOK_SECRET_CHANGED, hook, held, actor, now, old_secret_hours=hours)
    return Given(hook, secret)


@service(Kind.WEB_HOOK_REPLAYED)
def replay_hook(pk: uuid.UUID, *, leaf: int, actor: Actor, clock: Clock) -> None:
    """Send everything again from this leaf on, under new message ids; nothing can be skipped. Raises `Refused`."""
    hook = _lock(pk)
    now = clock()
    held = _authority(actor, pk, now, name=hook.name)
    before = hook.position
    require(REPLAY, ReplayFacts(leaf=leaf, position=before), about=_about(hook.name))
    hook.position = leaf - 1
    _begin_anew(hook, now)
    hook.save(update_fields=["position", *_ANEW])
    _tell(Kind.WEB_HOOK_REPLAYED, hook, held, actor, now, leaf=leaf, position=before)


@service(Kind.WEB_HOOK_DELETED)
def delete_hook(pk: uuid.UUID, *, actor: Actor, clock: Clock) -> None:
    """Delete a web hook: nothing goes there any more, and nothing is kept for it. Raises `Refused`."""
    hook = _lock(pk)
    now = clock()
    held = _authority(actor, pk, now, name=hook.name)
    _tell(Kind.WEB_HOOK_DELETED, hook, held, actor, now, host=_host(hook), position=hook.position)
    hook.delete()


_ANEW: Final = ("generation", "upto", "next_attempt_at")


def _begin_anew(hook: WebHook, now: datetime) -> None:
    """Make what is on its way count for nothing. Its sender keeps the lease, so that nobody sends beside it."""
    hook.generation, hook.upto, hook.next_attempt_at = hook.generation + 1, 0, now


def _lock(pk: uuid.UUID) -> WebHook:
    hook = WebHook.objects.select_for_update(no_key=True).filter(pk=pk).first()
    if hook is None:
        raise Refused([Violation("not_found", _("There is no such web hook."))])
    return hook


def _alone() -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def _authority(actor: Actor, about: uuid.UUID | None, now: datetime, *, name: str) -> uuid.UUID | None:
    """Return by what assignment this person may do it, and spend the second factor that came with it."""
    if actor.user is None:
        return None
    held = Authority(actor.user, now).by(Permission.OPERATE)
    if held is None:
        sentence = _("Only who looks after the portal (Security Administrator) can do this.")
        raise Refused([Violation("not_allowed", sentence)], about=_about(name))
    if about is None or not step_ups.serves(actor, Purpose.SETTINGS, about, now=now):
        raise Refused([step_ups.needed()], about=_about(name))
    step_ups.spend(actor, Purpose.SETTINGS, about, now=now)
    return held.assignment_id


def _facts(wanted: Wanted, *, allow_private: bool, itself: uuid.UUID | None = None) -> HookFacts:
    others = frozenset(name for pk, name in WebHook.objects.values_list("pk", "name") if pk != itself)
    return HookFacts(clean(wanted.name), wanted.url, wanted.kinds, others, allow_private)


def _about(name: str) -> About:
    return About(text={"hook": clean(name)[:100]} if clean(name) else {})


def _host(hook: WebHook) -> str:
    # Never the whole address: some hold a secret.
    return urlsplit(hook.url).hostname or ""


def _tell(
    kind: Kind, hook: WebHook, held: uuid.UUID | None, actor: Actor, now: datetime, **details: str | int | Sequence[str]
) -> None:
    about = {"hook": str(hook.pk), **details}
    record(kind, actor=actor, at=now, authority_id=held, details=about, hook=hook.name)
