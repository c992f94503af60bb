"""What changed about a request since the page of its decision was opened, line by line.

A page carries what it showed, signed, beside the digest that the decision is bound to: when the digest is no longer
true, the lines say what was and what is.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.core import signing
from django.utils.translation import gettext as _

from approvals.models import TIMED, Action, Request
from approvals.selectors.settings_changes import ruling, ruling_now
from approvals.wording import what_is_wanted
from roles import wording
from roles.selectors.settings import EffectiveSettings
from roles.selectors.settings_use import approvers_in, names_of
from roles.settings_words import Compared, parts_of

_SALT: Final = "approvals.shown"
_OPEN: Final = timedelta(days=7)  # how long a page may stay open and still be compared

Lines = dict[str, str]


def lines_of(request: Request, settings: EffectiveSettings) -> Lines:
    """Say what whoever decides is shown: what is asked, what it is about, and the settings that rule it now."""
    if request.action == Action.CHANGE_SETTINGS:
        return _lines_of_change(request)
    lines = {
        _("Role"): request.role.name,
        _("Where"): request.resource.name,
        _("To"): f"{request.get_action_display()} {what_is_wanted(request)}",
        _("Start"): wording.exact(request.wanted_start) if request.wanted_start else "",
        _("Reason"): request.reason,
        _("Ticket"): request.ticket,
    }
    if request.action in (Action.PROLONG, Action.EXTEND):
        end = request.about.ends_at
        lines[_("Ends now")] = wording.exact(end) if end else _("Permanent")
    if request.action in TIMED:
        lines[_("Stage that waits")] = str(request.stage_number)
    activation, assignment, _mails = parts_of(settings, names_of(approvers_in(settings)))
    for line in (activation if request.action in TIMED else assignment).lines:
        lines[_("Settings: {setting}").format(setting=line.label)] = line.words
    return lines


def _lines_of_change(request: Request) -> Lines:
    """Say what rules now where settings would be changed: what is proposed does not change."""
    lines = {_("Role"): request.role.name, _("Where"): request.resource.name, _("Reason"): request.reason}
    for settings in ruling_now(request):
        for part in parts_of(settings, names_of(approvers_in(settings))):
            for line in part.lines:
                lines[_("Settings: {setting}").format(setting=line.label)] = line.words
    return lines


def carried(request: Request, settings: EffectiveSettings) -> str:
    """Return what the page shows under the settings that rule now, signed, for its form to carry."""
    return signing.dumps([str(request.pk), lines_of(request, settings)], salt=_SALT, compress=True)


def changed_since(request: Request, shown: str) -> list[Compared]:
    """Say what is not as a page showed it; nothing where it carried nothing that this portal signed for it."""
    try:
        pk, before = signing.loads(shown, salt=_SALT, max_age=_OPEN)
    except signing.BadSignature:
        return []
    if pk != str(request.pk):
        return []
    now = lines_of(request, ruling(request))
    rows = [Compared(label, before.get(label, ""), now.get(label, "")) for label in {**before, **now}]
    return [row for row in rows if row.differs]
