"""Sessions in the database that know whose they are, from where and since when (Django's SESSION_ENGINE)."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, cast

from django.contrib.sessions.backends import base, db
from django.db import InterfaceError, OperationalError
from django.utils import timezone

from pim_portal.models import PortalSession
from roles.models.prepared import Prepared

KEY = re.compile(r"[a-z0-9]{32}")

# What a session says of itself, in its data; the columns beside it are there to ask by.
SIGNED_IN_AT = "signed_in_at"
ADDRESS = "address"
BROWSER = "browser"


_SESSION = Prepared(lambda key, now: PortalSession.objects.filter(session_key=key, expire_date__gt=now))


class SessionStore(db.SessionStore):
    """Django's database session with the columns of `PortalSession`."""

    last_seen_at: datetime | None = None

    @classmethod
    def get_model_class(cls) -> type[PortalSession]:
        return PortalSession

    def _validate_session_key(self, key: str | None) -> bool:
        # A cookie may hold anything, NUL included, which PostgreSQL refuses loudly.
        return bool(key and KEY.fullmatch(key))

    def _get_session_from_db(self) -> PortalSession | None:
        row = _SESSION.first(self.session_key, timezone.now()) if self.session_key else None
        if row is None:
            self._session_key: str | None = None
        self.last_seen_at = row.last_seen_at if row else None
        return row

    def create_model_instance(self, data: dict[str, Any]) -> PortalSession:
        row = cast("PortalSession", super().create_model_instance(data))
        row.user_id = data.get("_auth_user_id")
        row.signed_in_at = moment(data.get(SIGNED_IN_AT))
        row.last_seen_at = self.last_seen_at
        row.address = data.get(ADDRESS, "")
        row.browser = data.get(BROWSER, "")
        return row

    def save(self, must_create: bool = False) -> None:
        """Django takes a database that is out of reach for a session that somebody ended meanwhile."""
        try:
            super().save(must_create=must_create)
        except base.UpdateError as error:
            if isinstance(error.__context__, OperationalError | InterfaceError):
                raise error.__context__ from None
            raise

    def get_session_cookie_age(self) -> int:
        # The row outlives the session a little, so that `SessionLimitsMiddleware` can say why it ended.
        return int(super().get_session_cookie_age()) + 3600

    def flush(self) -> None:
        super().flush()
        self.last_seen_at = None

    @property
    def signed_in_at(self) -> datetime | None:
        """When the password was given in this session."""
        return moment(self.get(SIGNED_IN_AT))

    def seen(self, now: datetime) -> None:
        """Remember that somebody used the session, without writing what another request may be changing in it."""
        PortalSession.objects.filter(pk=self.session_key).update(last_seen_at=now)
        self.last_seen_at = now

    @classmethod
    def clear_expired(cls) -> None:
        PortalSession.objects.filter(expire_date__lt=timezone.now()).delete()


def moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
