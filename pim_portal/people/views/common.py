"""What the pages of people and groups share: who may open the page of one object, and the tabs of both lists."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from django.http import Http404
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _

from roles.catalogue import Permission
from roles.middleware import PortalRequest
from roles.tabs import Tab

Answer = HttpResponseBase
PageOfOne = Callable[..., Answer]


def only_with(permission: Permission) -> Callable[[PageOfOne], PageOfOne]:
    """Answer 404 on the page of one object, as for a random id, to whoever does not hold this permission."""

    def wrap(view: PageOfOne) -> PageOfOne:
        @functools.wraps(view)
        def guarded(request: PortalRequest, *args: Any, **kwargs: Any) -> Answer:
            if not request.authority.anywhere(permission):
                raise Http404
            return view(request, *args, **kwargs)

        return guarded

    return wrap


def tabs(request: PortalRequest, current: str) -> list[Tab]:
    """Return the tabs of the two lists; who owns groups and sees no people has one only."""
    people = [Tab(_("People"), reverse("people"), current == "people")]
    groups = [Tab(_("Groups"), reverse("groups"), current == "groups")]
    return people + groups if request.authority.anywhere(Permission.SEE_PEOPLE) else groups
