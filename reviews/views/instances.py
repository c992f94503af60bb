"""One instance for administrators: how it stands, its results, and what can be done to it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Final

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from reviews.forms.acts import ActForm
from reviews.models import AccessReview, ApplyResult, Instance, InstanceStage, LongAct, Status, Verdict
from reviews.selectors.earlier import earlier_of
from reviews.selectors.places import unreviewable
from reviews.selectors.results import Counts, counts_of, results_of
from reviews.selectors.reviewers import still_reviewing
from reviews.services.applying import apply
from reviews.services.running import remind, reset, stop
from reviews.tables.verdicts import ResultFilter, ResultTable, columns_of
from reviews.views.series import found_at, shown_of
from roles.actors import Actor
from roles.answers import form_page, read_and_send
from roles.catalogue import Permission
from roles.guards import at_place
from roles.middleware import PortalRequest
from roles.models import Resource
from roles.places import Frame, address
from roles.plots import plot
from roles.refusals import Refused
from roles.views.places import PlaceList

# While one of these lasts, the page shows how far it has come.
BUSY: Final = (Status.STARTING, Status.COMPLETING, Status.APPLYING)


def instance_at(place: Resource, pk: uuid.UUID, instance: uuid.UUID) -> tuple[AccessReview, Instance]:
    """Return an instance of a series of this place."""
    review = found_at(place, pk)
    found = review.instances.select_related("review__resource").filter(pk=instance).first()
    if found is None:
        raise Http404
    return review, found


@method_decorator(at_place(), name="dispatch")
class InstancePage(PlaceList):
    """An instance with its rows."""

    current = "reviews"
    table_class, filter_class, template_name = ResultTable, ResultFilter, "reviews/instance.html"
    review: AccessReview
    instance: Instance

    def get(self, request: HttpRequest, *args: Any, place: Resource, **kwargs: Any) -> HttpResponse:
        """Show an instance of a series of this place."""
        self.review, self.instance = instance_at(place, kwargs["pk"], kwargs["instance"])
        self.download_columns = columns_of(self.instance.look_back_days)
        return super().get(request, *args, place=place, **kwargs)

    def rows(self) -> QuerySet[Verdict]:
        rows = self.instance.verdicts.select_related("instance", "through__group__resource", "resource", "assignment")
        rows = rows.prefetch_related("past")
        return rows.order_by("role_key", "principal_key", "pk")

    def get_table(self, **kwargs: Any) -> Any:
        table = super().get_table(**kwargs)
        if self.instance.filled_at is None:
            table.empty_text = _("What is to be reviewed is gathered when this instance starts.")
        return table

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        now = self.request.now
        status = self.instance.status_at(now)
        counts = counts_of(self.instance.verdicts.all())
        context = super().get_context_data(**kwargs)
        going_on = list(LongAct.objects.going_on().filter(instance=self.instance))
        results = results_of(self.instance) if self.instance.applying_at else {}
        return context | {
            "review": self.review,
            "instance": self.instance,
            "look_back": self.instance.look_back_days,
            "status": status,
            "counts": counts,
            "plot": plot(_bars(counts)),
            "unfinished": still_reviewing(self.instance, now) if status == Status.IN_PROGRESS else None,
            "unreviewable": unreviewable(self.instance, now) if status == Status.IN_PROGRESS else [],
            "settled": counts.total - results.get(ApplyResult.NEW, 0),
            "going_on": going_on,
            "busy": bool(going_on) or status in BUSY,
            "results": [(ApplyResult(value).label, count) for value, count in sorted(results.items()) if value],
            "acts": _acts(status, counts, results) if context["frame"].may_assign else [],
            "steps": _steps(self.instance, now),
            "earlier": earlier_of(self.instance, shown_of(context["table"])),
            "may_see_people": self.request.authority.anywhere(Permission.SEE_PEOPLE),
        }


@dataclass(frozen=True, slots=True)
class Step:
    """A stage as the page tells of it: over, going on, or neither."""

    stage: InstanceStage
    word: str
    at: datetime | None
    over: bool = False
    current: bool = False


def _steps(instance: Instance, now: datetime) -> list[Step]:
    """Return the stages in their order. What was stopped has no stage that goes on."""
    closed = instance.closes_at
    found = []
    for stage in instance.stages.order_by("number"):
        end = min(stage.ends_at, closed)
        if closed <= stage.starts_at:
            found.append(Step(stage, _("never began"), None))
        elif now < stage.starts_at:
            found.append(Step(stage, _("starts"), stage.starts_at))
        elif now < end:
            found.append(Step(stage, _("ends"), end, current=True))
        else:
            found.append(Step(stage, _("ended"), end, over=True))
    return found


def _bars(counts: Counts) -> list[tuple[str, int]]:
    return [
        (_("Approved"), counts.approved),
        (_("Denied"), counts.denied),
        (_("Unsure"), counts.unknown),
        (_("Open"), counts.unanswered),
    ]


@dataclass(frozen=True, slots=True)
class Act:
    """Something an administrator does to an instance: the service, and its words."""

    do_not_call_in_templates: ClassVar[bool] = True

    name: str
    run: Callable[..., Instance]
    verb: str | Promise
    title: str | Promise
    lead: str | Promise
    done: str | Promise
    tone: str = "primary"
    takes_reason: bool = True

    def __call__(self, pk: uuid.UUID, *, actor: Actor, reason: str) -> Instance:
        reasons = {"reason": reason} if self.takes_reason else {}
        return self.run(pk, actor=actor, clock=timezone.now, **reasons)


REMIND = Act(
    "review_remind",
    remind,
    gettext_lazy("Remind"),
    gettext_lazy("Remind the reviewers"),
    gettext_lazy("Everybody for whom something still waits gets a mail."),
    gettext_lazy("The reviewers who have not finished get a mail."),
    takes_reason=False,
)
RESET = Act(
    "review_reset",
    reset,
    gettext_lazy("Reset"),
    gettext_lazy("Reset the review"),
    gettext_lazy("Everything is to be reviewed again. What was said is kept in the history of each row."),
    gettext_lazy("The review is reset: everything is to be reviewed again."),
    tone="danger",
)
STOP = Act(
    "review_stop",
    stop,
    gettext_lazy("Stop"),
    gettext_lazy("Stop the review"),
    gettext_lazy("It ends now and cannot be taken up again. What was not reviewed follows the settings."),
    gettext_lazy("The review is stopped."),
    tone="danger",
)
APPLY = Act(
    "review_apply",
    apply,
    gettext_lazy("Apply"),
    gettext_lazy("Apply the results"),
    gettext_lazy("What was denied is removed, one by one. The page shows how far it has come."),
    gettext_lazy("The results are being applied."),
    tone="danger",
    takes_reason=False,
)


def _acts(status: Status, counts: Counts, results: dict[str, int]) -> list[Act]:
    """Return what can be done now; the services ask the rules again."""
    if status == Status.IN_PROGRESS:
        return [REMIND, *([RESET] if counts.answered else []), STOP]
    again = status == Status.APPLIED and results.get(ApplyResult.REFUSED, 0)
    return [APPLY] if status == Status.COMPLETED or again else []


def _page(act: Act) -> Callable[..., HttpResponseBase]:
    @read_and_send
    @at_place(Permission.ASSIGN)
    def view(request: PortalRequest, place: Resource, pk: uuid.UUID, instance: uuid.UUID) -> HttpResponse:
        review, found = instance_at(place, pk, instance)
        form = ActForm(request.POST if request.method == "POST" else None, request=request)
        if not act.takes_reason:
            del form.fields["reason"]
        if form.is_valid():
            try:
                act(found.pk, actor=form.actor([found.pk]), reason=form.cleaned_data.get("reason", ""))
            except Refused as refused:
                form.add_refusal(refused)
            else:
                messages.success(request, str(act.done))
                return redirect(address(place, "review_instance", pk=review.pk, instance=found.pk))
        frame = Frame(place, request.authority, "reviews")
        page: dict[str, Any] = {"place": place, "frame": frame, "review": review, "instance": found, "act": act}
        page |= {"counts": counts_of(found.verdicts.all())}
        if act is REMIND:
            page["unfinished"] = still_reviewing(found, request.now)
        return form_page(request, "reviews/act.html", form, **page)

    return view


stop_review, reset_review, remind_reviewers, apply_results = (_page(act) for act in (STOP, RESET, REMIND, APPLY))


@require_safe
def results(request: PortalRequest, pk: uuid.UUID) -> HttpResponse:
    """Lead from a mail to the results, whoever may see them."""
    found = Instance.objects.select_related("review__resource").filter(pk=pk).first()
    if found is None or not request.authority.allows(Permission.SEE, found.review.resource):
        raise Http404
    return redirect(address(found.review.resource, "review_instance", pk=found.review_id, instance=found.pk))
