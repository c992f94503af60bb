"""Django admin, to look things up in: behind the portal's own sign-in, a second factor and a role held now.

Nothing is changed here. What somebody sees is what their roles show them anywhere else: a directory role opens the
admin and shows the directory; of the resources it shows what a resource role held there does.
"""

from __future__ import annotations

from functools import update_wrapper
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlencode

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from roles.authority import Authority
from roles.catalogue import Permission
from roles.middleware import PortalRequest

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Any]
else:
    _ModelAdmin = admin.ModelAdmin


class ReadOnlyAdmin(_ModelAdmin):
    """A model to look at. A subclass names the permission that shows it, and narrows the rows to what it shows."""

    permission = Permission.SEE
    hidden: tuple[str, ...] = ()
    list_per_page = 50
    show_full_result_count = False
    actions = None

    def narrow(self, rows: QuerySet[Any], authority: Authority) -> QuerySet[Any]:
        """Return only the rows of the worlds that this person may see."""
        return rows

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return self.narrow(super().get_queryset(request), authority_of(request))

    def get_exclude(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        return self.hidden

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        # Only what the filters beside the list ask. Django lets more be asked: a secret by its beginning, letter by
        # letter, what stands behind the key of what refers to a row, an expression that a database never ends to match.
        asked = {f"{name}{how}" for name in self.get_list_filter(request) for how in ("", "__exact", "__isnull")}
        return lookup in asked and "\0" not in value  # which PostgreSQL refuses

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        raise Http404  # of Django's own, which is always empty: what happened stands in the audit history

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return authority_of(request).allows(self.permission)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class PortalAdminSite(admin.AdminSite):
    """Opens to people who have given a second factor and hold a role that may use it, for as long as they hold it."""

    site_header = _("Privileged Identity Management: look things up")
    site_title = _("Privileged Identity Management")
    index_title = _("Read-only")
    site_url = "/"
    enable_nav_sidebar = False

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Register a read-only admin. Those that other packages bring (tasks, groups, devices) are passed over."""
        if admin_class is not None and issubclass(admin_class, ReadOnlyAdmin):
            super().register(model_or_iterable, admin_class, **options)

    def has_permission(self, request: HttpRequest) -> bool:
        user = cast("Any", request.user)
        if not (user.is_authenticated and user.is_verified()):
            return False
        return authority_of(request).allows(Permission.USE_ADMIN)

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        inner = super().admin_view(view, cacheable)

        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            # Django would send somebody who is signed in, but may not, to the sign-in and back again for ever.
            if not self.has_permission(request):
                raise PermissionDenied
            return cast("HttpResponseBase", inner(request, *args, **kwargs))

        return update_wrapper(guarded, view)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return redirect(f"{reverse('sign_in')}?{urlencode({'next': reverse('admin:index')})}")

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        from pim_portal.accounts.views.sign_in import sign_out

        return sign_out(cast("PortalRequest", request))

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return redirect("password_change")

    def password_change_done(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return redirect("account")


def authority_of(request: HttpRequest) -> Authority:
    return cast("PortalRequest", request).authority
