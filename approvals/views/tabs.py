"""The tabs of Approve requests."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext_lazy

from approvals.selectors.requests import requests_awaiting
from roles.authority import Authority
from roles.lists import Tab


def tabs_of_approvals(authority: Authority, current: str) -> list[Tab]:
    """Return the tabs with how much waits for the viewer in each."""
    page = reverse("approvals:approvals")
    waiting = requests_awaiting(authority)
    renewals = sum(one.is_renewal for one in waiting)
    tabs = (
        ("waiting", gettext_lazy("Activations"), len(waiting) - renewals),
        ("renewals", gettext_lazy("Extensions and renewals"), renewals),
        ("decided", gettext_lazy("Decided"), None),
    )
    listed = [Tab(label, f"{page}?tab={name}", current == name, count) for name, label, count in tabs]
    return [*listed, Tab(gettext_lazy("Deputies"), reverse("approvals:deputies"), current == "deputies")]
