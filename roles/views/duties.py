"""Separation of duties at a place: its rules, who stands against them, and the forms of a rule."""

from __future__ import annotations

import uuid
from collections import defaultdict
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
from roles.forms.duties import DutyRuleForm, RetireDutyRuleForm
from roles.guards import at_place
from roles.middleware import PortalRequest, actor_of
from roles.models import DutyReach, DutyRule, Resource, User
from roles.pills import ListFilter
from roles.places import Frame, address
from roles.refusals import Refused, broken
from roles.rules.duty_rules import LOOK
from roles.selectors.duties.clashes import Clash
from roles.selectors.duties.conflicts import conflicts, conflicts_of
from roles.selectors.duties.lists import MOST_TO_CHOOSE, roles_to_keep_apart, rules_shown_at
from roles.services.duties import add_duty_rule, change_duty_rule, gather, retire_duty_rule, seen_digest, terms_of
from roles.tables.duties import ConflictFilter, ConflictTable, DutyRuleFilter, DutyRuleTable
from roles.views.catalogue import can_have_roles
from roles.views.ids import ids_in
from roles.views.places import PlaceList

FIND, LOOKS = "find", "look"
MOST_EVENTS = 20
MOST_SHOWN = 50


@method_decorator(at_place(), name="dispatch")
class DutyRules(PlaceList):
    """The rules that keep roles apart at a place."""

    current, within = "settings", "duties"
    table_class = DutyRuleTable
    filter_class = DutyRuleFilter
    template_name = "manage/duties.html"

    def rows(self) -> QuerySet[Any]:
        return rules_shown_at(self.place)

    def dress(self, rows: Sequence[Any]) -> None:
        people: dict[uuid.UUID, set[uuid.UUID]] = defaultdict(set)
        for clash in conflicts(self.request.now, self.place, viewer=self.request.user):
            people[clash.rule.pk].add(clash.person.pk)
        for row in rows:
            row.people = len(people[row.pk])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(may_separate=_may_separate(self.request, self.place), **kwargs)


@method_decorator(at_place(), name="dispatch")
class Conflicts(PlaceList):
    """Who has roles together at a place that a rule keeps apart."""

    current, within = "settings", "duty_conflicts"
    table_class = ConflictTable
    template_name = "manage/duty_conflicts.html"

    @cached_property
    def clashes(self) -> dict[uuid.UUID, list[Clash]]:
        found: dict[uuid.UUID, list[Clash]] = defaultdict(list)
        for clash in conflicts(self.request.now, self.place, viewer=self.request.user):
            found[clash.person.pk].append(clash)
        return found

    @cached_property
    def filter(self) -> ListFilter:
        return ConflictFilter(self.request.GET, queryset=self.rows(), clashes=self.clashes)

    def rows(self) -> QuerySet[Any]:
        return User.objects.filter(pk__in=list(self.clashes)).order_by("name_key", "pk")

    def dress(self, rows: Sequence[Any]) -> None:
        people = self.request.authority.anywhere(Permission.SEE_PEOPLE)
        for row in rows:
            row.found, row.people_shown = self.clashes[row.pk], people


def _may_separate(request: PortalRequest, place: Resource) -> bool:
    return request.authority.allows(Permission.SEPARATE, place) and can_have_roles(place)


def _found(place: Resource, pk: uuid.UUID) -> DutyRule:
    found = rules_shown_at(place).filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def _made_here(place: Resource, pk: uuid.UUID) -> DutyRule:
    found = _found(place, pk)
    if found.resource_id != place.pk:
        raise Http404
    return found


@require_safe
@at_place()
def rule(request: PortalRequest, place: Resource, pk: uuid.UUID) -> HttpResponse:
    """Show a rule: what it says, who stands against it at this place, and what happened to it."""
    shown = _found(place, pk)
    in_force = shown.retired_at is None
    here = shown.resource_id == place.pk
    viewer = request.user
    if here:
        found = conflicts_of(shown, request.now, viewer=viewer) if in_force else []
    else:
        found = [one for one in conflicts(request.now, place, viewer=viewer) if one.rule.pk == pk]
    context = {
        "place": place,
        "frame": Frame(place, request.authority, "settings", "duties"),
        "shown": shown,
        "here": here,
        "clashes": found[:MOST_SHOWN],
        "people": len({one.person.pk for one in found}),
        "more": len(found) > MOST_SHOWN,
        "may_separate": here and in_force and _may_separate(request, place),
        "may_see_audit": here and request.authority.allows(Permission.SEE_AUDIT, place),
        "may_see_people": request.authority.anywhere(Permission.SEE_PEOPLE),
        "story": _story(request, shown) if here else [],
    }
    return render(request, "manage/duty.html", context)


def _story(request: PortalRequest, rule: DutyRule) -> list[dict[str, Any]]:
    if not request.authority.allows(Permission.SEE_AUDIT, rule.resource):
        return []
    events = Event.objects.filter(resource_id=rule.resource_id, kind__startswith="duty_rule.").select_related("text")
    events = events.filter(details__rule=str(rule.pk)).newest_first()
    return [{"what": sentence(one), "why": why(one), "at": one.occurred_at, "tone": ""} for one in events[:MOST_EVENTS]]


