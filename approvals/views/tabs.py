"""The tabs of Approve requests."""

from __future__ import annotations

from collections import Counter

from django.urls import reverse
from django.utils.translation import gettext_lazy

from approvals.models import TIMED, Request
from approvals.selectors.requests import requests_awaiting
from roles.authority import Authority
from roles.lists import Tab


def tab_of(request: Request) -> str:
    """Return the tab in which a request waits."""
    if request.action in TIMED:
        return "waiting"
    return "renewals" if request.is_renewal else "changes"


def tabs_of_approvals(authority: Authority, current: str) -> list[Tab]:
    """Return the tabs with how much waits for the viewer in each."""
    page = reverse("approvals:approvals")
    waiting = requests_awaiting(authority)
    counts = Counter(map(tab_of, waiting))
    tabs = (
        ("waiting", gettext_lazy("Activations"), counts["waiting"]),
        ("renewals", gettext_lazy("Extensions and renewals"), counts["renewals"]),
        ("changes", gettext_lazy("Changes of settings"), counts["changes"]),
        ("decided", gettext_lazy("Decided"), None),
    )
    listed = [Tab(label, f"{page}?tab={name}", current == name, count) for name, label, count in tabs]
    return [*listed, Tab(gettext_lazy("Deputies"), reverse("approvals:deputies"), current == "deputies")]
