"""What reviewers are shown of each assignment, and where they say their verdict; the page around knows the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.forms.utils import flatatt
from django.template import Context
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from reviews.models import Opinion, Verdict
from reviews.wording import reason_of_recommendation
from roles import wording
from roles.addresses import address_of
from roles.marks import NOTHING, link, moment, sub, tag
from roles.markup import format_html, format_html_join
from roles.models import AssignmentType, PrincipalKind

LONGEST = 200  # characters of a reason in a list; its page has it all


def who(context: Context, record: Verdict) -> SafeString:
    """Show whose assignment it is, and through which group they have it."""
    is_group = record.principal_kind == PrincipalKind.GROUP
    page = ""
    if context.get("may_see_people"):
        key = record.principal_id
        page = address_of("group", place=key) if is_group else address_of("person", pk=key)
    name = link(page, record.principal_name)
    below = NOTHING
    if record.through_id:
        below = sub(_("through {group}").format(group=record.through_name))
    elif is_group:
        below = sub(_("group"))
    return format_html("<b>{}</b>{}", name, below)


def role(context: Context, record: Verdict) -> SafeString:
    """Show which role, of which type, and where."""
    inherited = _(", inherited") if record.inherited else ""
    where = f"{record.get_type_display()} · {record.resource_name}{inherited}"
    return format_html("{}{}", record.role_name, sub(where))


def since(context: Context, record: Verdict) -> SafeString:
    """Show since when and until when; to a reviewer also what was said in earlier instances."""
    until = _("until {day}").format(day=wording.day(record.until)) if record.until else _("Permanent")
    said = earlier(context, record) if context.get("stage") else NOTHING
    return format_html("{}{}{}", moment(context, record.since), sub(until), said)


def earlier(context: Context, record: Verdict) -> SafeString:
    """Show what was said of the same in earlier instances, folded away; nothing where nothing was."""
    before: Sequence[Verdict] = _of(context.get("earlier"), record) or ()
    if not before:
        return NOTHING
    count = ngettext("In earlier instances: {count}", "In earlier instances: {count}", len(before))
    lines = (
        (
            one.get_verdict_display(),
            one.reviewer_name or one.get_how_display(),
            wording.day(one.decided_at) if one.decided_at else "",
            _reason(one),
        )
        for one in before
    )
    return format_html(
        '<details class="past"><summary>{}</summary><ol>{}</ol></details>',
        count.format(count=len(before)),
        format_html_join("", "<li>{} · {}, {}{}</li>", lines),
    )


def used(context: Context, record: Verdict) -> SafeString:
    """Show when it was used: an eligibility, by activating it; and when its holder signed in."""
    signed_in = _("No sign-in known")
    if record.last_sign_in_at:
        signed_in = format_html("{} {}", _("Signed in"), moment(context, record.last_sign_in_at))
    return format_html("{}{}", _activated(context, record), sub(signed_in))


def _activated(context: Context, record: Verdict) -> SafeString:
    if record.type != AssignmentType.ELIGIBLE:
        return NOTHING
    last = format_html("{}", _("Never activated"))
    if record.last_activated_at:
        last = format_html("{} {}", _("Activated"), moment(context, record.last_activated_at))
    if not record.activations:
        return last
    often = ngettext("once in {days} days", "{count} times in {days} days", record.activations)
    return format_html("{}{}", last, sub(often.format(count=record.activations, days=context["look_back"])))


def recommendation(context: Context, record: Verdict) -> SafeString:
    """Show what is recommended, and why."""
    if record.because == "off":
        return format_html("–")
    why = reason_of_recommendation(record, context["look_back"])
    return format_html("{}{}", tag(record.recommendation, record.get_recommendation_display()), sub(why))


def before(context: Context, record: Verdict) -> SafeString:
    """Show what was said in an earlier stage."""
    if record.verdict == Opinion.NOT_REVIEWED or record.stage >= context["stage"].number:
        return format_html("–")
    said = record.reviewer_name
    if record.reason:
        said = f"{said}: {Truncator(record.reason).chars(LONGEST)}"
    return format_html("{}{}", tag(record.verdict, record.get_verdict_display()), sub(said))


def say(context: Context, record: Verdict) -> SafeString:
    """Show where a verdict is said, with a reason; what was typed before stands there again."""
    chosen = _of(context.get("said"), record)
    choices = (
        (record.pk, value, value, flatatt({"checked": value == chosen}), label) for value, label in context["verdicts"]
    )
    return format_html(
        '<fieldset class="verdicts" id="say-{pk}"><legend class="visually-hidden">{legend}</legend>{choices}'
        '<input class="reason" type="text" name="reason-{pk}" maxlength="2000" value="{reason}" aria-label="{label}"'
        ' placeholder="{placeholder}"></fieldset>',
        pk=record.pk,
        legend=_("{name}: {role}").format(name=record.principal_name, role=record.role_name),
        choices=format_html_join("\n", _CHOICE, choices),
        reason=_of(context.get("reasons"), record) or "",
        label=_("Reason for {name}").format(name=record.principal_name),
        placeholder=_("Reason"),
    )


_CHOICE = '<label><input type="radio" name="verdict-{}" value="{}" data-verdict="{}"{}> {}</label>'


def _reason(record: Verdict) -> SafeString:
    return sub(Truncator(record.reason).chars(LONGEST)) if record.reason else NOTHING


def _of(mapping: Mapping[Any, Any] | None, record: Verdict) -> Any:
    """Return what the page knows of this row, by its key or by what a form calls it."""
    known = mapping or {}
    return known.get(record.pk) or known.get(str(record.pk))
