"""The reviews of a place: the list, one series with its instances, making, changing and deleting it."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _

from reviews.forms.acts import ActForm
from reviews.forms.initial import PROPOSED, initial_of
from reviews.forms.presets import preset_of
from reviews.forms.series import PARTS, SeriesForm
from reviews.models import AccessReview, Instance
from reviews.rules.series import Wanted
from reviews.selectors.places import instances_of, latest_of, reviews_at
from reviews.selectors.previews import preview
from reviews.selectors.results import counts_of_instances
from reviews.services.objections import objections_to
from reviews.services.series import before_of, create_review, delete_review
from reviews.services.series import change_review as change_series
from reviews.services.wants import wanted_of
from reviews.tables.series import InstanceTable, ReviewFilter, ReviewTable
from reviews.wording import WHY_NOBODY
from roles.answers import form_page, read_and_send
from roles.catalogue import Permission
from roles.guards import at_place
from roles.middleware import PortalRequest, actor_of
from roles.models import Resource
from roles.places import Frame, address
from roles.refusals import Refused
from roles.selectors.prospects import MOST_FOUND, principals_matching, roles_assignable_at
from roles.tabs import Tab
from roles.views.ids import ids_in
from roles.views.places import PlaceList

_TYPED = tuple(name for name in SeriesForm.base_fields if name not in PARTS)


def found_at(place: Resource, pk: uuid.UUID) -> AccessReview:
    """Return a series of this very place; also one that was deleted, whose history stays."""
    review = AccessReview.objects.select_related("resource", "created_by").filter(resource=place, pk=pk).first()
    if review is None:
        raise Http404
    return review


def shown_of(table: Any) -> list[Any]:
    """Return the rows of the page of a list that is shown; all of them where it is not paged."""
    return list(table.page.object_list.data) if hasattr(table, "page") else list(table.data)


@method_decorator(at_place(), name="dispatch")
class Reviews(PlaceList):
    """The series of a place."""

    current = "reviews"
    table_class, filter_class, template_name = ReviewTable, ReviewFilter, "reviews/reviews.html"

    @property
    def deleted(self) -> bool:
        return self.request.GET.get("tab") == "deleted"

    def rows(self) -> QuerySet[Any]:
        return reviews_at(self.place, deleted=self.deleted)

    def get_table(self, **kwargs: Any) -> Any:
        table = super().get_table(**kwargs)
        if self.deleted:
            table.empty_text = _("No access review was deleted here.")
        return table

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        page = address(self.place, "reviews")
        tabs = [
            Tab(_("Current"), page, not self.deleted, reviews_at(self.place).count()),
            Tab(_("Deleted"), f"{page}?tab=deleted", self.deleted, reviews_at(self.place, deleted=True).count()),
        ]
        context = super().get_context_data(list_tabs=tabs, **kwargs)
        shown = shown_of(context["table"])
        latest = latest_of(shown, self.request.now)
        context |= {"latest": latest, "counts": counts_of_instances(latest.values())}
        return context


@method_decorator(at_place(), name="dispatch")
class Review(PlaceList):
    """One series: what was set, and its instances."""

    current = "reviews"
    table_class, template_name = InstanceTable, "reviews/review.html"
    review: AccessReview

    def get(self, request: HttpRequest, *args: Any, place: Resource, **kwargs: Any) -> HttpResponse:
        """Show a series of this place."""
        self.review = found_at(place, kwargs["pk"])
        return super().get(request, *args, place=place, **kwargs)

    def rows(self) -> QuerySet[Instance]:
        return instances_of(self.review)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        shown = shown_of(context["table"])
        stages = self.review.stages.prefetch_related("principals__principal").order_by("number")
        return context | {
            "review": self.review,
            "stages": stages,
            "told": self.review.told.select_related("principal"),
            "review_roles": self.review.roles.order_by("name_key", "pk"),
            "counts": counts_of_instances(shown),
            "may_manage": context["frame"].may_assign and self.review.deleted_at is None,
        }


@read_and_send
@at_place(Permission.ASSIGN)
def add(request: PortalRequest, place: Resource) -> HttpResponse:
    """Make a series. Finding people and looking at the preview send the form, too, and change nothing."""
    return _edit(request, place, None)


@read_and_send
@at_place(Permission.ASSIGN)
def change(request: PortalRequest, place: Resource, pk: uuid.UUID) -> HttpResponse:
    """Change a series."""
    return _edit(request, place, found_at(place, pk))


def _edit(request: PortalRequest, place: Resource, review: AccessReview | None) -> HttpResponse:
    sent = request.POST if request.method == "POST" else None
    initial = initial_of(wanted_of(review)) if review else PROPOSED | preset_of(request.GET)
    if sent is not None:
        chosen = {one for name in PARTS for one in ids_in(sent, name)}
    else:
        chosen = {uuid.UUID(one) for name in PARTS for one in initial.get(name, ())}
    search = sent.get("q", "") if sent is not None else ""
    people = principals_matching(search, chosen=chosen)
    given: dict[str, Any] = {"request": request, "roles": roles_assignable_at(place), "people": people}
    if review is not None:
        given |= {"before": wanted_of(review), "stands": before_of(review)}
    page: dict[str, Any] = {
        "place": place,
        "frame": Frame(place, request.authority, "reviews"),
        "review": review,
        "nobody": bool(search) and sent is not None and "find" in sent and len(people) == len(chosen),
        "more": len(people) - len(chosen) >= MOST_FOUND,
        "most": MOST_FOUND,
    }
    if sent is None or "find" in sent:
        form = SeriesForm(initial=initial if sent is None else _typed(sent), **given)
        return form_page(request, "reviews/review_form.html", form, **page)
    form = SeriesForm(sent, **given)
    asks = form.fields.get("code")
    if "preview" in sent and asks is not None:
        asks.required = form.fields["device"].required = False
    if form.is_valid():
        wanted = form.wanted()  # now: what is refused leaves the form
        page["preview_roles"] = [name for pk, name in form.fields["roles"].choices if pk in form.cleaned_data["roles"]]  # type: ignore[attr-defined]
        if "preview" in sent:
            _foresee(form, wanted, request, place, review)
        elif saved := _save(request, form, wanted, place, review):
            return saved
        page |= _preview(wanted, place, request.now)
    return form_page(request, "reviews/review_form.html", form, **page)


def _typed(sent: Any) -> dict[str, Any]:
    """Return what was typed so far, to be shown again."""
    several = {"roles", *PARTS}
    return {name: sent.getlist(name) if name in several else sent.get(name) for name in (*_TYPED, *PARTS)}


def _foresee(
    form: SeriesForm, wanted: Wanted, request: PortalRequest, place: Resource, review: AccessReview | None
) -> None:
    """Say beside its field what would be refused when this is saved."""
    actor = actor_of(request)
    if objections := objections_to(wanted, place, actor=actor, now=request.now, review=review):
        form.add_refusal(Refused(objections))


def _preview(wanted: Wanted, place: Resource, now: datetime) -> dict[str, Any]:
    shown = preview(place, wanted, now)
    nobody = {
        stage.number: [(who, role, WHY_NOBODY[why]) for who, role, why in stage.examples] for stage in shown.stages
    }
    return {"preview": shown, "nobody_reviews": nobody}


def _save(
    request: PortalRequest, form: SeriesForm, wanted: Wanted, place: Resource, review: AccessReview | None
) -> HttpResponse | None:
    about = review or place
    try:
        actor = form.actor([about.pk])
        if review is None:
            saved = create_review(place.pk, wanted, actor=actor, clock=timezone.now)
        else:
            saved = change_series(
                review.pk, wanted, running_too=form.also_for_what_runs(), actor=actor, clock=timezone.now
            )
    except Refused as refused:
        form.add_refusal(refused)
        return None
    messages.success(request, _("The review is saved."))
    return redirect(address(place, "review", pk=saved.pk))


@read_and_send
@at_place(Permission.ASSIGN)
def delete(request: PortalRequest, place: Resource, pk: uuid.UUID) -> HttpResponse:
    """Delete a series; its history stays."""
    review = found_at(place, pk)
    form = ActForm(request.POST if request.method == "POST" else None, request=request)
    if form.is_valid():
        try:
            reason = form.cleaned_data["reason"]
            delete_review(pk, actor=form.actor([pk]), reason=reason, clock=timezone.now)
        except Refused as refused:
            form.add_refusal(refused)
        else:
            messages.success(request, _("The review is deleted. What was said in it stays."))
            return redirect(address(place, "reviews"))
    frame = Frame(place, request.authority, "reviews")
    return form_page(request, "reviews/delete.html", form, place=place, frame=frame, review=review)
