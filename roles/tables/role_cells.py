"""What the list of the roles of a place shows of each."""

from __future__ import annotations

from typing import Any

from django.template import Context
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from roles.marks import NOTHING, link, muted, sub
from roles.markup import format_html
from roles.models import Role
from roles.places import address
from roles.templatetags.places import set_where


def role(context: Context, record: Role) -> SafeString:
    """Show the role, of which kind it is, and what it is for."""
    return format_html(
        "<b>{}</b>{}{}",
        link(address(context["place"], "role", pk=record.pk), record.name),
        kinds(record),
        sub(record.description) if record.description else NOTHING,
    )


def kinds(role: Role) -> SafeString:
    """Say what is special about a role, beside its name."""
    those = (
        (role.privileged, _("privileged")),
        (role.home_id is not None, _("custom")),
        (role.retired_at is not None, _("retired")),
    )
    said = " ".join(word for is_so, word in those if is_so)
    return format_html(" {}", sub(said)) if said else NOTHING


def eligible(context: Context, record: Any) -> SafeString:
    """Show how many are eligible, and how many of them by what is above."""
    return _counted(record.holders.eligible, record.holders.eligible_inherited)


def active(context: Context, record: Any) -> SafeString:
    """Show how many are active, and how many of them by what is above."""
    return _counted(record.holders.active, record.holders.active_inherited)


def _counted(count: int, inherited: int) -> SafeString:
    return format_html("{}{}", count, sub(_("{count} inherited").format(count=inherited)) if inherited else NOTHING)


def settings(context: Context, record: Any) -> SafeString:
    """Show whether its settings here are other than the default, and where they were set."""
    if not record.changed:
        return muted(_("Default"))
    return format_html("{}{}", _("Changed"), sub(set_where(context, record.changed.source)))
