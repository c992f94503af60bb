"""The page of the search in the top bar."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from pim_portal.search.forms import SearchForm
from pim_portal.search.results import search as find
from roles.middleware import PortalRequest


@require_safe
def search(request: PortalRequest) -> HttpResponse:
    """Show what the viewer may see of what they look for."""
    form = SearchForm(request.GET)
    words = form.words
    context = {
        "form": form,
        "query": form.cleaned_data.get("q", ""),
        "found": find(words, request.authority) if words else [],
    }
    return render(request, "search/search.html", context)
