"""Adding assignments at a place: one role for several users and groups."""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _

from roles import wording
from roles.answers import form_page, read_and_send
from roles.catalogue import Permission
from roles.forms.assignments import AddForm, proposed_end
from roles.guards import at_place
from roles.ids import GROUP_MEMBER
from roles.middleware import PortalRequest
from roles.models import Assignment, AssignmentType, Resource, ResourceKind, Role
from roles.places import Frame, address
from roles.refusals import Refused
from roles.rules.smaller import Smaller
from roles.selectors.groups import gives
from roles.selectors.prospects import MOST_FOUND, principals_matching, roles_assignable_at
from roles.selectors.settings import EffectiveSettings, settings_of
from roles.selectors.smaller import hint_at
from roles.services.assignments import assign
from roles.smaller_words import Said, said_of
from roles.views.ids import ids_in
from roles.views.results import Result, keep_results

MOST_AT_ONCE = 50
_TYPED = ("role", "q", "type", "duration", "starts_at", "ends_at", "reason")


@read_and_send
@at_place(Permission.ASSIGN)
def add(request: PortalRequest, place: Resource) -> HttpResponse:
    """Give a role to several users and groups. Finding them sends the form, too, and changes nothing."""
    query = request.POST if request.method == "POST" else request.GET
    roles = roles_assignable_at(place)
    of_group = place.kind == ResourceKind.GROUP
    wanted = query.get("role", str(GROUP_MEMBER) if of_group else "")
    role = next((one for one in roles if str(one.pk) == wanted), None)
    settings = settings_of(role, place) if role else None
    chosen = ids_in(query, "principal")
    people = principals_matching(query.get("q", ""), chosen=chosen, only_users=of_group)
    # An ordinary member of a group is active.
    usual = AssignmentType.ACTIVE if of_group else AssignmentType.ELIGIBLE
    type = AssignmentType.ACTIVE if query.get("type", usual) == AssignmentType.ACTIVE else AssignmentType.ELIGIBLE
    given: dict[str, Any] = {
        "request": request,
        "roles": roles,
        "people": people,
        "only_people": of_group,
        "own_code": bool(settings and settings.second_factor_on_assign and type == AssignmentType.ACTIVE),
        "end": proposed_end(settings or _usual(roles, place), type, request.now),
        "settings": settings,
    }
    page = {
        "place": place,
        "frame": Frame(place, request.authority, "assignments"),
        "role": role,
        "limits": limits_of(settings) if settings else [],
        "nobody": bool(query.get("q")) and len(people) == len(chosen),
        "more": len(people) - len(chosen) >= MOST_FOUND,
        "most": MOST_FOUND,
        "gives": gives(place, request.authority) if of_group else [],
        "smaller": _smaller(request, role, place, type, chosen) if role else [],
    }
    if request.method != "POST" or "find" in request.POST:
        typed: dict[str, Any] = {"type": type} | ({"role": role.pk} if role else {})
        typed |= {name: query[name] for name in _TYPED if query.get(name)}
        form = AddForm(initial=typed | {"principal": [str(one) for one in chosen]}, **given)
        return form_page(request, "manage/assignment_add.html", form, **page)
    form = AddForm(request.POST, **given)
    if len(chosen) > MOST_AT_ONCE:
        form.add_error("principal", _("Choose at most {most} at once.").format(most=MOST_AT_ONCE))
    if form.is_valid() and role is not None:
        done = _give_each(request, form, role, place)
        if done is not None:
            return done
    return form_page(request, "manage/assignment_add.html", form, **page)


def _smaller(
    request: PortalRequest, role: Role, place: Resource, type: AssignmentType, chosen: list[uuid.UUID]
) -> list[Said]:
    """Say which smaller roles in use here may do; the link opens this form with one of them."""

    def lead(one: Smaller) -> tuple[str, str]:
        given = [("role", one.role_id), ("type", type), *(("principal", pk) for pk in chosen)]
        link = _("Assign {role} instead").format(role=one.name)
        return f"{address(place, 'assignments_add')}?{urlencode(given)}", link

    return said_of(hint_at(role, place, request.now), lead)


