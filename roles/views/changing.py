"""Changing, renewing and ending assignments at a place, one or many."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from roles.answers import form_page, read_and_send
from roles.catalogue import Permission
from roles.forms.assignments import ChangeForm, EndForm, TypedForm, proposed_end
from roles.guards import at_place
from roles.middleware import PortalRequest
from roles.models import Assignment, AssignmentType, Resource
from roles.places import Frame, address
from roles.refusals import Refused
from roles.selectors.assignment_lists import at_or_above
from roles.selectors.settings import settings_of
from roles.services.assignments import remove as remove_assignment
from roles.services.changes import change as change_assignment
from roles.services.changes import renew as renew_assignment
from roles.views.assigning import chosen_at, limits_of, list_of
from roles.views.assignments import found_at
from roles.views.results import Result, keep_results

MOST_AT_ONCE = 50


def _page(request: PortalRequest, template: str, form: Any, shown: Assignment, **context: Any) -> HttpResponse:
    place = shown.resource
    page = {"place": place, "frame": Frame(place, request.authority, "assignments"), "shown": shown, **context}
    return form_page(request, template, form, **page)


@read_and_send
@at_place(Permission.ASSIGN)
def change(request: PortalRequest, place: Resource, pk: uuid.UUID) -> HttpResponse:
    """Move the end of an assignment, and its start while that lies ahead."""
    shown = found_at(place, pk)
    settings = settings_of(shown.role, place)
    active = shown.type == AssignmentType.ACTIVE
    form = ChangeForm(
        request.POST or None,
        request=request,
        assignment=shown,
        own_code=settings.second_factor_on_assign and active,
        settings=settings if active else None,
    )
    if form.is_valid():
        try:
            change_assignment(
                pk,
                **form.times(),
                reason=form.cleaned_data["reason"],
                actor=form.actor([pk]),
                clock=timezone.now,
            )
        except Refused as refused:
            form.add_refusal(refused)
        else:
            messages.success(request, _("The assignment is changed."))
            return redirect(address(place, "assignment", pk=pk))
    return _page(request, "manage/assignment_change.html", form, shown, limits=limits_of(settings))


@read_and_send
@at_place(Permission.ASSIGN)
def renew(request: PortalRequest, place: Resource, pk: uuid.UUID) -> HttpResponse:
    """Give an assignment anew that has ended."""
    shown = found_at(place, pk)
    settings = settings_of(shown.role, place)
    wanted = request.POST.get("type", shown.type)
    own_code = settings.second_factor_on_assign and wanted == AssignmentType.ACTIVE
    type = AssignmentType(shown.type)
    form = TypedForm(
        request.POST or None,
        request=request,
        own_code=own_code,
        settings=settings,
        end=proposed_end(settings, type, request.now),
        initial={"type": type},
    )
    if form.is_valid():
        given = form.cleaned_data
        try:
            made = renew_assignment(
                pk,
                type=AssignmentType(given["type"]),
                starts_at=given["starts_at"],
                ends_at=given["ends_at"],
                reason=given["reason"],
                actor=form.actor([pk]),
                clock=timezone.now,
            )
        except Refused as refused:
            form.add_refusal(refused)
        else:
            messages.success(request, _("The assignment is renewed."))
            return redirect(list_of(place, made, request))
    return _page(request, "manage/assignment_renew.html", form, shown, limits=limits_of(settings))


@read_and_send
@at_place(Permission.ASSIGN)
def remove(request: PortalRequest, place: Resource, pk: uuid.UUID) -> HttpResponse:
    """Take one assignment away, or end an activation."""
    shown = found_at(place, pk)
    form = EndForm(request.POST or None, request=request)
    if form.is_valid():
        try:
            reason = form.cleaned_data["reason"]
            remove_assignment(pk, actor=form.actor([pk]), reason=reason, clock=timezone.now)
        except Refused as refused:
            form.add_refusal(refused)
        else:
            messages.success(request, _("{name} no longer has it.").format(name=shown.principal.name))
            return redirect(address(place, "assignment", pk=pk))
    return _page(request, "manage/assignment_remove.html", form, shown)


@read_and_send
@at_place(Permission.ASSIGN)
def end_chosen(request: PortalRequest, place: Resource) -> HttpResponse:
    """End several assignments and activations with one reason, each in a transaction of its own."""
    rows = at_or_above(place).filter(resource=place).select_related("principal", "role", "resource")
    chosen = chosen_at(request, rows, "chosen")
    form = EndForm(request.POST if request.method == "POST" else None, request=request)
    if form.is_bound and not 0 < len(chosen) <= MOST_AT_ONCE:
        sentence = _("Choose one assignment, or up to {most} at once, and then Remove.")
        form.add_error(None, sentence.format(most=MOST_AT_ONCE))
    if form.is_valid():
        done = _end_each(request, form, chosen, place)
        if done is not None:
            return done
    page = {"place": place, "frame": Frame(place, request.authority, "assignments"), "chosen": chosen}
    return form_page(request, "manage/assignments_end.html", form, **page)


def _end_each(request: PortalRequest, form: EndForm, chosen: list[Assignment], place: Resource) -> HttpResponse | None:
    try:
        actor = form.actor([one.pk for one in chosen])
    except Refused as refused:
        form.add_refusal(refused)
        return None
    # Activations first: those of an eligibility in the same form end with it, and would be refused as over.
    order = sorted(chosen, key=lambda one: one.activated_from_id is None)
    results = {one.pk: _end(one, form.cleaned_data["reason"], actor, place) for one in order}
    title = ngettext("What became of the assignment", "What became of the {count} assignments", len(chosen))
    back = address(place, "assignments")
    return keep_results(request, title.format(count=len(chosen)), [results[one.pk] for one in chosen], back=back)


def _end(row: Assignment, reason: str, actor: Any, place: Resource) -> Result:
    name = _("{name}: {role}").format(name=row.principal.name, role=row.role.name)
    url = address(place, "assignment", pk=row.pk)
    try:
        remove_assignment(row.pk, actor=actor, reason=reason, clock=timezone.now)
    except Refused as refused:
        return Result(name, "refused", _("Refused"), refused.sentence, url)
    if row.activated_from_id is not None:
        return Result(name, "good", _("Ended"), _("The activation has ended."), url)
    return Result(name, "good", _("Removed"), "", url)
