"""What every form that changes settings says of a second administrator, and where it leads when one must agree."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from approvals.models import Request
from approvals.selectors.approvers import asked_to_decide
from approvals.wording import names_of
from roles.middleware import PortalRequest
from roles.models import Resource, Role
from roles.services.settings import second_needed


def told_beforehand(request: PortalRequest, role: Role, place: Resource) -> str:
    """Say that what loosens these settings will wait, and for whom; empty where it will not."""
    others = second_needed(request.user, role, place, request.now)
    if not others:
        return ""
    sentence = _(
        "You hold this role or may activate it, or did lately. What loosens its settings waits until {names} agrees. "
        "If nobody answers within a day, you can make the change alone, and all administrators are told."
    )
    return sentence.format(names=names_of(others))


def who_is_asked(asked: Request, request: PortalRequest) -> str:
    """Say for whom a change waits."""
    others = names_of(asked_to_decide(asked, request.now))
    return _("It loosens settings of a role of yours, so it waits until {names} agrees.").format(names=others)


def asked_instead(request: PortalRequest, asked: Request) -> HttpResponse:
    """Lead to the request that waits instead of a change that was made."""
    messages.info(request, _("Nothing has changed yet. {sentence}").format(sentence=who_is_asked(asked, request)))
    return redirect("approvals:request", pk=asked.pk)
