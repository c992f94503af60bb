"""The tabs of Approve requests."""

from __future__ import annotations

from collections import Counter

from django.urls import reverse
from django.utils.translation import gettext_lazy

from approvals.models import TIMED, Request
from approvals.selectors.requests import requests_awaiting
from roles.authority import Authority
from roles.kept import count_of
from roles.middleware import PortalRequest
from roles.tabs import Tab

WITH_COUNTS = ("waiting", "renewals", "changes")


def tab_of(request: Request) -> str:
    """Return the tab in which a request waits."""
    if request.action in TIMED:
        return "waiting"
    return "renewals" if request.is_renewal else "changes"


def waiting_by_tab(request: PortalRequest, *, anew: bool) -> dict[str, int]:
    """Return how much waits for the viewer in each tab; `anew`, or as it was some seconds ago."""
    return count_of(request, "approvals", lambda: _counted(request.authority), anew=anew)


def _counted(authority: Authority) -> dict[str, int]:
    return dict.fromkeys(WITH_COUNTS, 0) | Counter(map(tab_of, requests_awaiting(authority)))


def tabs_of_approvals(request: PortalRequest, current: str) -> list[Tab]:
    """Return the tabs with how much waits for the viewer in each: now, where they look at what waits."""
    page = reverse("approvals:approvals")
    counts = waiting_by_tab(request, anew=current in WITH_COUNTS)
    tabs = (
        ("waiting", gettext_lazy("Activations"), counts["waiting"]),
        ("renewals", gettext_lazy("Extensions and renewals"), counts["renewals"]),
        ("changes", gettext_lazy("Changes of settings"), counts["changes"]),
        ("decided", gettext_lazy("Decided"), None),
    )
    listed = [Tab(label, f"{page}?tab={name}", current == name, count) for name, label, count in tabs]
    return [*listed, Tab(gettext_lazy("Deputies"), reverse("approvals:deputies"), current == "deputies")]
