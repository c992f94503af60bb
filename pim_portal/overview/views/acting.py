"""Acting on several assignments of a world: each by the service that does one, in a transaction of its own."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from audit.kinds import Realm
from pim_portal.overview.forms import ELIGIBLE, ActForm
from pim_portal.overview.selectors import lists
from roles.actors import Actor
from roles.answers import form_page, read_and_send
from roles.catalogue import Permission
from roles.middleware import PortalRequest
from roles.models import Assignment, AssignmentType
from roles.refusals import Refused
from roles.services.assignments import remove
from roles.services.replacements import make_eligible
from roles.views.assigning import chosen_at
from roles.views.results import Result, keep_results

MOST_AT_ONCE = 50


@read_and_send
def act(request: PortalRequest, world: str) -> HttpResponse:
    """Make the holders of the chosen assignments eligible instead, or take the assignments away."""
    realm = next((one for one in lists.WORLDS if one == world), None)
    paths = lists.paths_in(request.authority, realm, Permission.ASSIGN) if realm else {}
    if realm is None or not paths:
        raise Http404
    rows = lists.in_effect(lists.below(paths), request.now).select_related("principal", "role", "resource")
    chosen = chosen_at(request, rows.filter(lists.GIVEN), "chosen")
    sent = request.POST if request.method == "POST" else None
    standing = [one for one in chosen if one.type == AssignmentType.ACTIVE]
    form = ActForm(sent, request=request, may_make_eligible=bool(standing))
    if form.is_bound and not 0 < len(chosen) <= MOST_AT_ONCE:
        sentence = _("Choose one assignment, or up to {most} at once.")
        form.add_error(None, sentence.format(most=MOST_AT_ONCE))
    if form.is_valid() and (done := _act_on_each(request, form, chosen, realm)):
        return done
    page = {"chosen": chosen, "world": lists.WORLDS[realm], "realm": realm}
    return form_page(request, "overview/act.html", form, **page)


def _act_on_each(request: PortalRequest, form: ActForm, chosen: list[Assignment], realm: Realm) -> HttpResponse | None:
    # To make somebody eligible covers the assignment and its principal.
    covers = {pk for one in chosen for pk in (one.pk, one.principal_id)}
    try:
        actor = form.actor(covers)
    except Refused as refused:
        form.add_refusal(refused)
        return None
    said = form.cleaned_data
    results = [_act_on(one, said["act"], said["reason"], actor) for one in chosen]
    title = ngettext("What became of the assignment", "What became of the {count} assignments", len(chosen))
    return keep_results(request, title.format(count=len(chosen)), results, back=reverse("insights", args=[realm]))


def _act_on(row: Assignment, what: str, reason: str, actor: Actor) -> Result:
    name = _("{name}: {role} at {resource}").format(
        name=row.principal.name, role=row.role.name, resource=row.resource.name
    )
    if what == ELIGIBLE and row.type == AssignmentType.ELIGIBLE:
        return Result(name, "none", _("Unchanged"), _("Eligible already."))
    try:
        if what == ELIGIBLE:
            make_eligible(row.pk, reason=reason, actor=actor, clock=timezone.now)
            return Result(name, "good", _("Made eligible"), "")
        remove(row.pk, reason=reason, actor=actor, clock=timezone.now)
    except Refused as refused:
        return Result(name, "refused", _("Refused"), refused.sentence)
    return Result(name, "good", _("Removed"), "")
