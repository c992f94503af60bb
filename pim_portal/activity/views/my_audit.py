"""My audit history: what somebody did, and what was done to them."""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from audit.kinds import Outcome
from audit.models import Event
from audit.selectors import own_archived_of, own_history_of
from audit.sentences import sentence
from pim_portal.activity import downloads
from pim_portal.activity.filters import HistoryFilter
from pim_portal.activity.paging import HistoryPage
from pim_portal.activity.selectors.details import authority_behind, details_of, ids_of, texts_of
from pim_portal.activity.tables import HistoryTable
from pim_portal.activity.views.audit import archived_page
from roles import downloads as roles_downloads
from roles.middleware import PortalRequest


class MyAuditPage(HistoryPage):
    """The reader's own history, the newest first."""

    request: PortalRequest
    template_name = "activity/my_audit.html"
    table_class = HistoryTable
    filter_class = HistoryFilter

    def rows(self) -> QuerySet[Event]:
        return own_history_of(self.request.user.pk)

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        format = request.GET.get("download", "")
        if format in roles_downloads.FORMATS:
            rows, reader = self.filter.qs if self.filter else self.rows(), self.request.user
            may_read = downloads.watch_own(self.request.session.session_key)
            made: Any = downloads.answer(format, rows, may_read=may_read, on=timezone.localdate(), own=reader.pk)
            return made  # type: ignore[no-any-return]  # a stream is no HttpResponse to Django's types
        return super().get(request, *args, **kwargs)


my_audit = MyAuditPage.as_view()


@require_GET
def my_audit_event(request: PortalRequest, event: uuid.UUID) -> HttpResponse:
    """Everything recorded of one event; another person's is as unknown as a random one."""
    one = own_history_of(request.user.pk).filter(uuid=event).first()
    if one is None:
        return archived_page(request, own_archived_of(request.user.pk), event)
    context: dict[str, Any] = {
        "event": one,
        "outcome_tag": "good" if one.outcome == Outcome.DONE else "bad",
        "sentence": sentence(one),
        "facts": [*texts_of(one, request.user), *details_of(one)],
        "ids": ids_of(one),
        "authority": authority_behind(one),
    }
    return render(request, "activity/event.html", context)
