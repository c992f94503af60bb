"""What the lists of one's own roles show of each; the view hangs on a row what no column has."""

from __future__ import annotations

from typing import Any

from django.template import Context
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from approvals.tables.marks import kind_of, request_page
from approvals.wording import what_is_asked
from roles.addresses import address_of
from roles.marks import NOTHING, button, emergency_tag, moment, sub, tag, time_left, until
from roles.markup import format_html, format_html_join
from roles.models import AssignmentType


def role(context: Context, record: Any) -> SafeString:
    """Show the role."""
    return format_html("<b>{}</b>{}", record.role.name, sub(kind_of(record.role)))


def where(context: Context, record: Any) -> SafeString:
    """Show where, and through which group."""
    through = getattr(record, "through", "")
    return format_html("{}{}{}", record.resource.name, sub(record.place), sub(through) if through else NOTHING)


def eligible_until(context: Context, record: Any) -> SafeString:
    """Show how long somebody is eligible, and what activating takes."""
    return format_html("{}{}", until(context, record.standing.ends_at), sub(what_is_asked(record.standing.settings)))


def standing(context: Context, record: Any) -> SafeString:
    """Show how an eligibility stands: active, planned, waiting, or ready."""
    now = record.standing
    others = ngettext("and {more} more", "and {more} more", now.others).format(more=now.others) if now.others else ""
    return format_html("{}{}", _standing(context, record), sub(others) if others else NOTHING)


def _standing(context: Context, record: Any) -> SafeString:
    now = record.standing
    if now.active:
        return _active(context, record)
    if now.planned:
        return format_html("{}{}", tag("scheduled", _("Planned")), sub(moment(context, now.planned.starts_at)))
    if now.waiting:
        lapses = format_html("{} {}", _("lapses"), moment(context, now.waiting.lapses_at))
        return format_html("{}{}", tag("pending", _("Waiting for approval")), sub(lapses))
    return tag("warn", _("Ends soon")) if now.ends_soon else tag("ready", _("Ready"))


def _active(context: Context, record: Any) -> SafeString:
    active = record.standing.active
    elsewhere = active.resource_id != record.resource_id
    return format_html(
        "{}{}{}{}",
        tag("active", _("Active")),
        format_html(" {}", emergency_tag()) if active.break_glass else NOTHING,
        sub(time_left(context, active.starts_at, active.ends_at)),
        sub(_("at {place}").format(place=active.resource.name)) if elsewhere else NOTHING,
    )


def standing_actions(context: Context, record: Any) -> SafeString:
    """Show what can be done with an eligibility."""
    now, name = record.standing, record.role.name
    buttons = []
    if now.activation:
        word = _("Deactivate") if now.active else _("Call off")
        buttons.append(button(address_of("approvals:deactivate", pk=now.activation.pk), word, name, panel=True))
    if now.waiting:
        buttons.append(button(request_page(now.waiting.pk), _("See request"), name))
    if record.ready:
        there = f"{address_of('approvals:activate')}?eligibility={record.pk}"
        buttons.append(button(there, _("Activate"), name, panel=True))
    return _beside(_keeping(record), *buttons)


def _keeping(record: Any) -> SafeString:
    """What can be done so that it does not end: see what was asked, extend, renew, prolong."""
    keeping, name = record.keeping, record.role.name
    if keeping.asked:
        return button(request_page(keeping.asked.pk), _("See request"), name)
    ways = (
        (keeping.can_extend, "approvals:extend", _("Extend")),
        (keeping.can_renew, "approvals:renew", _("Renew")),
        (keeping.can_prolong, "approvals:prolong", _("Prolong")),
    )
    for possible, page, word in ways:
        if possible:
            return button(address_of(page, pk=record.pk), word, name, panel=True)
    return NOTHING


def _beside(*pieces: SafeString) -> SafeString:
    return format_html_join("\n", "{}", ((one,) for one in pieces if one))


def state(context: Context, record: Any) -> SafeString:
    """Show how somebody came to hold a role."""
    if record.activated_from_id:
        emergency = format_html(" {}", emergency_tag()) if record.break_glass else NOTHING
        return format_html("{}{}", _("Activated"), emergency)
    return format_html("{}", _("Eligible") if record.type == AssignmentType.ELIGIBLE else _("Assigned"))


def held_until(context: Context, record: Any) -> SafeString:
    """Show how long a role is still held."""
    if record.ends_at:
        return time_left(context, record.starts_at, record.ends_at)
    return format_html("{}", _("Permanent"))


def held_actions(context: Context, record: Any) -> SafeString:
    """Show what can be done with a role that is held."""
    ends = NOTHING
    if record.activated_from_id:
        ends = button(address_of("approvals:deactivate", pk=record.pk), _("Deactivate"), record.role.name, panel=True)
    return _beside(_its_request(record) if record.activated_from_id else NOTHING, _keeping(record), ends)


def ended(context: Context, record: Any) -> SafeString:
    """Show when it was over, and why."""
    return format_html("{}{}", moment(context, record.over), sub(record.why))


def ended_actions(context: Context, record: Any) -> SafeString:
    """Show what can be done about a role that ended."""
    return _beside(_its_request(record), _keeping(record))


def _its_request(record: Any) -> SafeString:
    asked = getattr(record, "granted_by_request", None)
    return button(request_page(asked.pk), _("See request"), record.role.name, look="button quiet") if asked else NOTHING
