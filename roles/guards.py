"""Who may open a page at all. Every page is closed unless it says otherwise.

`SignedInMiddleware` lets only people through who have given their password and a second factor. A view that is for
others says so with `open_to_strangers` or `open_to_unverified`; a view that needs a role names the permission.
"""

from __future__ import annotations

import functools
import uuid
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeAlias, TypeVar, cast

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse

from roles.catalogue import Permission
from roles.ids import DIRECTORY
from roles.middleware import PortalRequest
from roles.models import Resource, ResourceKind
from roles.models.prepared import Prepared
from roles.places import namespace_of

P = ParamSpec("P")
View = TypeVar("View", bound=Callable[..., HttpResponseBase])
PageView: TypeAlias = Callable[Concatenate[PortalRequest, P], HttpResponseBase]

_PLACE = Prepared(lambda pk: Resource.objects.select_related("group").filter(pk=pk).order_by())
_NODE_OF_GROUP = Prepared(lambda pk: Resource.objects.select_related("group").filter(group=pk).order_by())


def open_to_strangers(view: View) -> View:
    """Let everybody open this page, signed in or not."""
    view.open_to = "strangers"  # type: ignore[attr-defined]
    return view


def open_to_unverified(view: View) -> View:
    """Let people open this page who have given their password, but no second factor yet."""
    view.open_to = "unverified"  # type: ignore[attr-defined]
    return view


def holding(
    permission: Permission,
) -> Callable[
    [Callable[Concatenate[PortalRequest, P], HttpResponseBase]],
    Callable[Concatenate[PortalRequest, P], HttpResponseBase],
]:
    """Answer 403 to whoever holds this permission nowhere. Objects are narrowed by the selectors behind the page."""

    def wrap(view: PageView[P]) -> PageView[P]:
        @functools.wraps(view)
        def guarded(request: PortalRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if not request.authority.anywhere(permission):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return cast("PageView[P]", guarded)

    return wrap


def at_place(
    permission: Permission = Permission.SEE,
) -> Callable[[Callable[..., HttpResponseBase]], Callable[..., HttpResponseBase]]:
    """Open a page of a place to whoever holds this permission there, and hand the view its `place`.

    Without an id in the path (the directory) others get 403; with one 404, exactly as for a random id.
    """

    def wrap(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
        @functools.wraps(view)
        def guarded(
            request: PortalRequest, *args: Any, place: uuid.UUID | None = None, **kwargs: Any
        ) -> HttpResponseBase:
            namespace = request.resolver_match.namespace if request.resolver_match else ""
            found = (_NODE_OF_GROUP if namespace == "group" else _PLACE).first(place or DIRECTORY)
            allowed = (
                found is not None
                and namespace_of(ResourceKind(found.kind)) == namespace
                and request.authority.allows(permission, found)
            )
            if not allowed and place is None and not kwargs:
                raise PermissionDenied
            if not allowed:
                raise Http404
            return view(request, *args, place=found, **kwargs)

        return guarded

    return wrap


class SignedInMiddleware:
    """Close every page to whoever has not given password and second factor in this session."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponseBase | None:
        open_to = getattr(view, "open_to", None) or getattr(getattr(view, "view_class", None), "open_to", None)
        if open_to == "strangers":
            return None
        if not request.user.is_authenticated:
            return redirect_to_login(_way_back(request))
        verified = cast("Any", request.user).is_verified()
        if verified or open_to == "unverified":
            return None
        return redirect_to_login(_way_back(request), login_url=reverse("second_factor"))


def _way_back(request: HttpRequest) -> str:
    # Only a page can be returned to; a form that was posted is filled in again.
    return request.get_full_path() if request.method in ("GET", "HEAD") else "/"
