"""Changing the tree: adding below a place, renaming, moving, retiring and restoring it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any, Protocol

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from roles.actors import Actor
from roles.answers import form_page, read_and_send
from roles.authority import Authority
from roles.catalogue import Permission
from roles.forms.resources import AddForm, ConfirmForm, NameForm, RootForm, TreeForm
from roles.guards import at_place
from roles.middleware import PortalRequest, actor_of
from roles.models import Resource, ResourceKind
from roles.models.principals import search_key
from roles.models.resources import CHILDREN
from roles.places import Frame, address
from roles.refusals import Refused, broken
from roles.rules.resources import FIXED, MOVE, RETIRE
from roles.selectors.resources import is_retired_place, parent_of
from roles.selectors.trees import targets_of, ways_to
from roles.services.moves import gather as gather_move
from roles.services.resources import add_resource, rename_resource
from roles.services.retirements import gather as gather_retirement
from roles.services.retirements import restore_resource, retire_resource
from roles.services.roots import add_root
from roles.views.ids import ids_in

MOST_TARGETS = 25
MOST_ROWS = 50


@dataclass(frozen=True, slots=True)
class Acts:
    """What of the tree may be changed at a place by its viewer."""

    add: bool
    rename: bool
    move: bool
    retire: bool
    restore: bool
    retired: bool


def acts_at(place: Resource, authority: Authority) -> Acts:
    """Say which acts a page of a place offers."""
    define, retired = authority.allows(Permission.DEFINE, place), is_retired_place(place)
    changes = define and not retired and ResourceKind(place.kind) not in FIXED
    parent = parent_of(place)
    return Acts(
        add=define and not retired and bool(CHILDREN[ResourceKind(place.kind)]),
        rename=define and not retired and place.kind != ResourceKind.DIRECTORY,
        move=changes and _can_move(place) and authority.allows(Permission.DEFINE, parent),
        retire=changes,
        restore=define and place.retired_at is not None,
        retired=retired,
    )


def _can_move(place: Resource) -> bool:
    kind = ResourceKind(place.kind)
    return kind not in FIXED and kind != ResourceKind.ADMINISTRATIVE_UNIT


def _page(request: PortalRequest, template: str, form: Any, place: Resource, **context: Any) -> HttpResponse:
    page = {"place": place, "frame": Frame(place, request.authority, "overview"), **context}
    return form_page(request, f"manage/{template}.html", form, **page)


@read_and_send
@at_place(Permission.DEFINE)
def add(request: PortalRequest, place: Resource) -> HttpResponse:
    """Add something below a place."""
    kinds = [kind for kind in ResourceKind if kind in CHILDREN[ResourceKind(place.kind)]]
    if not kinds:
        raise Http404
    form = AddForm(request.POST or None, request=request, kinds=kinds)
    if form.is_valid():
        try:
            made = add_resource(parent=place, **form.given(), actor=form.actor([request.user.pk]), clock=timezone.now)
        except Refused as refused:
            form.add_refusal(refused)
        else:
            messages.success(request, _("{name} stands below {place} now.").format(name=made.name, place=place.name))
            return redirect(address(made))
    return _page(request, "place_add", form, place, only=kinds[0].label if len(kinds) == 1 else "")


@read_and_send
@at_place(Permission.DEFINE)
def rename(request: PortalRequest, place: Resource) -> HttpResponse:
    """Give a place another name."""
    kinds = [ResourceKind(place.kind)]
    form = NameForm(request.POST or None, request=request, kinds=kinds, initial={"name": place.name})
    if form.is_valid():
        given = form.cleaned_data
        try:
            actor = form.actor([place.pk])
            rename_resource(place.pk, name=given["name"], reason=given["reason"], actor=actor, clock=timezone.now)
        except Refused as refused:
            form.add_refusal(refused)
        else:
            messages.success(request, _("It has its new name."))
            return redirect(address(place))
    return _page(request, "place_rename", form, place)


class Mover(Protocol):
    """Moves the place of a page; answers with where to go instead where it is not moved yet."""

    def __call__(self, target_id: uuid.UUID, *, seen: str, reason: str, actor: Actor) -> HttpResponse | None: ...


def show_move(request: PortalRequest, place: Resource, mover: Mover) -> HttpResponse:
    """Choose where a place is moved to, look at what that changes, confirm it: the view stands in approvals."""
    if not _can_move(place) or not request.authority.allows(Permission.DEFINE, parent_of(place)):
        raise Http404
    chosen = ids_in(request.POST if request.method == "POST" else request.GET, "to")
    if not chosen:
        return _choose_target(request, place)
    target = Resource.objects.filter(pk=chosen[0]).first()
    if target is None or not request.authority.allows(Permission.DEFINE, target):
        raise Http404
    form = ConfirmForm(request.POST or None, request=request)
    if form.is_valid():
        given = form.cleaned_data
        try:
            actor = form.actor([place.pk])
            instead = mover(target.pk, seen=given["seen"], reason=given["reason"], actor=actor)
        except Refused as refused:
            form.add_refusal(refused)
        else:
            if instead is not None:
                return instead
            words = {"name": place.name, "target": target.name}
            messages.success(request, _("{name} stands below {target} now.").format(**words))
            return redirect(address(place))
    facts, preview = gather_move(place, target, seen=None, actor=actor_of(request), now=request.now)
    _show_anew(form, preview.digest)
    hindrances = _hindrances(broken(MOVE, facts))
    page = {"target": target, "preview": preview, "hindrances": hindrances, "most": MOST_ROWS}
    return _page(request, "place_move", form, place, **page)


def _choose_target(request: PortalRequest, place: Resource) -> HttpResponse:
    query = request.GET.get("q", "")[:100]
    found = list(targets_of(place, request.authority, words=search_key(query).split())[: MOST_TARGETS + 1])
    ways = ways_to(found)
    context = {
        "place": place,
        "frame": Frame(place, request.authority, "overview"),
        "query": query,
        "targets": [(one, ways[one.pk]) for one in found[:MOST_TARGETS]],
        "more": len(found) > MOST_TARGETS,
    }
    return render(request, "manage/place_move_to.html", context)


def _show_anew(form: Any, digest: str) -> None:
    """Bind the form to what its page shows now, also when it comes back refused."""
    form.initial["seen"] = digest
    if form.is_bound:
        form.data = form.data.copy()
        form.data["seen"] = digest


def _hindrances(violations: list[Any]) -> list[str]:
    """Return what stands in the way already, before anybody has confirmed anything."""
    given_later = {"second_factor", "changed_meanwhile"}
    return [str(one.message) for one in violations if one.code not in given_later]


@read_and_send
@at_place(Permission.DEFINE)
def retire(request: PortalRequest, place: Resource) -> HttpResponse:
    """Retire a place, after a look at what ends with it."""
    if ResourceKind(place.kind) in FIXED:
        raise Http404
    form = ConfirmForm(request.POST or None, request=request)
    if form.is_valid():
        given = form.cleaned_data
        try:
            actor = form.actor([place.pk])
            retire_resource(place.pk, seen=given["seen"], reason=given["reason"], actor=actor, clock=timezone.now)
        except Refused as refused:
            form.add_refusal(refused)
        else:
            messages.success(request, _("{name} is retired, with all below it.").format(name=place.name))
            return redirect(_still_seen(request, place))
    facts, preview = gather_retirement(place, seen=None, actor=actor_of(request), now=request.now)
    _show_anew(form, preview.digest)
    hindrances = _hindrances(broken(RETIRE, facts))
    return _page(request, "place_retire", form, place, preview=preview, hindrances=hindrances, most=MOST_ROWS)


def _still_seen(request: PortalRequest, place: Resource) -> str:
    """Return where somebody may look who may have lost with a place what they held there."""
    authority = Authority(request.user, timezone.now())
    if authority.allows(Permission.SEE, place):
        return address(place)
    return "/manage/resources/" if authority.sees_resources() else "/"


@read_and_send
@at_place(Permission.DEFINE)
def restore(request: PortalRequest, place: Resource) -> HttpResponse:
    """Let roles be assigned again at a retired place."""
    form = TreeForm(request.POST or None, request=request)
    if form.is_valid():
        try:
            actor = form.actor([place.pk])
            restore_resource(place.pk, reason=form.cleaned_data["reason"], actor=actor, clock=timezone.now)
        except Refused as refused:
            form.add_refusal(refused)
        else:
            messages.success(request, _("Roles can be assigned here again."))
            return redirect(address(place))
    return _page(request, "place_restore", form, place)


@read_and_send
def new_root(request: PortalRequest) -> HttpResponse:
    """Make a resource root and name its first Owner."""
    if request.authority.roots_by is None:
        raise PermissionDenied
    form = RootForm(request.POST or None, request=request, kinds=[ResourceKind.ROOT])
    if form.is_valid():
        given = form.cleaned_data
        try:
            actor = form.actor([request.user.pk])
            owner = given["owner"]
            add_root(name=given["name"], owner_id=owner.pk, reason=given["reason"], actor=actor, clock=timezone.now)
        except Refused as refused:
            form.add_refusal(refused)
        else:
            words = {"name": given["name"], "owner": owner.name}
            messages.success(request, _("{name} stands, and {owner} owns it.").format(**words))
            return redirect("resources")
    return form_page(request, "manage/root_add.html", form)
