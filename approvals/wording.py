"""How people and steps of an approval are said, on every page the same way."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from approvals.models import Action, Request
from approvals.selectors.approvers import Panel
from roles import wording
from roles.models import SecondFactor, User
from roles.selectors.settings import EffectiveSettings
from roles.settings_words import Compared

MOST_NAMES = 5


def names_of(people: Sequence[User], *, viewer: User | None = None, all_count: bool = False) -> str:
    """Say who: "you, Jonas Weber or Priya Raman", the viewer first; beyond five, how many others.

    With `all_count`, where several of them must agree: "Jonas Weber and Priya Raman".
    """
    mine = [person for person in people if viewer is not None and person.pk == viewer.pk]
    others = [person.name for person in people if person not in mine]
    names = [*([_("you")] if mine else []), *others]
    if len(names) > MOST_NAMES:
        rest = len(names) - MOST_NAMES + 1
        more = ngettext("{count} other", "{count} others", rest).format(count=rest)
        names = [*names[: MOST_NAMES - 1], more]
    if len(names) < 2:
        return "".join(names)
    sentence = _("{names} and {last}") if all_count else _("{names} or {last}")
    return sentence.format(names=", ".join(names[:-1]), last=names[-1])


def who_approves(panel: Panel, *, of_several: bool) -> str:
    """Say what a stage of approval takes: "Jonas Weber or Priya Raman approves." """
    names = names_of(panel.people, all_count=panel.quorum > 1)
    if panel.quorum > 1:
        sentence = _("{quorum} of {names} approve.").format(quorum=panel.quorum, names=names)
    else:
        sentence = _("{names} approves.").format(names=names)
    return _("Stage {number}: {sentence}").format(number=panel.number, sentence=sentence) if of_several else sentence


def title_of(request: Request, *, own: bool) -> str:
    """Say as a heading who asks for what: "Ines Okafor asks to extend Reader", "Your request to prolong Owner"."""
    if request.break_glass:
        mine, theirs = _("Your emergency: {role}"), _("Emergency of {person}: {role}")
        return (mine if own else theirs).format(person=request.principal.name, role=request.role.name)
    mine, theirs = {
        Action.ACTIVATE: (_("Your request for {role}"), _("{person} asks for {role}")),
        Action.PROLONG: (_("Your request to prolong {role}"), _("{person} asks to prolong {role}")),
        Action.EXTEND: (_("Your request to extend {role}"), _("{person} asks to extend {role}")),
        Action.RENEW: (_("Your request to renew {role}"), _("{person} asks to renew {role}")),
        Action.CHANGE_SETTINGS: (
            _("Your change of the settings of {role}"),
            _("{person} proposes other settings of {role}"),
        ),
    }[Action(request.action)]
    return (mine if own else theirs).format(person=request.principal.name, role=request.role.name)


def what_is_wanted(request: Request) -> str:
    """Say for how long, or until when, something is asked: "for 4 h", "until 3 Dec 2026, 10:00"."""
    if request.is_renewal:
        if request.wanted_end is None:
            return _("without an end")
        return _("until {end}").format(end=wording.exact(request.wanted_end))
    if request.action == Action.PROLONG:
        return _("for {span} from when it is granted").format(span=wording.span(request.time))
    return _("for {span}").format(span=wording.span(request.time)) if request.wanted_duration is not None else ""


def what_changed(rows: Sequence[Compared]) -> str:
    """Say in a line what is not as it was; empty where nothing changed."""
    none, words = _("none"), _("{label}: {now} (was {before})")
    told = [
        words.format(label=one.label, now=one.right or none, before=one.left or none)
        if one.label
        else _("where they come from")
        for one in rows
    ]
    return ", ".join(dict.fromkeys(told))


def sentence_of(request: Request, the_role: str) -> str:
    """Say in a sentence who asks for what: "Ines Okafor asks to extend the Reader role at Payments until …"."""
    sentence = {
        Action.ACTIVATE: _("{person} asks to activate {the_role} {wanted}."),
        Action.PROLONG: _("{person} asks to prolong {the_role}, which is active, {wanted}."),
        Action.EXTEND: _("{person} asks to extend {the_role} {wanted}."),
        Action.RENEW: _("{person} asks to renew {the_role} {wanted}."),
        Action.CHANGE_SETTINGS: _("{person} asks to change the settings of {the_role}."),
    }[Action(request.action)]
    return sentence.format(person=request.principal.name, the_role=the_role, wanted=what_is_wanted(request))


def what_is_asked(settings: EffectiveSettings) -> str:
    """Say the settings of a role in a line: "up to 8 h · MFA · approval · ticket"."""
    parts = [
        _("up to {longest}").format(longest=wording.span(settings.max_activation)),
        _("MFA") if settings.second_factor != SecondFactor.NONE else "",
        _("approval") if settings.approval_required else "",
        _("ticket") if settings.ticket_required else "",
    ]
    return " · ".join(part for part in parts if part)


def all_of(durations: Sequence[timedelta]) -> str:
    """Say some durations: "3 h, 4 h"."""
    return ", ".join(wording.span(one) for one in durations)


def form_of_tickets(settings: Iterable[EffectiveSettings]) -> str:
    """Say which form the ticket must have, and that it is checked; nothing where any will do."""
    settings = list(settings)
    patterns = sorted({one.ticket_pattern for one in settings if one.ticket_pattern})
    told = [_("Its form: {pattern}").format(pattern=_(" and ").join(patterns))] if patterns else []
    if any(one.ticket_verified for one in settings):
        told.append(_("The portal asks the ticket system before the role is given."))
    return ". ".join(told)
