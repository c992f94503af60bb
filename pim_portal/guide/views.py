"""The quick start, and the page of words."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from pim_portal.guide.cards import cards_for
from pim_portal.guide.words import WORDS
from roles.middleware import PortalRequest


@require_GET
def quick_start(request: PortalRequest) -> HttpResponse:
    """Show the first steps of what the viewer can do."""
    return render(request, "guide/quick_start.html", {"cards": cards_for(request.authority)})


@require_GET
def words(request: PortalRequest) -> HttpResponse:
    """Say what the words of the portal mean."""
    return render(request, "guide/words.html", {"words": WORDS})
