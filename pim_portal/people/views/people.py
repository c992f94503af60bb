"""People: the list, the page of one, and what is done to them."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db.models import QuerySet
from django.http import QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_safe

from audit.kinds import Kind
from pim_portal.accounts.links import entry_link
from pim_portal.accounts.selectors import waiting_ticket
from pim_portal.accounts.services import tickets
from pim_portal.imports import sheets
from pim_portal.models import TicketKind
from pim_portal.people import services
from pim_portal.people.forms import PERSON_FIELDS, EditForm, InviteForm, PeopleForm, ReasonForm, ResetForm
from pim_portal.people.selectors import people as selectors
from pim_portal.people.selectors.disabling import held_again, what_disabling_does
from pim_portal.people.selectors.groups import groups_of
from pim_portal.people.tables import AccessTable, PeopleFilter, PeopleTable, state_of
from pim_portal.people.views.access import EMPTY, LABELS, LISTS, tabs_of
from pim_portal.people.views.common import Answer, only_with, tabs
from roles.actors import Actor
from roles.answers import form_page, read_and_send
from roles.authority import Authority
from roles.catalogue import Permission
from roles.guards import holding
from roles.lists import ListPage
from roles.middleware import PortalRequest
from roles.models import User
from roles.refusals import Refused
from roles.selectors.people import people_among
from roles.selectors.prospects import principals_matching
from roles.services.principals import enable_person
from roles.views.ids import ids_in

SHOWN = 8  # rows of each part of somebody's page; the lists have all

Act = Callable[[User, dict[str, Any], Actor], Answer]


@method_decorator(holding(Permission.SEE_PEOPLE), name="dispatch")
class People(ListPage):
    """Everybody."""

    request: PortalRequest
    table_class = PeopleTable
    filter_class = PeopleFilter
    template_name = "people/people.html"
    download_columns = sheets.PEOPLE
    walking = ("name_key", "pk")  # its own order, which an index has: whoever is searched for is looked for once

    def rows(self) -> QuerySet[Any]:
        return selectors.people()

    def fetched(self) -> QuerySet[Any]:
        return selectors.people()

    def fetch(self) -> Callable[[Sequence[Any]], Iterable[Any]]:
        return people_among

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        viewer = self.request.authority
        may = {"may_invite": viewer.allows(Permission.MANAGE_PEOPLE), "may_import": viewer.allows(Permission.DEFINE)}
        return super().get_context_data(tabs=tabs(self.request, "people"), **may, **kwargs)


@require_safe
@only_with(Permission.SEE_PEOPLE)
def person(request: PortalRequest, pk: uuid.UUID) -> Answer:
    """Show somebody: who they are, what they hold now and may activate and why, and what happened lately."""
    user = get_object_or_404(User.objects.select_related("manager"), pk=pk)
    viewer, now = request.authority, request.now
    manages, resets = viewer.allows(Permission.MANAGE_PEOPLE), viewer.allows(Permission.RESET_PEOPLE)
    joined, other = user.has_usable_password(), user.pk != request.user.pk
    reports = user.reports.order_by("name_key", "pk")
    groups = groups_of(user.pk, now)
    context = {
        "person": user,
        "tabs": tabs_of(user, "overview"),
        "state": state_of(user),
        "parts": [_part(tab, user, viewer=viewer, now=now) for tab in LISTS],
        "events": selectors.recent_activity(user, viewer=viewer).exclude(kind=Kind.SECOND_FACTOR_GIVEN)[:SHOWN],
        "groups": groups[:SHOWN],
        "groups_beyond": len(groups[SHOWN:]),
        "has_app": selectors.has_app(user.pk),
        "reports": reports[:SHOWN],
        "reports_in_all": reports.count(),
        "ticket": waiting_ticket(user.pk, now) if manages or resets else None,
        "may_edit": manages,
        "may_disable": manages and user.enabled and other,
        "may_enable": manages and not user.enabled,
        "may_invite": manages and user.enabled and not joined,
        "may_reset": resets and user.enabled and joined and other,
    }
    return render(request, "people/person.html", context)


def _part(tab: str, user: User, *, viewer: Authority, now: datetime) -> dict[str, Any]:
    """One of the short tables of a person's page: its first rows, and how many there are."""
    rows = LISTS[tab](user, viewer=viewer, now=now)
    first = selectors.tell(list(rows[:SHOWN]), of=user, viewer=viewer, now=now)
    table = AccessTable(first, empty_text=EMPTY[tab], orderable=False)
    in_all = rows.count() if len(first) == SHOWN else len(first)
    return {"tab": tab, "label": LABELS[tab], "table": table, "in_all": in_all, "shown": len(first)}


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
    context = {
        "link": entry_link(given.secret),
        "ticket": given.ticket,
        "person": given.ticket.user,
        "mails_leave": settings.PIM_MAILS_LEAVE,
    }
    return render(request, "people/link.html", context)


