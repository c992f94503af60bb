"""What the lists of requests and of one's own roles show of each row; the view hangs on it what no column has."""

from __future__ import annotations

from typing import Any

from django.middleware.csrf import get_token
from django.template import Context
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from approvals.models import Action, Request, Status, Verdict
from approvals.wording import what_is_asked, what_is_wanted
from roles.addresses import address_of
from roles.marks import NOTHING, button, link, moment, muted, sub, tag, time_left, until
from roles.models import AssignmentType, Role, RoleKind, User
from roles.wording import exact, span

_REASON, _JUSTIFICATION = 140, 120  # characters of them in a list


def kind_of(role: Role) -> str:
    """Say what sort of role it is: its category in the directory, else its kind."""
    kind = role.category if role.kind == RoleKind.DIRECTORY and role.category else role.get_kind_display()
    return f"{kind} · {_('privileged')}" if role.privileged else str(kind)


def emergency_tag() -> SafeString:
    """Mark what was activated without waiting for approval."""
    return tag("bad", _("Emergency"))


def _request(pk: Any) -> str:
    return address_of("approvals:request", pk=pk)


# Requests.


def requestor(context: Context, record: Any) -> SafeString:
    """Show who asks, where they work and whom they report to."""
    name = link(_request(record.pk), record.principal.name)
    around = _around(record.person) if hasattr(record, "person") else ""
    return format_html("<b>{}</b>{}", name, sub(around) if around else NOTHING)


def _around(person: User) -> str:
    manager = _("reports to {manager}").format(manager=person.manager.name) if person.manager else ""
    return " · ".join(filter(None, (person.department, manager)))


def request_role(context: Context, record: Request) -> SafeString:
    """Show the role that is asked for, as the way to the request."""
    return format_html("<b>{}</b>{}", link(_request(record.pk), record.role.name), sub(kind_of(record.role)))


def role_and_scope(context: Context, record: Any) -> SafeString:
    """Show the role and where it is asked for."""
    privileged = format_html(" {}", muted(f"({_('privileged')})")) if record.role.privileged else NOTHING
    return format_html("{}{}{}", record.role.name, privileged, sub(f"{record.resource.name}, {record.place}"))


def action(context: Context, record: Request) -> SafeString:
    """Show what is to be done."""
    return format_html("{}", record.get_action_display())


def asked(context: Context, record: Request) -> SafeString:
    """Show when it was asked, and for how long."""
    return format_html("{}{}", moment(context, record.made_at), sub(what_is_wanted(record)))


def wanted(context: Context, record: Request) -> SafeString:
    """Show how long somebody wants to be active, and from when on."""
    if record.action == Action.PROLONG:
        since = _("more, from approval")
    elif record.wanted_start:
        since = _("not before {start}").format(start=exact(record.wanted_start))
    else:
        since = _("from approval")
    return format_html("{}{}", span(record.time), sub(since))


def reason(context: Context, record: Request) -> SafeString:
    """Show why, and the ticket."""
    why = _short(record.reason, _REASON) or "–"
    ticket = record.ticket or (_("no ticket") if record.wanted_duration else "")
    return format_html("{}{}", why, sub(ticket) if ticket else NOTHING)


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else Truncator(text).chars(most)


def status_tag(status: str) -> SafeString:
    """Show the status of a request."""
    return tag(status, str(Status(status).label))


def request_status(context: Context, record: Any) -> SafeString:
    """Show how a request reads now, and what of its times matters then."""
    emergency = format_html(" {}", emergency_tag()) if record.break_glass else NOTHING
    return format_html("{}{}{}", status_tag(record.status_now), emergency, _time_that_matters(context, record))


def _time_that_matters(context: Context, record: Any) -> SafeString:
    if record.status_now == Status.PENDING:
        return sub(format_html("{} {}", _("lapses"), moment(context, record.lapses_at)))
    if record.status_now == Status.GRANTED and record.result:
        end = record.result.over_at
        return sub(f"{_('until')} {exact(end)}" if end else _("Permanent"))
    return sub(moment(context, record.decided_at)) if record.decided_at else NOTHING


