"""What the list of who can do what shows of each row: who, which role, when and how they come to it, until when."""

from __future__ import annotations

from typing import Any

from django.template import Context
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from roles import wording
from roles.addresses import address_of
from roles.marks import NOTHING, link, sub, tag, until
from roles.markup import format_html
from roles.places import address


def person(context: Context, record: Any) -> SafeString:
    """Show who it is, and below the name what tells two of one name apart."""
    who = record.reach.person
    there = address_of("person", pk=who.pk) if record.people_shown else ""
    return format_html("<b>{}</b>{}", link(there, who.name), sub(who.username))


def when(context: Context, record: Any) -> SafeString:
    """Show whether they have it now."""
    if record.reach.now:
        return tag("active", _("Now"))
    approval = sub(_("needs approval")) if record.reach.approval else NOTHING
    return format_html("{}{}", tag("brand", _("After activation")), approval)


def how(context: Context, record: Any) -> SafeString:
    """Show through which group, and from which place above, as far as the viewer may know."""
    group, above = record.reach.group, record.reach.above
    words: object = NOTHING if above else _("Direct")
    if group:
        there = address_of("group", place=group.pk) if record.people_shown else ""
        words = format_html("<span>{} {}</span>", _("Through"), link(there, group.name))
    if not above:
        return format_html("{}", words)
    known = format_html("{} {}", _("Inherited from"), link(address(above), above.name))
    return format_html("{}{}", words, sub(known if record.above_shown else _("Inherited from above")))


def end(context: Context, record: Any) -> SafeString:
    """Show until when, and since when."""
    since = format_html("{} {}", _("since"), wording.day(record.reach.since))
    return format_html("{}{}", until(context, record.reach.until), sub(since))
