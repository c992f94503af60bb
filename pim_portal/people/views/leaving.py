"""A leaver or mover: everything that somebody has on one page, ended with one reason and one second factor."""

from __future__ import annotations

import uuid

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from pim_portal.people.forms import LeaveForm
from pim_portal.people.leaving import Ended, end_access, objects_of
from pim_portal.people.selectors.leaving import Everything, everything_of
from pim_portal.people.views.access import tabs_of
from pim_portal.people.views.common import only_with
from roles.answers import form_page, read_and_send
from roles.catalogue import Permission
from roles.middleware import PortalRequest
from roles.models import User
from roles.refusals import Refused
from roles.views.ids import ids_in
from roles.views.results import Result, keep_results

MOST_AT_ONCE = 200


@read_and_send
@only_with(Permission.SEE_PEOPLE)
def leave(request: PortalRequest, pk: uuid.UUID) -> HttpResponse:
    """Show everything that somebody has; end what was chosen of it, all of it by default."""
    user = get_object_or_404(User, pk=pk)
    found = everything_of(user, viewer=request.authority, now=request.now)
    may_disable = request.authority.allows(Permission.MANAGE_PEOPLE) and user.enabled and user.pk != request.user.pk
    sent = request.method == "POST"
    # What is no longer there, or was never within sight, is as if it had not been chosen.
    chosen = set(ids_in(request.POST, "chosen")) & found.endable if sent else found.endable
    back = reverse("person", args=[user.pk])
    form = LeaveForm(request.POST if sent else None, request=request, may_disable=may_disable)
    if sent and not chosen and not form["disable_too"].value():
        form.add_error(None, _("Nothing is chosen that you may end."))
    if form.is_valid() and (done := end_chosen(request, form, user, chosen, found, back=back)) is not None:
        return done
    context = {"person": user, "tabs": tabs_of(user, "leave"), "found": found, "chosen": chosen}
    return form_page(request, "people/leave.html", form, may_end=bool(found.endable) or may_disable, **context)


def end_chosen(
    request: PortalRequest, form: LeaveForm, user: User, chosen: set[uuid.UUID], found: Everything, *, back: str
) -> HttpResponse | None:
    """End what was chosen, and show what became of each; None where the second factor was refused."""
    if len(chosen) > MOST_AT_ONCE:
        form.add_error(None, _("Choose at most {most} at once.").format(most=MOST_AT_ONCE))
        return None
    try:
        actor = form.actor(objects_of(user, chosen, found, request.user.pk))
    except Refused as refused:
        form.add_refusal(refused)
        return None
    ended = end_access(
        user,
        chosen,
        everything=found,
        and_disable=form.cleaned_data.get("disable_too", False),
        reason=form.cleaned_data["reason"],
        actor=actor,
        clock=timezone.now,
    )
    title = _("What became of the access of {name}").format(name=user.name)
    return keep_results(request, title, [_result(one) for one in ended], back=back)


def _result(one: Ended) -> Result:
    name = f"{one.item.name}: {one.item.sub}" if one.item else _("The account")
    if one.refused:
        return Result(name, "refused", _("Refused"), one.refused)
    return Result(name, "good", _("Ended") if one.item else _("Disabled"), "")