def decisions(context: Context, record: Any) -> SafeString:
    """Show what was said of a request, and by whom."""
    if not record.said:
        return muted(_("Nobody decided"))
    rows = (
        (
            one.said_by,
            _short(one.justification, _JUSTIFICATION),
            sub(format_html("{}, {}", Verdict(one.verdict).label, moment(context, one.decided_at))),
        )
        for one in record.said
    )
    return format_html_join("", "<div>{}: {}{}</div>", rows)


def who_decides(context: Context, record: Any) -> SafeString:
    """Show whom a request waits for, and how many have agreed where it takes several."""
    if not record.stage:
        return muted("–")
    return format_html("{}{}", record.deciders or "–", _agreed(record.stage))


def lapses(context: Context, record: Any) -> SafeString:
    """Show until when it can be decided, and how many have agreed where it takes several."""
    return format_html("{}{}", moment(context, record.lapses_at), _agreed(record.stage))


def _agreed(stage: Any) -> SafeString:
    if stage is None or stage.panel.quorum < 2:
        return NOTHING
    return sub(_("{agreed} of {quorum} approved").format(agreed=stage.agreed, quorum=stage.panel.quorum))


def review(context: Context, record: Request) -> SafeString:
    """Show the way to a request that waits."""
    words = _("{person}, {role}").format(person=record.principal.name, role=record.role.name)
    return button(_request(record.pk), _("Review"), words)


def request_actions(context: Context, record: Any) -> SafeString:
    """Show what its author can do with a request: call it off while it waits, or open it."""
    if record.status_now != Status.PENDING:
        return button(_request(record.pk), _("Open"), record.role.name, look="button quiet")
    return format_html(
        '<form method="post" action="{}"><input type="hidden" name="csrfmiddlewaretoken" value="{}">'
        '<button class="button" type="submit">{}<span class="visually-hidden"> {}</span></button></form>',
        address_of("approvals:cancel", pk=record.pk),
        get_token(context["request"]),
        _("Cancel"),
        record.role.name,
    )


# Roles.


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
        buttons.append(button(_request(now.waiting.pk), _("See request"), name))
    if record.ready:
        there = f"{address_of('approvals:activate')}?eligibility={record.pk}"
        buttons.append(button(there, _("Activate"), name, panel=True))
    return _beside(*buttons, _keeping(record))


def _keeping(record: Any) -> SafeString:
    """What can be done so that it does not end: see what was asked, extend, renew, prolong."""
    keeping, name = record.keeping, record.role.name
    if keeping.asked:
        return button(_request(keeping.asked.pk), _("See request"), name)
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
    return _beside(_keeping(record), _its_request(record) if record.activated_from_id else NOTHING, ends)


def ended(context: Context, record: Any) -> SafeString:
    """Show when it was over, and why."""
    return format_html("{}{}", moment(context, record.over), sub(record.why))


def ended_actions(context: Context, record: Any) -> SafeString:
    """Show what can be done about a role that ended."""
    return _beside(_keeping(record), _its_request(record))


def _its_request(record: Any) -> SafeString:
    asked = getattr(record, "granted_by_request", None)
    return button(_request(asked.pk), _("See request"), record.role.name, look="button quiet") if asked else NOTHING


# Extensions and renewals.


def present_end(context: Context, record: Any) -> SafeString:
    """Show when what is to be kept ends, or ended."""
    about = record.assignment
    if record.action == Action.RENEW:
        end = format_html("{} {}", _("Ended"), moment(context, about.over_at))
    else:
        end = moment(context, about.ends_at)
    return format_html("{}{}", end, sub(about.get_type_display()))


def wanted_end(context: Context, record: Request) -> SafeString:
    """Show what is asked for, and until when."""
    end = _("until {end}").format(end=exact(record.wanted_end)) if record.wanted_end else _("without an end")
    return format_html("{}{}", record.get_action_display(), sub(end))
