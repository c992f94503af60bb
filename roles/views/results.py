"""What became of each of several things that were asked or decided in one go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from roles.middleware import PortalRequest

_KEPT = "results"


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one: the name, a tag, a sentence, and where to see it."""

    name: str
    status: str
    label: str
    sentence: str
    url: str = ""


def keep_results(request: PortalRequest, title: str, results: Sequence[Result], *, back: str) -> HttpResponse:
    """Remember the results for the page after this one, and go there; loading it again repeats nothing."""
    request.session[_KEPT] = {"title": title, "back": back, "results": [asdict(one) for one in results]}
    return redirect("results")


@require_safe
def results(request: PortalRequest) -> HttpResponse:
    """Show what became of each item of the last form over several."""
    kept = request.session.get(_KEPT)
    if kept is None:
        return redirect("approvals:my_roles")
    return render(request, "manage/results.html", kept)
