"""Importing at a place, from assignments to resources: send a file, read what each line would do, confirm, watch."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from pim_portal.imports import kinds, selectors
from pim_portal.imports.forms import ConfirmForm, UploadForm
from pim_portal.imports.outcomes import Fate
from pim_portal.imports.services import uploads
from pim_portal.imports.tables import ReportFilter, ReportTable
from pim_portal.models import FileKind, Upload
from roles.answers import form_page, read_and_send
from roles.catalogue import Permission
from roles.guards import at_place
from roles.middleware import PortalRequest, actor_of
from roles.models import Resource
from roles.places import Frame, address
from roles.refusals import Refused
from roles.views.places import PlaceList


@read_and_send
@at_place(Permission.DEFINE)
def imports(request: PortalRequest, place: Resource) -> HttpResponse:
    """Show the files that the viewer has sent for this place, and take another."""
    posted = request.method == "POST"
    files = request.FILES if posted else None
    form = UploadForm(
        request.POST if posted else None,
        files,
        place=place,
        kind=request.GET.get("kind", ""),
        too_large=getattr(request, "file_too_large", False),
    )
    if form.is_valid():
        sent = form.cleaned_data["file"]
        try:
            upload = uploads.receive(
                sent.file,
                name=sent.name,
                place=place,
                kind=FileKind(form.cleaned_data["kind"]),
                actor=actor_of(request),
                clock=timezone.now,
            )
        except Refused as refused:
            for violation in refused.violations:
                form.add_error("file", str(violation.message))
        else:
            return redirect(address(place, "import", pk=upload.pk))
    page = {
        "place": place,
        "frame": Frame(place, request.authority, "assignments"),
        "takes": [(name, kinds.what_it_takes(kind, place)) for kind, name in kinds.choices_at(place)],
        "uploads": selectors.uploads_of(request.user, place)[:20],
    }
    return form_page(request, "imports/imports.html", form, **page)


def found(request: PortalRequest, place: Resource, pk: uuid.UUID) -> Upload:
    """Return a file of the viewer's own; 404 for any other."""
    upload = selectors.upload_of(request.user, place, pk)
    if upload is None:
        raise Http404
    return upload


class Report(PlaceList):
    """What becomes of each line of a file."""

    current = "assignments"
    table_class, filter_class, template_name = ReportTable, ReportFilter, "imports/report.html"
    upload: Upload

    def get(self, request: Any, *args: Any, place: Resource, **kwargs: Any) -> HttpResponse:
        self.upload = found(request, place, kwargs["pk"])
        return super().get(request, *args, place=place, **kwargs)

    def rows(self) -> QuerySet[Any]:
        return selectors.report_on(self.upload)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        upload = self.upload
        counts = [(fate, fate.label, upload.counts.get(str(fate), 0)) for fate in Fate]
        late = upload.running and selectors.worker_is_late(self.request.now)
        facts = {
            "done": selectors.lines_done(upload),
            "to_make": kinds.to_make(upload),
            "shown_at": kinds.where_it_shows(upload),
        }
        return super().get_context_data(upload=upload, counts=counts, worker_is_late=late, **facts, **kwargs)


_report = Report.as_view()


@require_safe
@at_place(Permission.DEFINE)
def report(request: PortalRequest, place: Resource, pk: uuid.UUID) -> HttpResponseBase:
    """Show the report on a file, and how far the worker is with it."""
    return _report(request, place=place, pk=pk)


@read_and_send
@at_place(Permission.DEFINE)
def confirm(request: PortalRequest, place: Resource, pk: uuid.UUID) -> HttpResponse:
    """Confirm that a file is to be applied."""
    upload = found(request, place, pk)
    form = ConfirmForm(request.POST if request.method == "POST" else None, request=request, upload=upload)
    if form.is_valid():
        try:
            said = form.cleaned_data
            uploads.confirm(
                upload.pk,
                reason=said["reason"],
                invite=said.get("invite", False),
                actor=form.actor([upload.pk]),
                clock=timezone.now,
            )
        except Refused as refused:
            form.add_refusal(refused)
        else:
            return redirect(address(place, "import", pk=upload.pk))
    words = {"to_make": kinds.to_make(upload), "told": kinds.told_to_whom(upload)}
    return form_page(request, "imports/confirm.html", form, place=place, upload=upload, **words)


@require_POST
@at_place(Permission.DEFINE)
def discard(request: PortalRequest, place: Resource, pk: uuid.UUID) -> HttpResponse:
    """Throw a file away."""
    uploads.discard(found(request, place, pk))
    messages.success(request, _("The file was thrown away. Nothing of it was applied by this."))
    return redirect(address(place, "imports"))
