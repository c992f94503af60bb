"""The page about keeping, and the acts on it: changing how long events stay, taking an archive away."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters

from audit.models import Archive
from pim_portal.keeping import services, taking
from pim_portal.keeping.forms import RetentionForm, TakeForm
from pim_portal.keeping.selectors import archive_seen_by, archives_seen_by, kept, may_see_keeping
from pim_portal.keeping.tables import ArchiveFilter, ArchiveTable, at_hand
from roles.answers import form_page, read_and_send
from roles.catalogue import Permission
from roles.guards import holding
from roles.lists import ListPage
from roles.middleware import PortalRequest
from roles.refusals import Refused


class Keeping(ListPage):
    """How long events are kept, and the archives of what was not kept here."""

    request: PortalRequest
    table_class = ArchiveTable
    filter_class = ArchiveFilter
    template_name = "keeping/keeping.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not may_see_keeping(self.request.authority):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    def rows(self) -> QuerySet[Archive]:
        return archives_seen_by(self.request.authority)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        may_change = self.request.authority.anywhere(Permission.OPERATE)
        by_itself = services.may_delete()
        return super().get_context_data(groups=kept(), may_change=may_change, by_itself=by_itself, **kwargs)


keeping = Keeping.as_view()


@sensitive_post_parameters("code")
@holding(Permission.OPERATE)
@read_and_send
def change(request: PortalRequest) -> HttpResponseBase:
    """Change how long events are kept."""
    form = RetentionForm(request.POST if request.method == "POST" else None, request=request, kept=kept())
    if form.is_valid():
        try:
            services.change_retention(
                form.wanted,
                reason=form.cleaned_data["reason"],
                actor=form.actor([request.user.pk]),
                clock=timezone.now,
            )
        except Refused as refused:
            form.add_refusal(refused)
        else:
            messages.success(request, _("Saved. The auditors are told by mail."))
            return redirect("keeping" if may_see_keeping(request.authority) else "keeping_change")
    return form_page(request, "keeping/change.html", form)


@sensitive_post_parameters("code")
@read_and_send
def take(request: PortalRequest, event: uuid.UUID) -> HttpResponseBase:
    """Take an archive away: a zip with its events, their texts and the verifier."""
    archive = archive_seen_by(request.authority, event)
    if archive is None:
        raise Http404
    form = TakeForm(request.POST if request.method == "POST" else None, request=request)
    if form.is_valid():
        try:
            file = taking.take(
                archive,
                folder=settings.PIM_AUDIT_ARCHIVES,
                actor=form.actor([archive.event]),
                clock=timezone.now,
            )
        except Refused as refused:
            form.add_refusal(refused)
        else:
            return FileResponse(
                file, as_attachment=True, filename=f"{archive.name}.zip", content_type="application/zip"
            )
    return form_page(request, "keeping/take.html", form, archive=archive, at_hand=at_hand(archive))