def _form_about(
    request: PortalRequest, pk: uuid.UUID, form_class: type[PeopleForm], template: str, act: Act, **context: Any
) -> Answer:
    """Show a form about somebody; once it is filled in, do what it is for, or say beside it why not."""
    user = get_object_or_404(User, pk=pk)
    form = form_class(request.POST if request.method == "POST" else None, request=request)
    if form.is_valid():
        try:
            return act(user, form.cleaned_data, form.actor([request.user.pk]))
        except Refused as refused:
            form.add_refusal(refused)
    return form_page(request, template, form, person=user, **context)


@only_with(Permission.MANAGE_PEOPLE)
@read_and_send
def change(request: PortalRequest, pk: uuid.UUID) -> Answer:
    """Change who somebody is. Finding a manager sends the form, too, and changes nothing."""
    user = get_object_or_404(User, pk=pk)
    known = {name: getattr(user, name) for name in PERSON_FIELDS} | {"manager": str(user.manager_id or "")}
    sent = request.method == "POST"
    chosen = {one for one in [user.manager_id, *ids_in_field(request.POST, "manager")] if one is not None}
    query = request.POST.get("q", "")
    found = principals_matching(query, chosen=chosen, only_users=True)
    given: dict[str, Any] = {"request": request, "people": [one for one in found if one.pk != user.pk]}
    if sent and "find" not in request.POST:
        form = EditForm(request.POST, **given)
    else:
        form = EditForm(
            initial=known | ({name: request.POST.get(name, "") for name in [*known, "q"]} if sent else {}), **given
        )
    if form.is_valid():
        try:
            services.change(user.pk, **form.person(), actor=form.actor([request.user.pk]), clock=timezone.now)
        except Refused as refused:
            form.add_refusal(refused)
        else:
            messages.success(request, _("{name} is changed.").format(name=form.cleaned_data["name"]))
            return redirect("person", pk=user.pk)
    nobody = bool(query) and len(found) == len(chosen)
    return form_page(request, "people/change.html", form, person=user, nobody=nobody)


def ids_in_field(query: QueryDict, name: str) -> list[uuid.UUID]:
    """Return the ids that a field of a form names; an empty one names none."""
    return [] if not query.get(name) else ids_in(query, name)


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

    found = get_object_or_404(User, pk=pk)
    effect = what_disabling_does(found, viewer=request.authority, now=request.now)
    return _form_about(request, pk, ReasonForm, "people/disable.html", act, effect=effect)


@only_with(Permission.MANAGE_PEOPLE)
@read_and_send
def enable(request: PortalRequest, pk: uuid.UUID) -> Answer:
    """Enable somebody again."""

    def act(user: User, given: dict[str, Any], actor: Actor) -> Answer:
        enable_person(user.pk, actor=actor, clock=timezone.now)
        messages.success(request, _("{name} is enabled.").format(name=user.name))
        return redirect("person", pk=user.pk)

    found = get_object_or_404(User, pk=pk)
    held = held_again(found, viewer=request.authority, now=request.now)
    return _form_about(request, pk, PeopleForm, "people/enable.html", act, held=held)


@only_with(Permission.RESET_PEOPLE)
@read_and_send
def reset(request: PortalRequest, pk: uuid.UUID) -> Answer:
    """Make a link for somebody who lost their password or phone; it is shown this once."""

    def act(user: User, given: dict[str, Any], actor: Actor) -> Answer:
        kind = TicketKind(given["kind"])
        made = tickets.help_back_in(user.pk, kind=kind, reason=given["reason"], actor=actor, clock=timezone.now)
        return _link(request, made)

    return _form_about(request, pk, ResetForm, "people/reset.html", act)
