"""What the lists of requests show of each; the view hangs on a row what no column has."""

from __future__ import annotations

from typing import Any

from django.middleware.csrf import get_token
from django.template import Context
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext as _

from approvals.models import Action, Request, Status, Verdict
from approvals.tables.marks import kind_of, request_page, status_tag
from approvals.wording import what_is_wanted
from roles.addresses import address_of
from roles.marks import NOTHING, button, emergency_tag, link, moment, muted, sub
from roles.markup import format_html, format_html_join
from roles.models import User
from roles.wording import exact, span

_REASON, _JUSTIFICATION = 140, 120  # characters of them in a list


def requestor(context: Context, record: Any) -> SafeString:
    """Show who asks, where they work and whom they report to."""
    name = link(request_page(record.pk), record.principal.name)
    around = _around(record.person) if hasattr(record, "person") else ""
    return format_html("<b>{}</b>{}", name, sub(around) if around else NOTHING)


def _around(person: User) -> str:
    manager = _("reports to {manager}").format(manager=person.manager.name) if person.manager else ""
    return " · ".join(filter(None, (person.department, manager)))


def request_role(context: Context, record: Request) -> SafeString:
    """Show the role that is asked for, as the way to the request."""
    return format_html("<b>{}</b>{}", link(request_page(record.pk), record.role.name), sub(kind_of(record.role)))


def role_and_scope(context: Context, record: Any) -> SafeString:
    """Show the role and where it is asked for."""
    privileged = format_html(" {}", muted(f"({_('privileged')})")) if record.role.privileged else NOTHING
    return format_html("{}{}{}", record.role.name, privileged, sub(f"{record.resource.name}, {record.place}"))


def action(context: Context, record: Request) -> SafeString:
    """Show what is to be done."""
    return format_html("{}", Action(record.action).label)


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


def _nobody(record: Any) -> str:
    """Say why nobody decided: nobody had to, nobody was asked, or nobody has until now."""
    if record.status_now == Status.GRANTED:
        return _("Nobody was asked") if record.break_glass else _("No approval needed")
    return _("Nobody yet") if record.status_now == Status.PENDING else _("Nobody decided")


def decisions(context: Context, record: Any) -> SafeString:
    """Show what was said of a request, and by whom."""
    if not record.said:
        return muted(_nobody(record))
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
    return button(request_page(record.pk), _("Review"), words)


def request_actions(context: Context, record: Any) -> SafeString:
    """Show what its author can do with a request: call it off while it waits, or open it."""
    if record.status_now != Status.PENDING:
        return button(request_page(record.pk), _("Open"), record.role.name, look="button quiet")
    return format_html(
        '<form method="post" action="{}"><input type="hidden" name="csrfmiddlewaretoken" value="{}">'
        '<button class="button" type="submit">{}<span class="visually-hidden"> {}</span></button></form>',
        address_of("approvals:cancel", pk=record.pk),
        get_token(context["request"]),
        _("Cancel"),
        record.role.name,
    )


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
    return format_html("{}{}", Action(record.action).label, sub(end))
