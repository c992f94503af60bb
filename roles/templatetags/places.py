"""The addresses of places in templates."""

from __future__ import annotations

from typing import Any

from django import template

from roles.models import Resource
from roles.places import address

register = template.Library()


@register.simple_tag
def at(place: Resource, page: str = "overview", **arguments: Any) -> str:
    """Return the address of a page of this place: `{% at place "role" pk=role.pk %}`."""
    return address(place, page, **arguments)
