"""People and groups: who they are, what they hold and may activate, and why."""

from __future__ import annotations

import functools
import uuid
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_safe

from pim_portal.accounts.links import entry_link
from pim_portal.accounts.selectors import waiting_ticket
from pim_portal.accounts.services import tickets
from pim_portal.imports import sheets
from pim_portal.models import TicketKind
from pim_portal.people import selectors, services
from pim_portal.people.forms import InviteForm, PeopleForm, ReasonForm, ResetForm
from pim_portal.people.tables import (
    ASSIGNMENT_COLUMNS,
    MEMBER_COLUMNS,
    GroupsFilter,
    GroupsTable,
    PeopleFilter,
    PeopleTable,
    state_of,
)
from roles.actors import Actor
from roles.answers import form_page, read_and_send
from roles.catalogue import Permission
from roles.guards import holding
from roles.lists import ListPage, Tab
from roles.middleware import PortalRequest
from roles.models import Group, User
from roles.refusals import Refused
from roles.services.principals import enable_person

Answer = HttpResponseBase
PageOfOne = Callable[[PortalRequest, uuid.UUID], Answer]
Act = Callable[[User, dict[str, Any], Actor], Answer]


def only_with(permission: Permission) -> Callable[[PageOfOne], PageOfOne]:
    """Answer 404 on the page of one object, as for a random id, to whoever does not hold this permission."""

    def wrap(view: PageOfOne) -> PageOfOne:
        @functools.wraps(view)
        def guarded(request: PortalRequest, pk: uuid.UUID) -> Answer:
            if not request.authority.anywhere(permission):
                raise Http404
            return view(request, pk)

        return guarded

    return wrap


def tabs(current: str) -> list[Tab]:
    return [
        Tab(_("People"), reverse("people"), current == "people"),
        Tab(_("Groups"), reverse("groups"), current == "groups"),
    ]


@method_decorator(holding(Permission.SEE_PEOPLE), name="dispatch")
class People(ListPage):
    """Everybody."""

    request: PortalRequest
    table_class = PeopleTable
    filter_class = PeopleFilter
    template_name = "people/people.html"
    download_columns = sheets.PEOPLE

    def rows(self) -> QuerySet[Any]:
        return selectors.people()

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        may_invite = self.request.authority.allows(Permission.MANAGE_PEOPLE)
        return super().get_context_data(tabs=tabs("people"), may_invite=may_invite, **kwargs)


@method_decorator(holding(Permission.SEE_PEOPLE), name="dispatch")
class Groups(ListPage):
    """Every group."""

    request: PortalRequest
    table_class = GroupsTable
    filter_class = GroupsFilter
    template_name = "people/groups.html"
    download_columns = sheets.GROUPS

    def rows(self) -> QuerySet[Any]:
        return selectors.groups(self.request.now)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(tabs=tabs("groups"), **kwargs)


@require_safe
@only_with(Permission.SEE_PEOPLE)
def person(request: PortalRequest, pk: uuid.UUID) -> Answer:
    """Show somebody: who they are, what they hold now and may activate."""
    user = get_object_or_404(User.objects.select_related("manager"), pk=pk)
    viewer, now = request.authority, request.now
    manages, resets = viewer.allows(Permission.MANAGE_PEOPLE), viewer.allows(Permission.RESET_PEOPLE)
    joined, other = user.has_usable_password(), user.pk != request.user.pk
    context = {
        "person": user,
        "state": state_of(user),
        "held": selectors.held_by(user, viewer=viewer, now=now),
        "eligible": selectors.eligible_for(user, viewer=viewer, now=now),
        "assignment_columns": ASSIGNMENT_COLUMNS,
        "groups": selectors.groups_of(user, now),
        "has_app": selectors.has_app(user.pk),
        "ticket": waiting_ticket(user.pk, now) if manages or resets else None,
        "may_disable": manages and user.enabled and other,
        "may_enable": manages and not user.enabled,
        "may_invite": manages and user.enabled and not joined,
        "may_reset": resets and user.enabled and joined and other,
    }
    return render(request, "people/person.html", context)


