"""What the lists of assignments show of each: who has it, which role, how it comes here, since when, how it ends."""

from __future__ import annotations

from typing import Any

from django.template import Context
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from roles.addresses import address_of
from roles.marks import NOTHING, button, emergency_tag, link, moment, muted, now_of, sub, tag, until
from roles.markup import format_html
from roles.models import AssignmentType, PrincipalKind, ResourceKind
from roles.places import address
from roles.selectors.assignment_lists import GROUP, INHERITED
from roles.templatetags.places import from_place, seen_at


def named(context: Context, holder: Any, record: Any = None) -> SafeString:
    """Show who has an assignment.

    Whoever sees no people gets to what they have at the place, where that is not over and does not come from above.
    """
    return link(_where_named(context, holder, record), holder.name)


def _where_named(context: Context, holder: Any, record: Any) -> str:
    if context.get("may_see_people"):
        is_group = holder.kind == PrincipalKind.GROUP
        return address_of("group", place=holder.pk) if is_group else address_of("person", pk=holder.pk)
    place = context.get("place")
    if holder.kind != PrincipalKind.USER or not place or place.kind == ResourceKind.GROUP:
        return ""
    end = getattr(record, "over", None)
    over = context.get("over") or (end is not None and end <= now_of(context))
    from_above = getattr(record, "membership", "") == INHERITED
    return "" if over or from_above else address(place, "person_at", pk=holder.pk)


def holder(context: Context, record: Any) -> SafeString:
    """Show who has it, and below the name what tells two of one name apart."""
    principal = record.principal
    known_as = _("Group") if principal.kind == PrincipalKind.GROUP else principal.user.username
    return format_html("<b>{}</b>{}", named(context, principal, record), sub(known_as))


def role(context: Context, record: Any) -> SafeString:
    """Show the role."""
    return format_html("{}{}", record.role.name, sub(_("privileged")) if record.role.privileged else NOTHING)


def membership(context: Context, record: Any) -> SafeString:
    """Show how the role reaches the place, seen from it."""
    if record.membership == INHERITED:
        return format_html("{}{}", _("Inherited"), sub(from_place(context, record.resource, "assignments")))
    if record.membership == GROUP:
        through = sub(record.activated_from.principal.name) if record.activated_from_id else NOTHING
        return format_html("{}{}", _("Group"), through)
    return format_html("{}", _("Direct"))


def state(context: Context, record: Any) -> SafeString:
    """Show whether it was activated, and how; in colour only what is not over."""
    if record.type == AssignmentType.ELIGIBLE:
        return muted(_("Eligible"))
    if not record.activated_from_id:
        return tag("assigned", _("Assigned"))
    emergency = emergency_tag() if record.break_glass else NOTHING
    over = record.over_at is not None and record.over_at <= now_of(context)
    return format_html("{} {}", tag("over" if over else "active", _("Activated")), emergency)


def start(context: Context, record: Any) -> SafeString:
    """Show since when it is there."""
    return moment(context, record.starts_at)


def end(context: Context, record: Any) -> SafeString:
    """Show until when, and where it has an end, of what kind that is."""
    return format_html("{}{}", until(context, record.ends_at), sub(lasting(record)) if record.ends_at else NOTHING)


def lasting(record: Any) -> str:
    """Say for how long it was given."""
    if record.activated_from_id:
        return _("Activation")
    if record.ends_at:
        return _("Expire eligible") if record.type == AssignmentType.ELIGIBLE else _("Expire active")
    return _("Permanent eligible") if record.type == AssignmentType.ELIGIBLE else _("Permanent active")


def ended(context: Context, record: Any) -> SafeString:
    """Show when it was over, and why."""
    why = record.get_end_reason_display() if record.end_reason else _("Its time was over")
    return format_html("{}{}", moment(context, record.over_at), sub(why))


def acts(context: Context, record: Any) -> SafeString:
    """Show the way to its page, to whoever may go there."""
    where = seen_at(context, record.resource, "assignment", pk=record.pk)
    words = _("of {role}, {name}").format(role=record.role.name, name=record.principal.name)
    return button(where, _("Details"), words, look="button small quiet") if where else NOTHING
