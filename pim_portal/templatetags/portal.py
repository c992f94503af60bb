"""Tags and filters that every template has: icons, times, tags of status, fields, faces.

A relative time is seen from the request's own moment, so that one page shows one now.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any

from django import template
from django.forms import BoundField, Select
from django.forms.utils import flatatt
from django.utils.safestring import SafeString
from lucide.templatetags.lucide import lucide

from roles import marks, wording
from roles.markup import format_html, format_html_join

register = template.Library()

register.filter("exact", wording.exact)
register.filter("day", wording.day)
register.filter("span", wording.span)
register.simple_tag(marks.tag)
register.simple_tag(marks.moment, takes_context=True)
register.simple_tag(marks.until, takes_context=True)
register.simple_tag(marks.time_left, takes_context=True)


@register.simple_tag
@functools.cache
def icon(name: str) -> str:
    """Draw an icon of Lucide beside the words that say the same; screen readers pass over it."""
    return lucide(name, size=18, **{"class": "icon", "aria-hidden": "true"})


@register.simple_tag
def avatar(user: Any) -> SafeString:
    """Draw the initials that stand for a person; their name stands beside them or in the button's label."""
    words = str(user).split()
    initials = "".join(word[0] for word in ([words[0], words[-1]] if len(words) > 1 else words)).upper()
    return format_html('<span class="avatar" aria-hidden="true">{}</span>', initials)


@register.inclusion_tag("forms/field.html")
def field(bound: BoundField, after: str = "") -> dict[str, Any]:
    """Show a field with its label, help and errors; `after` stands behind the input, such as a unit."""
    return {"field": bound, "after": after, "always_answered": _always_answered(bound)}


def _always_answered(bound: BoundField) -> bool:
    """Whether a list offers no empty choice, so that "required" would ask for what nobody can leave out."""
    choices = bound.field.widget.choices if type(bound.field.widget) is Select else []
    return bound.field.required and bool(choices) and all(value not in ("", None) for value, _label in choices)


@register.simple_tag
def options_of(widget: dict[str, Any]) -> SafeString:
    """Put together the options of a `<select>`, of which there may be hundreds."""
    return format_html_join("", "{}", ((_group(name, options),) for name, options, _index in widget["optgroups"]))


def _group(name: str | None, options: Iterable[dict[str, Any]]) -> SafeString:
    rows = ((one["value"], flatatt(one["attrs"]), one["label"]) for one in options)
    shown = format_html_join("", '<option value="{}"{}>{}</option>', rows)
    return format_html('<optgroup label="{}">{}</optgroup>', name, shown) if name else shown