@require_safe
@only_with(Permission.SEE_PEOPLE)
def group(request: PortalRequest, pk: uuid.UUID) -> Answer:
    """Show a group: its members and owners, and what it gives them."""
    shown = get_object_or_404(Group.objects.select_related("resource"), pk=pk)
    context = {
        "group": shown,
        "people": selectors.people_of(shown, request.now),
        "member_columns": MEMBER_COLUMNS,
        "given": selectors.given_to(shown, viewer=request.authority, now=request.now),
        "assignment_columns": ASSIGNMENT_COLUMNS,
    }
    return render(request, "people/group.html", context)


@sensitive_post_parameters("code")
@holding(Permission.MANAGE_PEOPLE)
@read_and_send
def invite(request: PortalRequest) -> Answer:
    """Invite somebody; the link is shown this once."""
    form = InviteForm(request.POST or None, request=request)
    if form.is_valid():
        given = {name: form.cleaned_data[name] for name in ("username", "name", "email", "job_title", "department")}
        try:
            made = tickets.invite(**given, actor=form.actor([request.user.pk]), clock=timezone.now)
        except Refused as refused:
            form.add_refusal(refused)
        else:
            return _link(request, made)
    return form_page(request, "people/invite.html", form)


def _link(request: PortalRequest, given: tickets.Given) -> Answer:
    context = {"link": entry_link(given.secret), "ticket": given.ticket, "person": given.ticket.user}
    return render(request, "people/link.html", context)


def _form_about(request: PortalRequest, pk: uuid.UUID, form_class: type[PeopleForm], template: str, act: Act) -> Answer:
    """Show a form about somebody; once it is filled in, do what it is for, or say beside it why not."""
    user = get_object_or_404(User, pk=pk)
    form = form_class(request.POST if request.method == "POST" else None, request=request)
    if form.is_valid():
        try:
            return act(user, form.cleaned_data, form.actor([request.user.pk]))
        except Refused as refused:
            form.add_refusal(refused)
    return form_page(request, template, form, person=user)


@only_with(Permission.MANAGE_PEOPLE)
@read_and_send
def invite_again(request: PortalRequest, pk: uuid.UUID) -> Answer:
    """Make a new link for somebody who has not joined yet."""

    def act(user: User, given: dict[str, Any], actor: Actor) -> Answer:
        return _link(request, tickets.invite_again(user.pk, actor=actor, clock=timezone.now))

    return _form_about(request, pk, PeopleForm, "people/invite_again.html", act)


@only_with(Permission.MANAGE_PEOPLE)
@read_and_send
def disable(request: PortalRequest, pk: uuid.UUID) -> Answer:
    """Disable somebody."""

    def act(user: User, given: dict[str, Any], actor: Actor) -> Answer:
        services.disable(user.pk, reason=given["reason"], actor=actor, clock=timezone.now)
        messages.success(request, _("{name} is disabled and signed out.").format(name=user.name))
        return redirect("person", pk=user.pk)

    return _form_about(request, pk, ReasonForm, "people/disable.html", act)


@only_with(Permission.MANAGE_PEOPLE)
@read_and_send
def enable(request: PortalRequest, pk: uuid.UUID) -> Answer:
    """Enable somebody again."""

    def act(user: User, given: dict[str, Any], actor: Actor) -> Answer:
        enable_person(user.pk, actor=actor, clock=timezone.now)
        messages.success(request, _("{name} is enabled.").format(name=user.name))
        return redirect("person", pk=user.pk)

    return _form_about(request, pk, PeopleForm, "people/enable.html", act)


@only_with(Permission.RESET_PEOPLE)
@read_and_send
def reset(request: PortalRequest, pk: uuid.UUID) -> Answer:
    """Make a link for somebody who lost their password or phone; it is shown this once."""

    def act(user: User, given: dict[str, Any], actor: Actor) -> Answer:
        kind = TicketKind(given["kind"])
        made = tickets.help_back_in(user.pk, kind=kind, reason=given["reason"], actor=actor, clock=timezone.now)
        return _link(request, made)

    return _form_about(request, pk, ResetForm, "people/reset.html", act)
