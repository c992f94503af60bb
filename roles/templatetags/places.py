"""Places on a page: their addresses, and that something comes from one."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from roles.catalogue import Permission
from roles.marks import link
from roles.markup import format_html
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


def from_place(context: template.Context, place: Resource, page: str) -> SafeString:
    """Say that something comes from this place; only that it comes from above where the viewer may not look there."""
    above = seen_at(context, place, page)
    return format_html("{} {}", _("from"), link(above, place.name)) if above else format_html("{}", _("from above"))


@register.simple_tag(takes_context=True)
def set_where(context: template.Context, source: Resource | None) -> SafeString:
    """Say where settings were set, as the viewer of a place may know it; without a source for the role everywhere."""
    if source is None:
        return format_html("{}", _("for the role everywhere"))
    if source.pk == context["place"].pk:
        return format_html("{}", _("here"))
    return from_place(context, source, "roles")
