"""The panel that activates roles: what will be asked, who will approve, what stands in the way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from approvals.forms.activation import ActivateForm, Prospect, prospect_of
from approvals.rules.emergencies import may_break_glass
from approvals.selectors.my_roles import request_behind
from approvals.selectors.profiles import Kept
from approvals.selectors.smaller import smaller_for
from approvals.wording import what_is_asked, who_approves
from roles.middleware import PortalRequest, actor_of
from roles.models import Assignment, Purpose
from roles.selectors.resources import places_of


def prospects_of(request: PortalRequest, eligibilities: Sequence[Assignment]) -> list[Prospect]:
    """Say beforehand of each of these roles how it would go."""
    places = places_of(one.resource for one in eligibilities)
    actor = actor_of(request)
    return [
        prospect_of(request.user, one, place=places[one.resource_id], actor=actor, now=request.now)
        for one in eligibilities
    ]


def activation_page(
    request: PortalRequest,
    prospects: Sequence[Prospect],
    *,
    initial: dict[str, Any] | None = None,
    kept: Kept | None = None,
) -> HttpResponse:
    """Show the form, not filled in by whom it is for."""
    possible = [one for one in prospects if one.is_possible]
    form = ActivateForm(initial=initial, request=request, prospects=possible) if possible else None
    return page_of(request, prospects, form, kept=kept)


def page_of(
    request: PortalRequest,
    prospects: Sequence[Prospect],
    form: ActivateForm | None,
    *,
    kept: Kept | None = None,
    status: int = 200,
) -> HttpResponse:
    alone = prospects[0] if len(prospects) == 1 else None
    possible = [one for one in prospects if one.is_possible]
    page: dict[str, Any] = {
        "prospects": prospects,
        "alone": alone,
        "kept": kept,
        "form": form,
        "waits": any(one.facts.panels for one in possible),
        "at_once": any(not one.facts.panels for one in possible),
        "rows": [_row(request, one) for one in prospects],
        "by_sign_in": bool(form and form.step_up and form.step_up.purpose == Purpose.SIGN_IN),
    }
    if alone is not None:
        settings = alone.facts.settings
        behind = request_behind(request.user, alone.eligibility, alone.eligibility.resource_id, request.now)
        page |= {
            "settings": settings,
            "approvals": _approvals(alone),
            "lapses_at": request.now + settings.approval_window,
            "behind": behind,
            "emergency": may_break_glass(alone.facts),
        }
    return render(request, "approvals/activate.html", page, status=status)


def _approvals(prospect: Prospect) -> list[str]:
    panels = prospect.facts.panels
    return [who_approves(one, of_several=len(panels) > 1) for one in panels]


def _row(request: PortalRequest, prospect: Prospect) -> dict[str, Any]:
    possible = prospect.is_possible
    return {
        "smaller": smaller_for(request.user, prospect.eligibility, request.now) if possible else [],
        "prospect": prospect,
        "asks": what_is_asked(prospect.facts.settings),
        "approvals": _approvals(prospect),
        "hindrances": prospect.hindrances,
    }
