"""What the pages of one alert share: which alert it is, and whether its viewer may answer it."""

from __future__ import annotations

from django.http import Http404

from pim_portal.alerts.definitions import BY_KEY
from pim_portal.alerts.definitions.base import AlertKind
from pim_portal.alerts.selectors.sight import answers_by
from roles.middleware import PortalRequest
from roles.models import Resource


def kind_at(place: Resource, key: str) -> AlertKind:
    """Return the kind of alert of this key that the place shows; 404 for any other."""
    kind = BY_KEY.get(key)
    if kind is None or not kind.stands_at(place):
        raise Http404
    return kind


def answered_at(request: PortalRequest, place: Resource, key: str) -> AlertKind:
    """Return the kind of alert for who may answer it there; 404 for all others, as for an unknown one."""
    kind = kind_at(place, key)
    if answers_by(request.authority, kind, place) is None:
        raise Http404
    return kind
