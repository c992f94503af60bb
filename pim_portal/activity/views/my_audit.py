"""My audit history: what somebody did, and what was done to them."""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from audit.kinds import Outcome
from audit.models import Event
from audit.selectors import own_archived_of, own_history_of
from audit.sentences import sentence
from pim_portal.activity.downloads import Reading, watch_own
from pim_portal.activity.filters import OwnHistoryFilter
from pim_portal.activity.selectors.details import authority_behind, details_of, ids_of, texts_of
from pim_portal.activity.tables import HistoryTable
from pim_portal.activity.views.audit import archived_page
from pim_portal.activity.views.files import HistoryWithFiles, beginning_of
from roles.downloads import FORMATS
from roles.middleware import PortalRequest


class MyAuditPage(HistoryWithFiles):
    """The reader's own history, the newest first."""

    view_name = "my_audit"
    long_files = "my_audit_download"
    formats = FORMATS
    template_name = "activity/my_audit.html"
    table_class = HistoryTable
    filter_class = OwnHistoryFilter

    def rows(self) -> QuerySet[Event]:
        return own_history_of(self.request.user.pk)

    def reading(self) -> Reading:
        return Reading(watch_own(self.request.session.session_key), own=self.request.user.pk)


my_audit = MyAuditPage.as_view()
my_audit_download = beginning_of(MyAuditPage)


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
