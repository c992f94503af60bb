"""What the list of the settings of a place shows of each role; `SettingsList.dress` hangs on the rows what it takes."""

from __future__ import annotations

from typing import Any

from django.template import Context
from django.template.defaultfilters import capfirst
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from roles import wording
from roles.marks import NOTHING, link, moment, muted, sub
from roles.markup import format_html
from roles.places import address
from roles.tables.role_cells import kinds
from roles.templatetags.places import set_where


def role(context: Context, record: Any) -> SafeString:
    """Show the role, and of which kind it is."""
    return format_html(
        "<b>{}</b>{}", link(address(context["place"], "role_settings", pk=record.pk), record.name), kinds(record)
    )


def source(context: Context, record: Any) -> SafeString:
    """Show where its settings were set, as the viewer may know it."""
    if record.settings_here.is_default:
        return muted(_("Default"))
    same = NOTHING if record.changed else sub(_("the same as the default"))
    return format_html("{}{}", capfirst(set_where(context, record.source)), same)


def longest(context: Context, record: Any) -> str:
    """Show for how long it may be activated."""
    return wording.span(record.settings_here.max_activation)


def approval(context: Context, record: Any) -> SafeString:
    """Show through how many stages an activation goes."""
    if not record.settings_here.approval_required:
        return muted(_("Not required"))
    stages = len(record.settings_here.stages)
    return format_html("{}", ngettext("{count} stage", "{count} stages", stages).format(count=stages))


def last_changed(context: Context, record: Any) -> SafeString:
    """Show when its settings were changed, and by whom, where the viewer may know."""
    settings = record.settings_here
    if not (record.told and settings.changed_at):
        return muted("–")
    return format_html(
        "{}{}", moment(context, settings.changed_at), sub(settings.changed_by) if settings.changed_by else NOTHING
    )
