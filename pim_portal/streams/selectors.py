"""What the pages about web hooks show; only to whoever looks after the portal."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db.models import F, QuerySet, Value
from django.db.models.functions import Greatest

from pim_portal.models import WebHook
from pim_portal.streams.leaves import last_leaf
from roles.authority import Authority
from roles.catalogue import Permission


def hooks_seen_by(authority: Authority) -> QuerySet[WebHook]:
    """Return the web hooks, each with how many leaves it is `behind`."""
    if not authority.anywhere(Permission.OPERATE):
        return WebHook.objects.none()
    behind = Greatest(Value(last_leaf()) - F("position"), Value(0))
    return WebHook.objects.annotate(behind=behind).order_by("name", "pk")


def hook_seen_by(authority: Authority, pk: uuid.UUID) -> WebHook | None:
    """Return one of them; none for whoever may not see it."""
    return hooks_seen_by(authority).filter(pk=pk).first()


def old_secret_until(hook: WebHook, now: datetime) -> datetime | None:
    """Return until when the secret of before still signs; none where it does not."""
    return hook.old_secret_until if len(hook.secrets(now)) > 1 else None
