"""Small pieces of a page that are put together in many places: too small, and too many on a page, for a template."""

from __future__ import annotations

from datetime import datetime

from django.forms.utils import flatatt
from django.template import Context
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from roles import wording
from roles.markup import format_html

NOTHING = SafeString()


def tag(status: str, label: str) -> SafeString:
    """Show a status as a dot and a word: good, warn, bad, brand, or a status of the product (pending, granted ...)."""
    return format_html('<span class="tag" data-status="{}">{}</span>', status, label)


def emergency_tag() -> SafeString:
    """Mark what was activated without waiting for approval."""
    return tag("bad", _("Emergency"))


def sub(words: object) -> SafeString:
    """Show what stands small below the content of a cell."""
    return format_html('<span class="sub">{}</span>', words)


def muted(words: object) -> SafeString:
    """Show what is less than a content, such as that there is none."""
    return format_html('<span class="muted">{}</span>', words)


def link(address: str, words: object) -> SafeString:
    """Show a link; without an address its words alone."""
    return format_html('<a href="{}">{}</a>', address, words) if address else format_html("{}", words)


def button(address: str, words: object, hidden: object, *, look: str = "button", panel: bool = False) -> SafeString:
    """Show a link as a button in a row; `hidden` tells a screen reader which row, `panel` opens beside the page."""
    sentence = '<a class="{}" href="{}"{}>{}<span class="visually-hidden"> {}</span></a>'
    return format_html(sentence, look, address, flatatt({"data-panel": panel}), words, hidden)


def moment(context: Context, value: datetime | None) -> SafeString:
    """Say when, relative to now, with the exact time on hover; nothing where there is no time."""
    return _time(value, wording.relative(value, now_of(context))) if value else NOTHING


def until(context: Context, value: datetime | None) -> SafeString:
    """Say an end like `moment`; "Permanent" where there is none."""
    return _time(value, wording.relative(value, now_of(context))) if value else format_html("{}", _("Permanent"))


def time_left(context: Context, starts_at: datetime, ends_at: datetime | None) -> SafeString:
    """Say how long something still lasts, with a meter that runs out; static/portal.js keeps both up to date."""
    now = now_of(context)
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


def now_of(context: Context) -> datetime:
    """Return the moment of the request that a page answers: one page shows one now."""
    request = context.get("request")
    return getattr(request, "now", None) or timezone.now()


def _time(value: datetime, text: str) -> SafeString:
    return format_html('<time datetime="{}" title="{}">{}</time>', value.isoformat(), _with_zone(value), text)


def _with_zone(value: datetime) -> str:
    zone = timezone.get_current_timezone()
    return f"{wording.exact(value, zone)} ({zone})"
