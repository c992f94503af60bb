"""The addresses of places in templates."""

from __future__ import annotations

from typing import Any

from django import template

from roles.catalogue import Permission
from roles.models import Resource
from roles.places import address

register = template.Library()


@register.simple_tag
def at(place: Resource, page: str = "overview", **arguments: Any) -> str:
    """Return the address of a page of this place: `{% at place "role" pk=role.pk %}`."""
    return address(place, page, **arguments)


@register.simple_tag(takes_context=True)
def seen_at(context: template.Context, place: Resource, page: str = "overview", **arguments: Any) -> str:
    """Return the address of a page of this place, or nothing where the viewer may not look there."""
    allowed = context["request"].authority.allows(Permission.SEE, place)
    return address(place, page, **arguments) if allowed else ""
