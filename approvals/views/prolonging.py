"""Prolonging one's own activation."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _

from approvals.forms.prolonging import ProlongForm
from approvals.models import Action, Status
from approvals.rules.activations import SHORTEST
from approvals.rules.prolonging import PROLONG, PROLONG_BEFOREHAND
from approvals.selectors.my_roles import activations_of
from approvals.services.activations import Wanted
from approvals.services.prolonging import gather
from approvals.services.prolonging import prolong as ask_to_prolong
from approvals.verifying.asking import Desk
from approvals.wording import who_approves
from roles.actors import Actor
from roles.answers import form_page, read_and_send
from roles.middleware import PortalRequest, actor_of
from roles.models import Assignment
from roles.refusals import Refused, broken
from roles.selectors.resources import places_of


@read_and_send
def prolong(request: PortalRequest, pk: uuid.UUID) -> HttpResponse:
    """Say beforehand what will be asked, and prolong a running activation, or ask for it."""
    activation = get_object_or_404(activations_of(request.user), pk=pk)
    facts = gather(request.user, pk, wanted=Wanted(duration=SHORTEST), actor=actor_of(request), now=request.now)
    hindrances = broken(PROLONG_BEFOREHAND, facts)
    form = ProlongForm(request.POST or None, request=request, facts=facts)
    if form.is_bound and hindrances:
        form.is_valid()
        form.add_refusal(Refused(hindrances))
    elif form.is_valid():
        try:
            actor = form.actor([pk])
            wanted = _checked(request, form.wanted(), activation, actor)
            made = ask_to_prolong(pk, wanted=wanted, actor=actor, clock=timezone.now)
        except Refused as refused:
            form.add_refusal(refused)
        else:
            if made.status == Status.GRANTED:
                messages.success(request, _("The role stays active for longer."))
            return redirect("approvals:request", pk=made.pk)
    several = len(facts.panels) > 1
    page = {
        "activation": activation,
        "place": places_of([activation.resource])[activation.resource_id],
        "hindrances": [] if form.is_bound else hindrances,
        "possible": not hindrances,
        "approvals": [who_approves(one, of_several=several) for one in facts.panels],
    }
    return form_page(request, "approvals/prolong.html", form, **page)


def _checked(request: PortalRequest, wanted: Wanted, activation: Assignment, actor: Actor) -> Wanted:
    """Have the ticket checked where the settings demand it: before the transaction, which waits for nobody outside."""
    facts = gather(request.user, activation.pk, wanted=wanted, actor=actor, now=timezone.now())
    role, resource = activation.role, activation.resource
    return Desk(Action.PROLONG).with_check(
        wanted, facts=facts, rules=PROLONG, person=request.user, role=role, resource=resource
    )
