"""Groups: the list, the page of one, adding, changing, disabling and enabling. Members: `roles.views.assigning`."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from audit.kinds import Realm
from pim_portal.imports import sheets
from pim_portal.people.forms import GroupForm, PeopleForm, ReasonForm
from pim_portal.people.selectors import groups as selectors
from pim_portal.people.selectors.people import tell
from pim_portal.people.tables import MEMBER_COLUMNS, GroupAccessTable, GroupsFilter, GroupsTable
from pim_portal.people.views.common import Answer, tabs
from roles.actors import Actor
from roles.answers import form_page, read_and_send
from roles.catalogue import Permission
from roles.lists import ListPage
from roles.middleware import PortalRequest
from roles.models import Group
from roles.places import Frame
from roles.refusals import Refused
from roles.services.groups import add_group, change_group, disable_group, enable_group

SHOWN = 12  # of who belongs to a group, on its page; the list has all

Act = Callable[[Group, dict[str, Any], Actor], str]


class Groups(ListPage):
    """The groups that the viewer may see."""

    request: PortalRequest
    table_class = GroupsTable
    filter_class = GroupsFilter
    template_name = "people/groups.html"
    download_columns = sheets.GROUPS

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        authority = self.request.authority
        if not authority.anywhere(Permission.SEE_PEOPLE) and not any(authority.paths(Permission.SEE, Realm.GROUP)):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    def rows(self) -> QuerySet[Any]:
        viewer = self.request.authority
        return selectors.counted(selectors.groups(viewer), viewer=viewer, now=self.request.now)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        viewer = self.request.authority
        may = {"may_add": viewer.allows(Permission.MANAGE_GROUPS), "may_import": viewer.allows(Permission.DEFINE)}
        return super().get_context_data(tabs=tabs(self.request, "groups"), **may, **kwargs)


@require_safe
def overview(request: PortalRequest, place: uuid.UUID) -> Answer:
    """Show a group: its members and owners, and what it gives them."""
    group = get_object_or_404(selectors.groups(request.authority), pk=place)
    viewer, now = request.authority, request.now
    frame = Frame(group.resource, viewer, "overview")
    people = selectors.people_of(group, now)
    given = tell(list(selectors.given_to(group, viewer=viewer, now=now)), of=group, viewer=viewer, now=now)
    context = {
        "group": group,
        "place": group.resource,
        "frame": frame,
        "people": people[:SHOWN],
        "people_in_all": people.count(),
        "members": selectors.members_now(group, now),
        "planned": selectors.planned_members(group, now),
        "member_columns": MEMBER_COLUMNS,
        "may_see_people": viewer.anywhere(Permission.SEE_PEOPLE),
        "may_see_members": viewer.allows(Permission.SEE, group.resource),
        "given": GroupAccessTable(given, empty_text=_("Nothing that you may see."), orderable=False),
    }
    return render(request, "people/group.html", context)


@read_and_send
def add(request: PortalRequest) -> HttpResponse:
    """Add a group, without members and without roles."""
    if not request.authority.allows(Permission.MANAGE_GROUPS):
        raise PermissionDenied
    form = GroupForm(request.POST or None, request=request)
    if form.is_valid():
        try:
            said = form.group()
            made = add_group(
                said["name"],
                description=said["description"],
                actor=form.actor([request.user.pk]),
                clock=timezone.now,
            )
        except Refused as refused:
            form.add_refusal(refused)
        else:
            messages.success(request, _("{name} is added. Now choose its members.").format(name=made.name))
            return redirect("group", made.pk)
    return form_page(request, "people/group_add.html", form)


def _form_about(
    request: PortalRequest, pk: uuid.UUID, form_class: type[PeopleForm], template: str, act: Act, **context: Any
) -> HttpResponse:
    """Show a form about a group; once it is filled in, do what it is for, or say beside it why not."""
    group = get_object_or_404(selectors.groups(request.authority), pk=pk)
    if not request.authority.allows(Permission.ASSIGN, group.resource):
        raise Http404
    given = {"name": group.name, "description": group.description}
    form = form_class(request.POST if request.method == "POST" else None, request=request, initial=given)
    if form.is_valid():
        try:
            messages.success(request, act(group, form.cleaned_data, form.actor([request.user.pk])))
        except Refused as refused:
            form.add_refusal(refused)
        else:
            return redirect("group", group.pk)
    return form_page(request, template, form, group=group, **context)


@read_and_send
def change(request: PortalRequest, pk: uuid.UUID) -> HttpResponse:
    """Change the name and the description of a group."""

    def act(group: Group, given: dict[str, Any], actor: Actor) -> str:
        values = {"name": given["name"], "description": given["description"]}
        change_group(group.pk, **values, actor=actor, clock=timezone.now)
        return _("The group is changed.")

    return _form_about(request, pk, GroupForm, "people/group_change.html", act)


@read_and_send
def disable(request: PortalRequest, pk: uuid.UUID) -> HttpResponse:
    """Disable a group."""

    def act(group: Group, given: dict[str, Any], actor: Actor) -> str:
        disable_group(group.pk, reason=given["reason"], actor=actor, clock=timezone.now)
        return _("{name} is disabled.").format(name=group.name)

    return _form_about(request, pk, ReasonForm, "people/group_disable.html", act)


@read_and_send
def enable(request: PortalRequest, pk: uuid.UUID) -> HttpResponse:
    """Enable a group again."""

    def act(group: Group, given: dict[str, Any], actor: Actor) -> str:
        enable_group(group.pk, actor=actor, clock=timezone.now)
        return _("{name} is enabled.").format(name=group.name)

    return _form_about(request, pk, PeopleForm, "people/group_enable.html", act)
