"""The shell of every page: the menu with its counts, what the viewer holds now, their theme and time zone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING, Any, cast

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from approvals.selectors.emergencies import emergencies_awaiting
from approvals.selectors.requests import requests_of
from approvals.views.tabs import waiting_by_tab
from audit.kinds import Realm
from pim_portal.operations.vitals import Vital, unwell
from reviews.selectors.places import waiting_count
from roles import wording
from roles.authority import Authority
from roles.catalogue import Permission
from roles.kept import count_of
from roles.models import RoleKind

if TYPE_CHECKING:
    from roles.middleware import PortalRequest
    from roles.models import User


def _everyone(authority: Authority) -> bool:
    return True


def _may_see_people(authority: Authority) -> bool:
    return authority.anywhere(Permission.SEE_PEOPLE)


def _owns_groups(authority: Authority) -> bool:
    """Whether somebody owns groups and sees no others."""
    return not _may_see_people(authority) and any(authority.paths(Permission.SEE, Realm.GROUP))


def _may_see_the_directory(authority: Authority) -> bool:
    return any(authority.paths(Permission.SEE, Realm.DIRECTORY))


def _may_see_resources(authority: Authority) -> bool:
    return authority.sees_resources() or authority.elevatable_by is not None


def _may_see_audit(authority: Authority) -> bool:
    return authority.anywhere(Permission.SEE_AUDIT)


def _may_operate(authority: Authority) -> bool:
    return authority.anywhere(Permission.OPERATE)


def _gives_roles(authority: Authority) -> bool:
    return any(authority.paths(Permission.ASSIGN, Realm.DIRECTORY))


def _my_waiting_requests(request: PortalRequest) -> int:
    return requests_of(request.user).waiting_among(request.now).count()


def _requests_to_decide(request: PortalRequest) -> int:
    # The page that it leads to has counted them for its tabs, or some seconds ago where it shows none of them.
    waiting = waiting_by_tab(request, anew=not request.path.startswith(reverse("approvals:approvals")))
    return sum(waiting.values()) + len(emergencies_awaiting(request.authority))


def _reviews_to_do(request: PortalRequest) -> int:
    return waiting_count(request.user.pk, request.now)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the menu: who sees it, and what waits there for the viewer."""

    section: str | Promise
    label: str | Promise
    url_name: str
    icon: str
    visible: Callable[[Authority], bool] = _everyone
    also: str = ""  # the address of another page of the same entry
    count: Callable[[PortalRequest], int] | None = None


LOOKED_UP_EVERY = 15  # seconds

TASKS, MANAGE, ACTIVITY = _("Tasks"), _("Manage"), _("Activity")

NAVIGATION = (
    Entry("", _("Overview"), "overview", "house"),
    Entry(TASKS, _("My roles"), "approvals:my_roles", "key-round"),
    Entry(TASKS, _("My requests"), "approvals:my_requests", "clock", count=_my_waiting_requests),
    Entry(TASKS, _("Approve requests"), "approvals:approvals", "clipboard-check", count=_requests_to_decide),
    Entry(TASKS, _("Review access"), "reviews:reviews", "list-checks", count=_reviews_to_do),
    Entry(MANAGE, _("Directory roles"), "directory:overview", "package", visible=_may_see_the_directory),
    Entry(MANAGE, _("Resources"), "resources", "server", visible=_may_see_resources),
    Entry(MANAGE, _("People and groups"), "people", "users", visible=_may_see_people, also="groups"),
    Entry(MANAGE, _("People and groups"), "groups", "users", visible=_owns_groups),
    Entry(MANAGE, _("Licences"), "licences", "receipt", visible=_may_see_people),
    Entry(MANAGE, _("Mails"), "mails", "mail", visible=_may_operate),
    Entry(MANAGE, _("Web hooks"), "web_hooks", "webhook", visible=_may_operate),
    Entry(MANAGE, _("Health"), "health", "heart-pulse", visible=_may_operate),
    Entry(ACTIVITY, _("Audit history"), "audit", "scroll-text", visible=_may_see_audit),
    Entry(ACTIVITY, _("My audit history"), "my_audit", "history"),
    Entry(ACTIVITY, _("What my roles allow"), "access", "shield-check"),
)


