"""Reviewing: what waits, and the page on which rows are decided."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, ClassVar

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from reviews.forms.acts import RECOMMENDED, VERDICTS, SayAllForm, SayForm
from reviews.models import SAYING, Instance, LongAct, Opinion, ReviewersKind, Verdict
from reviews.selectors.earlier import earlier_of
from reviews.selectors.places import Waiting, reviews_for, stage_to_come, was_reviewer, work_of
from reviews.selectors.reviewers import open_stage
from reviews.services.deciding import accept_recommendations, decide, decide_waiting
from reviews.tables.verdicts import WorkFilter, WorkTable
from reviews.views.series import shown_of
from reviews.wording import why_nothing
from roles.answers import form_page, read_and_send
from roles.lists import ListPage, ListPaginator
from roles.middleware import PortalRequest
from roles.refusals import Refused
from roles.tabs import Tab


@require_safe
def reviews(request: PortalRequest) -> HttpResponse:
    """List the reviews that the viewer can work on now."""
    return render(request, "reviews/waiting.html", {"waiting": reviews_for(request.user.pk, request.now)})


def work_in(request: PortalRequest, pk: uuid.UUID) -> Waiting | None:
    """Return the viewer's part of a running instance; None where they had one and it is over.

    Raises `Http404` for whoever has no part in it, exactly as for an unknown id.
    """
    running = Instance.objects.open(request.now).filter(pk=pk).exists()
    stage = open_stage(pk, request.now) if running else None
    work = work_of(stage, request.user.pk, request.now) if stage else None
    if work is not None and work.total:
        return work
    if was_reviewer(pk, request.user.pk):
        return None
    raise Http404


def saving(pk: uuid.UUID, user_id: uuid.UUID) -> LongAct | None:
    """Return what the viewer said of all rows of an instance, while it is being saved."""
    return LongAct.objects.going_on().filter(instance=pk, actor=user_id, doing__in=SAYING).first()


def say_saved(request: PortalRequest, pk: uuid.UUID, count: int) -> None:
    """Tell how many verdicts are saved, or are being saved still."""
    if saving(pk, request.user.pk):
        sentence = ngettext("{count} verdict is being saved.", "{count} verdicts are being saved.", count)
    else:
        sentence = ngettext("{count} verdict is saved.", "{count} verdicts are saved.", count)
    messages.success(request, sentence.format(count=count))


class WorkPaginator(ListPaginator):
    """Enough rows for one submitted form."""

    SIZES = (50, 100, 200)


class ReviewPage(ListPage):
    """The rows of one instance that the viewer reviews, decided many at a time."""

    http_method_names = ("get", "head", "options", "post")  # type: ignore[assignment]  # other lists only show
    request: PortalRequest
    table_class, filter_class, template_name = WorkTable, WorkFilter, "reviews/work.html"
    table_pagination: ClassVar[dict[str, Any]] = {"per_page": 50, "paginator_class": WorkPaginator}
    work: Waiting
    form: SayForm

    def get(self, request: HttpRequest, *args: Any, pk: uuid.UUID, **kwargs: Any) -> HttpResponse:
        """Show the rows, or that the review is over."""
        work = work_in(self.request, pk)
        if work is None:
            return self._nothing_now(pk)
        self.work = work
        self.form = SayForm(request=self.request, reason_required=work.stage.instance.reason_required)
        return super().get(request, *args, **kwargs)

    def _nothing_now(self, pk: uuid.UUID) -> HttpResponse:
        """Tell somebody who has, had or will have a part in an instance why there is nothing for them now."""
        instance = Instance.objects.select_related("review__resource").get(pk=pk)
        stage = stage_to_come(instance, self.request.user.pk, self.request.now)
        title, text = why_nothing(instance, stage, self.request.now)
        return render(self.request, "reviews/over.html", {"instance": instance, "title": title, "text": text})

    def post(self, request: HttpRequest, *args: Any, pk: uuid.UUID, **kwargs: Any) -> HttpResponse:
        """Write down what was said of the rows of this page, and show the next ones."""
        work = work_in(self.request, pk)
        if work is None:
            return redirect(reverse("reviews:review", args=[pk]))
        self.work = work
        self.form = SayForm(request.POST, request=self.request, reason_required=work.stage.instance.reason_required)
        if self.form.is_valid():
            try:
                sayings = self.form.sayings(request.POST)
                count = decide(pk, sayings, actor=self.form.actor([pk]), clock=timezone.now)
            except Refused as refused:
                self.form.add_refusal(refused)
            else:
                sentence = ngettext("{count} verdict is saved.", "{count} verdicts are saved.", count)
                messages.success(request, sentence.format(count=count))
                return redirect(request.get_full_path())
        answer = super().get(request, *args, **kwargs)
        answer.status_code = HTTPStatus.UNPROCESSABLE_ENTITY
        return answer

    @property
    def reviewed(self) -> bool:
        return self.request.GET.get("tab") == "reviewed"

    def rows(self) -> QuerySet[Verdict]:
        stage = self.work.stage
        rows = Verdict.objects.filter(self.work.bench.rows_for(self.request.user.pk), instance=stage.instance_id)
        rows = rows.filter(stage__gte=stage.number) if self.reviewed else rows.filter(stage__lt=stage.number)
        rows = rows.prefetch_related("past") if self.reviewed else rows
        return rows.select_related("instance", "through", "resource").order_by("role_key", "principal_key", "pk")

    def get_table_kwargs(self) -> dict[str, Any]:
        instance, exclude = self.work.stage.instance, []
        if not instance.recommendations:
            exclude.append("recommendation")
        if self.reviewed or self.work.stage.number == 1:
            exclude.append("before")
        if not self.reviewed:
            exclude.append("said")
        return {"exclude": tuple(exclude)}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        stage = self.work.stage
        page = reverse("reviews:review", args=[stage.instance_id])
        tabs = [
            Tab(_("Waiting"), page, not self.reviewed, self.work.waiting),
            Tab(_("Reviewed"), f"{page}?tab=reviewed", self.reviewed, self.work.done),
        ]
        context = super().get_context_data(**kwargs)
        shown = shown_of(context["table"])
        nothing = _("You have reviewed nothing yet.") if self.reviewed else _("You have reviewed everything.")
        context["table"].empty_text = nothing
        said = {
            name.removeprefix("verdict-"): value
            for name, value in self.request.POST.items()
            if name.startswith("verdict-")
        }
        reasons = {
            name.removeprefix("reason-"): value
            for name, value in self.request.POST.items()
            if name.startswith("reason-")
        }
        return context | {
            "work": self.work,
            "stage": stage,
            "instance": stage.instance,
            "review": stage.instance.review,
            "look_back": stage.instance.look_back_days,
            "list_tabs": tabs,
            "reviewed": self.reviewed,
            "form": self.form,
            "said": said,
            "reasons": reasons,
            "verdicts": VERDICTS,
            "stages": stage.instance.stages.count(),
            "earlier": self._earlier(shown),
            "first": next(iter(shown), None),
            "saving": saving(stage.instance_id, self.request.user.pk),
        }

    def _earlier(self, shown: Sequence[Verdict]) -> dict[uuid.UUID, list[Verdict]]:
        """What others said of somebody before is not for themselves."""
        stage = self.work.stage
        return {} if stage.kind == ReviewersKind.SELF else earlier_of(stage.instance, shown)


@read_and_send
def say_all(request: PortalRequest, pk: uuid.UUID) -> HttpResponse:
    """Say the same of everything that waits for the viewer, or accept all recommendations."""
    work = work_in(request, pk)
    if work is None:
        return redirect(reverse("reviews:review", args=[pk]))
    instance = work.stage.instance
    sent = request.POST if request.method == "POST" else None
    initial = {"verdict": RECOMMENDED} if instance.recommendations else {}
    form = SayAllForm(sent, request=request, recommendations=instance.recommendations, initial=initial)
    if form.is_valid():
        try:
            actor, verdict = form.actor([pk]), form.cleaned_data["verdict"]
            if verdict == RECOMMENDED:
                count = accept_recommendations(pk, actor=actor, clock=timezone.now)
            else:
                reason = form.cleaned_data["reason"]
                count = decide_waiting(pk, verdict=Opinion(verdict), reason=reason, actor=actor, clock=timezone.now)
        except Refused as refused:
            form.add_refusal(refused)
        else:
            say_saved(request, pk, count)
            return redirect(reverse("reviews:review", args=[pk]))
    rows = Verdict.objects.filter(work.bench.rows_for(request.user.pk), instance=pk, stage__lt=work.stage.number)
    advised = dict.fromkeys(("approve", "deny", "none"), 0)
    for one in advised:
        advised[one] = rows.filter(recommendation=one).count() if instance.recommendations else 0
    return form_page(
        request, "reviews/say_all.html", form, work=work, instance=instance, review=instance.review, advised=advised
    )
