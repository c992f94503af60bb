"""Who somebody is, by user name or e-mail address and password. What they may do, `roles.backend` says."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.hashers import verify_password
from django.http import HttpRequest
from django.utils import timezone

from pim_portal.accounts.services.profiles import rehash_password
from roles.actors import Actor
from roles.models import User
from roles.models.prepared import Prepared

_SIGNED_IN = Prepared(lambda pk: User.objects.filter(pk=pk, enabled=True))


class PasswordBackend(BaseBackend):
    """Checks a password, and takes as long for somebody unknown as for somebody known."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **credentials: Any
    ) -> User | None:
        if username is None or password is None:
            return None
        try:
            user = User.objects.get_by_natural_key(username)
        except User.DoesNotExist:
            User().set_password(password)
            return None
        if not user.has_usable_password():
            User().set_password(password)
            return None
        right, outdated = verify_password(password, user.password)
        if not right or not user.enabled:
            return None
        if outdated:
            rehash_password(user, password=password, actor=Actor.portal(), clock=timezone.now)
        return user

    def get_user(self, user_id: uuid.UUID | str) -> User | None:
        """Return the person of a session; somebody disabled has none."""
        try:
            return _SIGNED_IN.first(uuid.UUID(str(user_id)))
        except ValueError:
            return None
