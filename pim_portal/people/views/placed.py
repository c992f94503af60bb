"""What somebody has at one place and below it, for whoever administers that place and sees no people elsewhere."""

from __future__ import annotations

import uuid

from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _

from pim_portal.people.forms import LeaveForm
from pim_portal.people.selectors.comparing import people_within
from pim_portal.people.selectors.leaving import everything_of
from pim_portal.people.views.leaving import end_chosen
from roles.answers import form_page, read_and_send
from roles.guards import at_place
from roles.middleware import PortalRequest
from roles.models import Resource, User
from roles.places import Frame, address
from roles.views.ids import ids_in


@read_and_send
@at_place()
def person_at(request: PortalRequest, place: Resource, pk: uuid.UUID) -> HttpResponse:
    """Show what somebody has here and below, and end what was chosen of it; 404 for whoever has nothing there."""
    user = User.objects.filter(pk=pk).first()
    found = everything_of(user, viewer=request.authority, now=request.now, within=place) if user else None
    if user is None or found is None or not found.anything:
        raise Http404
    sent = request.method == "POST"
    chosen = set(ids_in(request.POST, "chosen")) & found.endable if sent else found.endable
    form = LeaveForm(request.POST if sent else None, request=request, may_disable=False)
    if sent and not chosen:
        form.add_error(None, _("Nothing is chosen that you may end."))
    if form.is_valid():
        done = end_chosen(request, form, user, chosen, found, back=address(place, "assignments"))
        if done is not None:
            return done
    context = {"person": user, "found": found, "chosen": chosen, "may_end": bool(found.endable), "place": place}
    context["can_be_compared"] = people_within(place, request.now).filter(pk=pk).exists()
    frame = Frame(place, request.authority, "assignments")
    return form_page(request, "people/person_at.html", form, frame=frame, **context)