@dataclass(frozen=True, slots=True)
class Item:
    """An entry as this viewer sees it. `current` is the value of aria-current, empty when they are elsewhere."""

    label: str | Promise
    url: str
    icon: str
    current: str
    count: int


@dataclass(frozen=True, slots=True)
class Section:
    label: str | Promise
    items: list[Item]


@dataclass(frozen=True, slots=True)
class HeldNow:
    """What the top bar says of the roles held now: "2 roles active · 41 min" until the first of them ends."""

    url: str
    count: int
    left: str
    ends_at: datetime | None

    @property
    def roles(self) -> str:
        return ngettext("{count} role active", "{count} roles active", self.count).format(count=self.count)

    @property
    def label(self) -> str:
        return f"{self.roles} · {self.left}" if self.left else self.roles


class Shell:
    """Asks nothing before a template does: an error page or a partial costs no query."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = cast("PortalRequest", request)

    @property
    def demo(self) -> bool:
        return settings.PIM_DEMO

    @property
    def zone(self) -> str:
        return timezone.get_current_timezone_name()

    @property
    def theme(self) -> str:
        return str(getattr(self._user, "theme", "system"))

    @cached_property
    def signed_in(self) -> bool:
        """Whether the viewer has passed both factors; before that nothing of the portal is shown."""
        user: Any = self._user  # django-otp gives it `is_verified`, and tells no type checker
        return user is not None and user.is_authenticated and user.is_verified()

    @cached_property
    def navigation(self) -> list[Section]:
        if not self.signed_in:
            return []
        seen = [entry for entry in NAVIGATION if entry.visible(self._request.authority)]
        return [
            Section(label, [self._item(entry) for entry in entries])
            for label, entries in groupby(seen, key=lambda entry: entry.section)
        ]

    @cached_property
    def waiting(self) -> int:
        """What waits for the viewer in all: said on the button of the folded menu."""
        return sum(item.count for section in self.navigation for item in section.items)

    @cached_property
    def held(self) -> HeldNow | None:
        if not self.signed_in:
            return None
        # Being a member of a group is no role that somebody holds with care.
        held = [one for one in self._request.authority.held if one.role_kind != RoleKind.GROUP]
        ends_at = next((one.ends_at for one in held), None)  # they come with the first end first
        left = wording.roughly(ends_at - self._request.now) if ends_at else ""
        return HeldNow(f"{reverse('approvals:my_roles')}?tab=active", len(held), left, ends_at)

    @cached_property
    def elevated_until(self) -> datetime | None:
        """When the viewer's elevated access ends: said at the top of every page while it lasts."""
        elevated = self._request.authority.elevated if self.signed_in else ()
        return max((one.ends_at for one in elevated if one.ends_at), default=None)

    @cached_property
    def operates(self) -> bool:
        return self.signed_in and _may_operate(self._request.authority)

    @cached_property
    def unwell(self) -> list[Vital]:
        """What is wrong with the portal itself, for those who administer it; looked up a few times a minute."""
        if not self.signed_in or not (self.operates or _gives_roles(self._request.authority)):
            return []
        found = cache.get_or_set("unwell", lambda: unwell(self._request.now), LOOKED_UP_EVERY)
        return cast("list[Vital]", found)

    @property
    def _user(self) -> User | None:
        return getattr(self._request, "user", None)

    def _item(self, entry: Entry) -> Item:
        url = reverse(entry.url_name)
        here = getattr(self._request, "menu_path", self._request.path)
        below = url != "/" and (here.startswith(url) or (bool(entry.also) and here.startswith(reverse(entry.also))))
        current = "page" if here == url else "true" if below else ""
        return Item(entry.label, url, entry.icon, current, self._count(entry, anew=here == url))

    def _count(self, entry: Entry, *, anew: bool) -> int:
        count = entry.count
        if count is None:
            return 0
        return count_of(self._request, entry.url_name, lambda: count(self._request), anew=anew)


def shell(request: HttpRequest) -> dict[str, Shell]:
    """Give every template its `shell`."""
    return {"shell": Shell(request)}
