"""Back in, or in for the first time, by a link."""

from __future__ import annotations

from axes.handlers.proxy import AxesProxyHandler
from django.contrib.auth import logout
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters

from pim_portal.accounts.forms import EntryForm
from pim_portal.accounts.selectors import working_ticket
from pim_portal.accounts.services import tickets
from pim_portal.models import TicketKind
from roles.actors import Actor
from roles.answers import form_page, read_and_send
from roles.forms.refusable import RefusableForm
from roles.guards import open_to_strangers
from roles.middleware import PortalRequest
from roles.refusals import Refused


@open_to_strangers
@read_and_send
@sensitive_post_parameters("new_password", "repeated")
def entry(request: PortalRequest, secret: str) -> HttpResponseBase:
    """Use an invitation or a reset link. Opening it changes nothing, and it never signs anybody in."""
    ticket = working_ticket(tickets.digest_of(secret), request.now)
    if ticket is None:
        return render(request, "accounts/entry_over.html", status=404)
    kind = TicketKind(ticket.kind)
    data = request.POST if request.method == "POST" else None
    form = EntryForm(data, user=ticket.user) if kind.gives_password else RefusableForm(data)
    if form.is_valid():
        actor = Actor(user=ticket.user, address=request.META.get("REMOTE_ADDR", ""))
        try:
            tickets.use(ticket.pk, password=form.cleaned_data.get("new_password"), actor=actor, clock=timezone.now)
        except Refused as refused:
            form.add_refusal(refused)
        else:
            AxesProxyHandler.reset_attempts(username=ticket.user.username_key)
            AxesProxyHandler.reset_attempts(username=ticket.user.email_key or ticket.user.username_key)
            # Whoever was signed in in this browser may be somebody else.
            logout(request)
            return render(request, "accounts/entry_used.html", {"kind": kind})
    return form_page(request, "accounts/entry.html", form, ticket=ticket, person=ticket.user, kind=kind)
