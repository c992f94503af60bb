"""Tags and filters that every template has: icons, times, tags of status, fields, faces.

A relative time is seen from the request's own moment, so that one page shows one now.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django import template
from django.forms import BoundField
from django.forms.utils import flatatt
from django.template import Context
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from lucide.templatetags.lucide import lucide

from roles import wording
from roles.marks import tag

register = template.Library()

register.filter("exact", wording.exact)
register.filter("day", wording.day)
register.filter("span", wording.span)
register.simple_tag(tag)


@register.simple_tag
@functools.cache
def icon(name: str) -> str:
    """Draw an icon of Lucide beside the words that say the same; screen readers pass over it."""
    return lucide(name, size=18, **{"class": "icon", "aria-hidden": "true"})


@register.simple_tag(takes_context=True)
def moment(context: Context, value: datetime | None) -> SafeString:
    """Say when, relative to now, with the exact time on hover; nothing where there is no time."""
    return _time(value, wording.relative(value, _now(context))) if value else SafeString()


@register.simple_tag(takes_context=True)
def until(context: Context, value: datetime | None) -> SafeString:
    """Say an end like `moment`; "Permanent" where there is none."""
    return _time(value, wording.relative(value, _now(context))) if value else format_html("{}", _("Permanent"))


@register.simple_tag(takes_context=True)
def time_left(context: Context, starts_at: datetime, ends_at: datetime | None) -> SafeString:
    """Say how long something still lasts, with a meter that runs out; static/portal.js keeps both up to date."""
    now = _now(context)
    if ends_at is None or ends_at <= now:
        return until(context, ends_at)
    whole, rest = ends_at - starts_at, ends_at - now
    text = _("{left} left")
    return format_html(
        '<time datetime="{iso}" title="{exact}" data-ends="{iso}" data-left="{text}" data-ended="{ended}">{left}</time>'
        '<meter min="0" max="{whole}" low="{low}" optimum="{whole}" value="{rest}" data-ends="{iso}"'
        ' aria-hidden="true"></meter>',
        iso=ends_at.isoformat(),
        exact=_with_zone(ends_at),
        text=text,
        ended=_("Ended"),
        left=text.format(left=wording.roughly(rest)),
        whole=round(whole.total_seconds()),
        low=round(whole.total_seconds() / 8),
        rest=round(min(whole, rest).total_seconds()),
    )


@register.simple_tag
def avatar(user: Any) -> SafeString:
    """Draw the initials that stand for a person; their name stands beside them or in the button's label."""
    words = str(user).split()
    initials = "".join(word[0] for word in ([words[0], words[-1]] if len(words) > 1 else words)).upper()
    return format_html('<span class="avatar" aria-hidden="true">{}</span>', initials)


@register.inclusion_tag("forms/field.html")
def field(bound: BoundField, after: str = "") -> dict[str, Any]:
    """Show a field with its label, help and errors; `after` stands behind the input, such as a unit."""
    return {"field": bound, "after": after}


@register.simple_tag
def options_of(widget: dict[str, Any]) -> SafeString:
    """Put together the options of a `<select>`, of which there may be hundreds."""
    return format_html_join("", "{}", ((_group(name, options),) for name, options, _index in widget["optgroups"]))


def _group(name: str | None, options: Iterable[dict[str, Any]]) -> SafeString:
    rows = ((one["value"], flatatt(one["attrs"]), one["label"]) for one in options)
    shown = format_html_join("", '<option value="{}"{}>{}</option>', rows)
    return format_html('<optgroup label="{}">{}</optgroup>', name, shown) if name else shown


def _now(context: Context) -> datetime:
    request = context.get("request")
    return getattr(request, "now", None) or timezone.now()


def _time(value: datetime, text: str) -> SafeString:
    return format_html('<time datetime="{}" title="{}">{}</time>', value.isoformat(), _with_zone(value), text)


def _with_zone(value: datetime) -> str:
    return f"{wording.exact(value)} ({timezone.get_current_timezone_name()})"