@read_and_send
@at_place(Permission.SEPARATE)
def add(request: PortalRequest, place: Resource) -> HttpResponse:
    """Make a rule: say what is kept apart, see whom it concerns, confirm."""
    if not can_have_roles(place):
        raise Http404
    return _define(request, place, None)


@read_and_send
@at_place(Permission.SEPARATE)
def change(request: PortalRequest, place: Resource, pk: uuid.UUID) -> HttpResponse:
    """Change a rule where it was made, in the same steps."""
    return _define(request, place, _made_here(place, pk))


def _define(request: PortalRequest, place: Resource, shown: DutyRule | None) -> HttpResponse:
    posted = request.POST if request.method == "POST" else None
    before = terms_of(shown) if shown else None
    chosen = ids_in(request.POST, "roles") if posted else [one.pk for one in (before.roles if before else ())]
    text = request.POST.get("q", "")
    roles = roles_to_keep_apart(place, text=text, chosen=chosen, now=request.now)
    given: dict[str, Any] = {"request": request, "roles": roles}
    page = {"place": place, "shown": shown, "most": MOST_TO_CHOOSE, "more": len(roles) - len(chosen) >= MOST_TO_CHOOSE}
    if posted is None or FIND in posted:
        form = DutyRuleForm(initial=_initial(request, shown, chosen), needs_factor=False, **given)
        return _page(request, form, page)
    looks = LOOKS in posted
    form = DutyRuleForm(posted, needs_factor=not looks, **given)
    if not form.is_valid():
        return _page(request, form, page, looked=not looks)
    facts, _held, found = gather(place, form.terms(), shown, seen=None, actor=actor_of(request), now=request.now)
    if violations := broken(LOOK, facts):
        form.add_refusal(Refused(violations))
        return _page(request, form, page, looked=not looks)
    if looks:
        shown_again = DutyRuleForm(initial={**form.cleaned_data, "seen": seen_digest(facts.terms, found)}, **given)
        return _page(request, shown_again, page, found=found, looked=True)
    try:
        actor = form.actor([shown.pk if shown else place.pk])
        seen, reason = form.cleaned_data["seen"], form.cleaned_data["reason"]
        if shown:
            made = change_duty_rule(shown.pk, form.terms(), seen=seen, reason=reason, actor=actor, clock=timezone.now)
        else:
            made = add_duty_rule(place, form.terms(), seen=seen, reason=reason, actor=actor, clock=timezone.now)
    except Refused as refused:
        form.add_refusal(refused)
        if "changed" in refused.codes:
            typed = request.POST.copy()
            typed["seen"] = seen_digest(facts.terms, found)
            form.data = typed
        return _page(request, form, page, found=found, looked=True)
    messages.success(request, _("The rule is changed.") if shown else _("The rule is in force."))
    return redirect(address(place, "duty", pk=made.pk))


def _initial(request: PortalRequest, shown: DutyRule | None, chosen: list[uuid.UUID]) -> dict[str, Any]:
    typed = {name: request.POST.get(name, "") for name in ("name", "description", "reach", "q")}
    if request.method != "POST":
        typed = {"name": "", "description": "", "reach": str(DutyReach.HOLD), "q": ""}
        if shown is not None:
            typed |= {"name": shown.name, "description": shown.description, "reach": shown.reach}
    return {**typed, "roles": [str(one) for one in chosen]}


def _page(
    request: PortalRequest,
    form: DutyRuleForm,
    page: dict[str, Any],
    *,
    found: list[Clash] | None = None,
    looked: bool = False,
) -> HttpResponse:
    context = {
        "frame": Frame(page["place"], request.authority, "settings", "duties"),
        "clashes": found[:MOST_SHOWN] if found else [],
        "people": len({one.person.pk for one in found or []}),
        "looked": looked,
        "previewed": found is not None,
        "may_see_people": request.authority.anywhere(Permission.SEE_PEOPLE),
    }
    return form_page(request, "manage/duty_define.html", form, **page, **context)


@read_and_send
@at_place(Permission.SEPARATE)
def retire(request: PortalRequest, place: Resource, pk: uuid.UUID) -> HttpResponse:
    """Retire a rule; from now on it keeps nothing apart."""
    shown = _made_here(place, pk)
    form = RetireDutyRuleForm(request.POST or None, request=request)
    if form.is_valid():
        try:
            retire_duty_rule(pk, reason=form.cleaned_data["reason"], actor=form.actor([pk]), clock=timezone.now)
        except Refused as refused:
            form.add_refusal(refused)
        else:
            messages.success(request, _("The rule is retired: it keeps nothing apart any more."))
            return redirect(address(place, "duty", pk=pk))
    found = conflicts_of(shown, request.now, viewer=request.user) if shown.retired_at is None else []
    people = len({one.person.pk for one in found})
    return form_page(request, "manage/duty_retire.html", form, place=place, shown=shown, people=people)
