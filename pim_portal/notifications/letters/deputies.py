"""What the mails about deputies say, and to whoever is asked in place of whom."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _

from approvals.models import TIMED, Deputy, Request
from pim_portal.models import Notification
from pim_portal.notifications.letters import requests as letters
from pim_portal.notifications.letters.letter import Letter, actor_of, event_of
from pim_portal.notifications.recipients import request_of
from roles import wording


def request_waits(notification: Notification, now: datetime) -> Letter | None:
    """Ask an approver, or who stands in for one, to decide."""
    letter = letters.request_waits(notification, now)
    request = request_of(event_of(notification))
    if letter is None or request is None or request.action not in TIMED or notification.recipient_id is None:
        return letter
    return replace(letter, because=why_asked(request, notification, now))


def why_asked(request: Request, notification: Notification, now: datetime) -> str:
    """Say why somebody is asked to decide: as an approver, or in place of whom."""
    approvers = request.stages.values("approvers__principal")
    standing_in = Deputy.objects.in_effect(now).filter(deputy=notification.recipient_id, approver__in=approvers)
    if request.stages.filter(approvers__principal=notification.recipient_id).exists() or not standing_in.exists():
        return _("You are an approver of this request.")
    names = ", ".join(standing_in.order_by("approver__name_key").values_list("approver__name", flat=True).distinct())
    return _("You stand in for {names}, who would decide this.").format(names=names)


def deputy_named(notification: Notification, now: datetime) -> Letter | None:
    """Tell an approver and their deputy that the one decides in place of the other."""
    row = _deputy(notification)
    own = notification.recipient_id == row.approver_id
    words = {"deputy": row.deputy.name, "approver": row.approver.name}
    subject = _("{deputy} decides requests in your place") if own else _("You decide requests in place of {approver}")
    told = (
        _("If you did not name {deputy}, end it at once and tell your security team.")
        if own
        else _("What waits for {approver} waits for you as well; together you count once. You can decline.")
    )
    return Letter(
        subject=subject.format(**words),
        sentences=(told.format(**words),),
        facts=(
            (_("Approver"), words["approver"]),
            (_("Deputy"), words["deputy"]),
            (_("From"), wording.exact(row.starts_at)),
            (_("Until"), wording.exact(row.ends_at)),
        ),
        button=_("Open deputies"),
        path=reverse("approvals:deputies"),
        because=_("You named this person.") if own else _("You were named."),
    )


def deputy_ended(notification: Notification, now: datetime) -> Letter | None:
    """Tell both that it is over before its time."""
    row = _deputy(notification)
    words = {"deputy": row.deputy.name, "approver": row.approver.name}
    own = notification.recipient_id == row.approver_id
    subject = _("{deputy} no longer decides in your place") if own else _("You no longer decide for {approver}")
    return Letter(
        subject=subject.format(**words),
        sentences=(_("It was ended before its time. There is nothing to do."),),
        facts=((_("Approver"), words["approver"]), (_("Deputy"), words["deputy"]), (_("By"), actor_of(notification))),
        button=_("Open deputies"),
        path=reverse("approvals:deputies"),
        because=_("You named this person.") if own else _("You were named."),
    )


def _deputy(notification: Notification) -> Deputy:
    rows = Deputy.objects.select_related("approver", "deputy")
    return rows.get(pk=uuid.UUID(str(event_of(notification).details["deputy"])))
