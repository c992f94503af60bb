"""The roles of a place: the list, the page of one, and the forms of custom roles."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from audit.models import Event
from audit.sentences import sentence, why
from roles.answers import form_page, read_and_send
from roles.catalogue import Permission
from roles.forms.catalogue import DefineForm, RetireForm
from roles.guards import at_place
from roles.middleware import PortalRequest
from roles.models import Resource, ResourceKind, Role
from roles.places import Frame, address
from roles.refusals import Refused
from roles.selectors.assignment_lists import active, eligible
from roles.selectors.catalogue import (
    Changed,
    Holders,
    holders_lately_at,
    holders_of,
    open_of,
    roles_at,
    roles_known_at,
    settings_changed_at,
    with_counts,
)
from roles.selectors.settings import settings_of
from roles.selectors.settings_lists import source_of
from roles.services.custom_roles import add_role, change_role, defined_as, restore_role, retire_role
from roles.tables.catalogue import RoleFilter, RoleTable
from roles.tallies import Lately
from roles.views.places import PlaceList

MOST_HOLDERS = 10
MOST_EVENTS = 20


def can_have_roles(place: Resource) -> bool:
    """Return whether a custom role may be made here: for the whole directory, or at a resource."""
    return bool(place.kind != ResourceKind.ADMINISTRATIVE_UNIT)


@method_decorator(at_place(), name="dispatch")
class Roles(PlaceList):
    """Every role that may be assigned at a place."""

    current = "roles"
    table_class = RoleTable
    filter_class = RoleFilter
    template_name = "manage/roles.html"

    @cached_property
    def lately(self) -> Lately[dict[uuid.UUID, Holders]]:
        return holders_lately_at(self.place, self.request.now)

    @property
    def holders(self) -> dict[uuid.UUID, Holders]:
        return self.lately.found

    @cached_property
    def changed(self) -> dict[uuid.UUID, Changed]:
        return settings_changed_at(self.place)

    def rows(self) -> QuerySet[Any]:
        rows = roles_at(self.place, self.changed)
        return with_counts(rows, self.holders) if self._by_count else rows

    @property
    def _by_count(self) -> bool:
        """Whether the list is sorted or filtered by how many hold a role; its cells have the numbers anyway."""
        sorted_by = {one.lstrip("-") for one in self.request.GET.getlist("sort")}
        return bool(self.request.GET.get("in_use")) or not sorted_by.isdisjoint({"eligible", "active"})

    def dress(self, rows: Sequence[Any]) -> None:
        for row in rows:
            row.holders = self.holders.get(row.pk, Holders())
            row.changed = self.changed.get(row.pk)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        counted_at = self.lately.at
        return super().get_context_data(can_have_roles=can_have_roles(self.place), counted_at=counted_at, **kwargs)


def found_at(place: Resource, pk: uuid.UUID) -> Role:
    """Return a role that is known at this place."""
    found = roles_known_at(place).filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


@require_safe
@at_place()
def role(request: PortalRequest, place: Resource, pk: uuid.UUID) -> HttpResponse:
    """Show a role as it is at a place: what it is, who holds it, its settings, what happened lately."""
    shown, now = found_at(place, pk), request.now
    frame = Frame(place, request.authority, "roles")
    settings = settings_of(shown, place)
    context = {
        "place": place,
        "frame": frame,
        "shown": shown,
        "permissions": shown.permissions.splitlines(),
        "lists": [
            (_("Eligible"), "eligible", eligible(place, now).filter(role=shown)[: MOST_HOLDERS + 1]),
            (_("Active"), "active", active(place, now).filter(role=shown)[: MOST_HOLDERS + 1]),
        ],
        "most": MOST_HOLDERS,
        "holders": holders_of(shown, place, now),
        "settings": settings,
        "source": source_of(settings),
        "may_see_people": request.authority.anywhere(Permission.SEE_PEOPLE),
        "may_define": frame.may_define and shown.home_id == place.pk,
        "may_see_audit": request.authority.allows(Permission.SEE_AUDIT, place),
        "story": _story(request, shown, place),
    }
    return render(request, "manage/role.html", context)


def _story(request: PortalRequest, role: Role, place: Resource) -> list[dict[str, Any]]:
    """Tell what happened lately to a role at this very place, to whoever may read the history there."""
    if not request.authority.allows(Permission.SEE_AUDIT, place):
        return []
    events = Event.objects.filter(role_id=role.pk, resource_id=place.pk).select_related("text").newest_first()
    return [
        {
            "what": sentence(one),
            "why": why(one),
            "at": one.occurred_at,
            "tone": "" if one.outcome == "done" else "bad",
        }
        for one in events[:MOST_EVENTS]
    ]


def _made_here(place: Resource, pk: uuid.UUID) -> Role:
    found = found_at(place, pk)
    if found.home_id != place.pk:
        raise Http404
    return found


def _form(request: PortalRequest, template: str, form: Any, place: Resource, **context: Any) -> HttpResponse:
    page = {"place": place, "frame": Frame(place, request.authority, "roles"), **context}
    return form_page(request, f"manage/{template}.html", form, **page)


@read_and_send
@at_place(Permission.DEFINE)
def add(request: PortalRequest, place: Resource) -> HttpResponse:
    """Make a custom role."""
    if not can_have_roles(place):
        raise Http404
    form = DefineForm(request.POST or None, request=request)
    if form.is_valid():
        try:
            made = add_role(place, form.definition(), actor=form.actor([request.user.pk]), clock=timezone.now)
        except Refused as refused:
            form.add_refusal(refused)
        else:
            messages.success(request, _("The role {role} is made.").format(role=made.name))
            return redirect(address(place, "role", pk=made.pk))
    return _form(request, "role_add", form, place)


@read_and_send
@at_place(Permission.DEFINE)
def change(request: PortalRequest, place: Resource, pk: uuid.UUID) -> HttpResponse:
    """Change a custom role where it was made."""
    shown = _made_here(place, pk)
    now = defined_as(shown)
    initial = {name: getattr(now, name) for name in ("name", "description", "category", "privileged")}
    initial["permissions"] = shown.permissions
    form = DefineForm(request.POST or None, request=request, initial=initial)
    if form.is_valid():
        try:
            change_role(pk, form.definition(), actor=form.actor([pk]), clock=timezone.now)
        except Refused as refused:
            form.add_refusal(refused)
        else:
            messages.success(request, _("The role is changed."))
            return redirect(address(place, "role", pk=pk))
    return _form(request, "role_change", form, place, shown=shown)


@read_and_send
@at_place(Permission.DEFINE)
def retire(request: PortalRequest, place: Resource, pk: uuid.UUID) -> HttpResponse:
    """Retire a custom role; who holds it loses it."""
    shown = _made_here(place, pk)
    form = RetireForm(request.POST or None, request=request)
    if form.is_valid():
        try:
            reason = form.cleaned_data["reason"]
            retire_role(pk, reason=reason, actor=form.actor([pk]), clock=timezone.now)
        except Refused as refused:
            form.add_refusal(refused)
        else:
            messages.success(request, _("The role is retired, and nobody holds it any more."))
            return redirect(address(place, "role", pk=pk))
    return _form(request, "role_retire", form, place, shown=shown, open=open_of(shown, request.now))


@read_and_send
@at_place(Permission.DEFINE)
def restore(request: PortalRequest, place: Resource, pk: uuid.UUID) -> HttpResponse:
    """Let a retired role be assigned again."""
    shown = _made_here(place, pk)
    form = RetireForm(request.POST or None, request=request)
    if form.is_valid():
        try:
            reason = form.cleaned_data["reason"]
            restore_role(pk, reason=reason, actor=form.actor([pk]), clock=timezone.now)
        except Refused as refused:
            form.add_refusal(refused)
        else:
            messages.success(request, _("The role can be assigned again."))
            return redirect(address(place, "role", pk=pk))
    return _form(request, "role_restore", form, place, shown=shown)
