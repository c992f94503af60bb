"""The Overview, its set-up checklist, and the page that shows what the held roles allow."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from approvals.selectors.profiles import kept_profiles, most_used, profiles_of
from pim_portal.overview import services
from pim_portal.overview.selectors.access import Carried, allowances, django_permissions
from pim_portal.overview.selectors.checklist import Item, Step, checklist
from pim_portal.overview.selectors.figures import Figures, mine, worlds
from roles.middleware import PortalRequest, actor_of
from roles.plots import Plot, plot
from roles.refusals import Refused


@dataclass(frozen=True, slots=True)
class World:
    """The figures of one world with their plot."""

    figures: Figures
    plot: Plot


@dataclass(frozen=True, slots=True)
class Answer:
    """What Django's own `has_perm` says to each name, asked while the page is made."""

    carried: Carried
    answers: dict[str, bool]


@require_GET
def overview(request: PortalRequest) -> HttpResponse:
    """What I hold now, what waits for me, and for administrators how their worlds stand."""
    own = mine(request.authority)
    context = {
        "greeting": _greeting(request.now, request.user.name),
        "checklist": _checklist(request),
        "mine": own,
        "first_end": own.held[0].ends_at if own.held else None,
        "pinned": kept_profiles(request.authority, profiles_of(request.user).filter(pinned=True)),
        "used": most_used(request.authority),
        "worlds": [World(figures, _plot(figures)) for figures in worlds(request.authority)],
    }
    return render(request, "overview/overview.html", context)


def _checklist(request: PortalRequest) -> list[Item]:
    # The demo is no installation: it keeps its mails to itself, on an address of this machine.
    if settings.PIM_DEMO:
        return []
    return checklist(request.authority, mail_configured=settings.PIM_EMAIL_CONFIGURED, base_url=settings.PIM_BASE_URL)


def _greeting(now: datetime, name: str) -> str:
    hour = timezone.localtime(now).hour
    if 5 <= hour < 12:
        return _("Good morning, {name}.").format(name=name)
    if 12 <= hour < 18:
        return _("Good afternoon, {name}.").format(name=name)
    return _("Good evening, {name}.").format(name=name)


def _plot(figures: Figures) -> Plot:
    return plot((date_format(one.day, "D"), one.count) for one in figures.days)


@require_POST
def dismiss_step(request: PortalRequest, step: str) -> HttpResponse:
    """Take a step off the set-up checklist."""
    if step not in Step.values:
        raise Http404
    try:
        services.dismiss(Step(step), actor=actor_of(request), clock=timezone.now)
    except Refused as refusal:
        raise PermissionDenied(refusal.sentence) from refusal
    return redirect("overview")


@require_GET
def access(request: PortalRequest) -> HttpResponse:
    """What the roles held now allow here; activate one and look again."""
    context = {
        "held": request.authority.held,
        "allowances": allowances(request.authority),
        "answers": [
            Answer(one, {name: request.user.has_perm(name) for name in one.names}) for one in django_permissions()
        ],
    }
    return render(request, "overview/access.html", context)
