"""Verifying the history: a button, how far it got, and what was found."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _

from audit import anchors, keys
from audit.models import Anchoring, Event, Pending, Verification
from audit.verifying import Progress, sentence_of
from pim_portal.activity import services
from pim_portal.activity.forms import VerifyForm
from pim_portal.activity.selectors.sight import readable
from roles.answers import form_page, read_and_send
from roles.catalogue import Permission
from roles.middleware import PortalRequest, actor_of
from roles.models import User

LOOK_AGAIN = 3  # seconds until a page about a running verification is loaded anew
MOST = 5  # earlier verifications on the page


@read_and_send
def verification(request: PortalRequest) -> HttpResponse:
    """Show the state of the seals and the last verification; a POST begins one."""
    if not request.authority.allows(Permission.SEE_AUDIT):
        raise PermissionDenied
    form = VerifyForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            tips = [*anchors.tips_of(anchors.named(settings.PIM_AUDIT_ANCHORS)), *form.cleaned_data["tips"]]
        except anchors.Unreadable as anchor:
            sentence = _("An anchor cannot be read, and without it an end that was cut off would not show: {anchor}")
            form.add_error(None, sentence.format(anchor=anchor))
        else:
            services.start_verification(tips=tips, actor=actor_of(request), clock=timezone.now)
            return redirect("audit_verification")
    shown = [_shown(row, request) for row in Verification.objects.all()[: MOST + 1]]
    last = shown[0] if shown else None
    tip = anchors.tip()
    context: dict[str, Any] = {
        "last": last,
        "earlier": shown[1:],
        "tip": tip,
        "sealed": f"{tip.leaves if tip else 0:,}",
        "waiting": f"{Pending.objects.count():,}",
        "anchors": Anchoring.objects.all(),
        "keys": _keys(),
    }
    answer = form_page(request, "activity/verification.html", form, **context)
    if last and last["running"]:
        answer["Refresh"] = str(LOOK_AGAIN)
    return answer


def _keys() -> list[tuple[str, str]]:
    try:
        return [(name, key.public_bytes_raw().hex()) for name, key in keys.trusted(settings.PIM_AUDIT_KEY).items()]
    except keys.KeyUnusable:
        return []


def _shown(row: Verification, request: PortalRequest) -> dict[str, Any]:
    progress = Progress.from_json(row.progress)
    starter = User.objects.filter(pk=row.started_by).first() if row.started_by else None
    named = progress.finding.event if progress.finding else None
    event: Event | None = readable(request.authority).filter(uuid=named).first() if named else None
    return {
        "row": row,
        "running": row.finished_at is None,
        "percent": min(100, row.checked * 100 // row.total) if row.total else 0,
        "status": "error" if progress.finding else "success",
        "title": _("Something is wrong.") if progress.finding else _("Nothing was changed."),
        "sentence": sentence_of(progress) if row.finished_at else "",
        "code": progress.finding.code if progress.finding else "",
        "event": event,
        "starter": starter.name if starter else _("The portal"),
    }