def _usual(roles: list[Role], place: Resource) -> EffectiveSettings | None:
    """Return the settings that the form goes by before a role is chosen: those of the first there is."""
    return settings_of(roles[0], place) if roles and place.realm != "directory" else None


def limits_of(settings: EffectiveSettings) -> list[tuple[str, str]]:
    """Say what the settings allow, as pairs of a label and a sentence."""

    def said(allowed: bool, longest: Any) -> str:
        if allowed:
            return _("Permanent or for any time")
        return _("At most {span}").format(span=wording.span(longest))

    facts = [
        (_("Eligible"), said(settings.permanent_eligible_allowed, settings.expire_eligible_after)),
        (_("Active"), said(settings.permanent_active_allowed, settings.expire_active_after)),
    ]
    asked = []
    if settings.reason_on_assign:
        asked.append(_("a justification"))
    if settings.second_factor_on_assign:
        asked.append(_("a code of your second factor"))
    if asked:
        facts.append((_("Asked for active ones"), ", ".join(asked)))
    return facts


def _give_each(request: PortalRequest, form: AddForm, role: Role, place: Resource) -> HttpResponse | None:
    """Assign to each, in a transaction of its own; None where the form is to be filled in again."""
    ids = form.principals()
    try:
        actor = form.actor(ids)
    except Refused as refused:
        form.add_refusal(refused)
        return None
    names = dict(form.fields["principal"].choices)  # type: ignore[attr-defined]
    results: list[Result] = []
    given = form.cleaned_data
    terms: dict[str, Any] = {name: given[name] for name in ("starts_at", "ends_at", "reason")}
    terms |= {"type": AssignmentType(given["type"]), "role": role, "resource": place}
    for pk in ids:
        name = str(names[str(pk)])
        try:
            made = assign(pk, **terms, actor=actor, clock=timezone.now)
        except Refused as refused:
            if not results and (len(ids) == 1 or any(one.field in _OF_ALL for one in refused.violations)):
                # What the one form lacks it lacks for all.
                form.add_refusal(refused)
                return None
            results.append(Result(name, "refused", _("Refused"), refused.sentence))
        else:
            results.append(_made(name, made, place))
    if len(results) == 1:
        messages.success(request, _("{name}: {sentence}").format(name=results[0].name, sentence=results[0].sentence))
        return redirect(list_of(place, made, request))
    title = _("What became of the {count} assignments of {role}").format(count=len(results), role=role.name)
    return keep_results(request, title, results, back=address(place, "assignments"))


_OF_ALL = {"role", "starts_at", "ends_at", "reason", "code"}


def _made(name: str, made: Assignment, place: Resource) -> Result:
    ends = wording.exact(made.ends_at) if made.ends_at else ""
    sentence = _("Until {ends}.").format(ends=ends) if ends else _("Permanent.")
    words = f"{made.get_type_display()}. {sentence}"
    return Result(name, "granted", _("Assigned"), words, address(place, "assignment", pk=made.pk))


def list_of(place: Resource, made: Assignment, request: PortalRequest) -> str:
    """Return the address of the tab that shows this assignment now."""
    tab = "scheduled" if made.starts_at > timezone.now() else str(made.type)
    return f"{address(place, 'assignments')}?tab={tab}"


def chosen_at(request: PortalRequest, rows: Any, name: str) -> list[Assignment]:
    """Return the assignments that were chosen, each once; 404 where one of them is not among `rows`."""
    ids: list[uuid.UUID] = ids_in(request.POST if request.method == "POST" else request.GET, name)
    found = rows.in_bulk(ids)
    if len(found) < len(ids):
        raise Http404
    return [found[one] for one in ids]
