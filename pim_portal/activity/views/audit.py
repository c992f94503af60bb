"""Audit history: what happened at the places whose history the reader may see."""

from __future__ import annotations

import json
import uuid
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET

from audit import keys
from audit.archive_files import entry_in
from audit.exporting import proof_of
from audit.kinds import Outcome
from audit.models import Archived, Event, EventText, Leaf
from audit.sentences import sentence
from pim_portal.activity import downloads, exports, services
from pim_portal.activity.filters import AuditFilter
from pim_portal.activity.forms import EraseForm, ExportForm
from pim_portal.activity.progress import BegunBefore, begin, own_download
from pim_portal.activity.selectors.details import authority_behind, details_of, ids_of, texts_of
from pim_portal.activity.selectors.sight import in_sight, readable
from pim_portal.activity.selectors.stories import (
    archived_in_story,
    archived_under,
    done_under,
    story_of_request,
    told,
)
from pim_portal.activity.tables import AuditTable
from pim_portal.activity.views.files import (
    OF_THE_LIST,
    HistoryWithFiles,
    address_with,
    beginning_of,
    id_in,
    query_without,
)
from pim_portal.keeping.selectors import archive_seen_by, may_see_keeping
from pim_portal.keeping.tables import at_hand
from roles.answers import form_page, read_and_send
from roles.catalogue import Permission
from roles.downloads import attached
from roles.guards import holding
from roles.list_rows import counted
from roles.middleware import PortalRequest
from roles.refusals import Refused

MOST_TOLD = 10_000  # events of which an export says how many they are: to count ten million takes seconds


@method_decorator(holding(Permission.SEE_AUDIT), name="dispatch")
class AuditPage(HistoryWithFiles):
    """The history of every place that the reader may look at, the newest first."""

    view_name = "audit"
    long_files = "audit_download"
    template_name = "activity/audit.html"
    table_class = AuditTable
    filter_class = AuditFilter

    def rows(self) -> QuerySet[Event]:
        return readable(self.request.authority)

    def reading(self) -> downloads.Reading:
        return downloads.Reading(downloads.watch(self.request.user, self.request.session.session_key))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        may_verify = self.request.authority.allows(Permission.SEE_AUDIT)
        query = query_without(self.request, *OF_THE_LIST)
        keeps = may_see_keeping(self.request.authority)
        return super().get_context_data(
            may_verify=may_verify, may_see_keeping=keeps, query=query, more_formats=["jsonl"], **kwargs
        )


audit = AuditPage.as_view()
audit_download = beginning_of(AuditPage, Permission.SEE_AUDIT)


def archived_page(
    request: PortalRequest, tombstones: QuerySet[Archived], event: uuid.UUID, *, may_prove: bool = False
) -> HttpResponse:
    """Say that an event is in an archive; for any other id there is no page."""
    one = get_object_or_404(tombstones.select_related("archive"), uuid=event)
    context = {
        "tombstone": one,
        "archive": archive_seen_by(request.authority, one.archive.event),
        "at_hand": at_hand(one.archive),
        "may_prove": may_prove,
    }
    return render(request, "activity/archived.html", context)


def _event(request: PortalRequest, pk: uuid.UUID) -> Event:
    found: Event = get_object_or_404(readable(request.authority), uuid=pk)
    return found


@require_GET
def audit_event(request: PortalRequest, event: uuid.UUID) -> HttpResponse:
    """Everything recorded of one event; one that the reader may not see is as unknown as a random one."""
    one = readable(request.authority).filter(uuid=event).first()
    if one is None:
        return archived_page(request, _tombstones(request), event, may_prove=True)
    text: EventText = one.text
    context: dict[str, Any] = {
        "event": one,
        "outcome_tag": "good" if one.outcome == Outcome.DONE else "bad",
        "sentence": sentence(one),
        "facts": [*texts_of(one, None), *details_of(one)],
        "ids": ids_of(one),
        "authority": authority_behind(one),
        "leaf": Leaf.objects.select_related("batch").filter(event=one.pk).first(),
        "erased_at": text.erased_at,
        "may_erase": text.erased_at is None and request.authority.allows(Permission.OPERATE),
        "under": told(done_under(one.assignment_id, request.authority)) if one.assignment_id else [],
        "archived_under": archived_under(one.assignment_id, request.authority) if one.assignment_id else 0,
    }
    return render(request, "activity/audit_event.html", context)


@require_GET
def audit_proof(request: PortalRequest, event: uuid.UUID) -> HttpResponse:
    """The proof of one event, as a small file; 404 while it is not sealed, or its archive is elsewhere."""
    one = readable(request.authority).filter(uuid=event).first()
    proof = proof_of(one, "") if one else _archived_proof(request, event)
    if proof is None:
        raise Http404
    key = keys.trusted(settings.PIM_AUDIT_KEY).get(proof["seal"]["key"])
    if key is None:
        raise Http404
    proof["public_key"] = key.public_bytes_raw().hex()
    answer = HttpResponse(json.dumps(proof, indent=2, ensure_ascii=False), content_type="application/json")
    answer["Content-Disposition"] = f'attachment; filename="event-{event}.json"'
    return answer


def _archived_proof(request: PortalRequest, event: uuid.UUID) -> dict[str, Any] | None:
    """Return the proof of an archived event out of its file; as it stands there: whoever verifies it sees a change."""
    stone = get_object_or_404(_tombstones(request).select_related("archive"), uuid=event)
    if not at_hand(stone.archive):
        return None
    try:
        entry = entry_in(settings.PIM_AUDIT_ARCHIVES, stone.archive.name, stone.leaf)
    except (OSError, ValueError):
        return None
    return {"format": 1, **entry, "public_key": ""} if entry and "seal" in entry else None


def _tombstones(request: PortalRequest) -> QuerySet[Archived]:
    return Archived.objects.filter(in_sight(request.authority))


@require_GET
def audit_request(request: PortalRequest, pk: uuid.UUID) -> HttpResponse:
    """The whole story of one request, as far as the reader may read it."""
    story = told(story_of_request(pk, request.authority))
    archived = archived_in_story(pk, request.authority)
    if not story and not archived:
        raise Http404
    context = {"story": story, "first": story[0] if story else None, "request_id": pk, "archived": archived}
    return render(request, "activity/audit_request.html", context)


@read_and_send
def audit_export(request: PortalRequest) -> HttpResponseBase:
    """Take the history away, as it is filtered: a zip with the seals and a verifier of its own."""
    pk = id_in(request)
    if own_download(request.user, pk):
        return redirect("history_download", pk)
    if not request.authority.anywhere(Permission.SEE_AUDIT):
        raise PermissionDenied
    filter = AuditFilter(request.GET, queryset=readable(request.authority), request=request)
    form = ExportForm(request.POST if request.method == "POST" else None, request=request)
    if form.is_valid():
        try:
            return _exported(filter, form, pk)
        except Refused as refused:
            form.add_refusal(refused)
        except BegunBefore:
            return redirect("history_download", pk)
    context: dict[str, Any] = {
        "count": _how_many(counted(filter.qs.filter(leaf__isnull=False), MOST_TOLD)),
        "query": query_without(request, *OF_THE_LIST),
        "here": address_with(pk, request),
    }
    return form_page(request, "activity/audit_export.html", form, **context)


def _how_many(count: int) -> str:
    if count > MOST_TOLD:
        return _("More than {count} sealed events.").format(count=f"{MOST_TOLD:,}")
    return ngettext("{count} sealed event.", "{count} sealed events.", count).format(count=f"{count:,}")


def _exported(filter: AuditFilter, form: ExportForm, pk: uuid.UUID) -> HttpResponseBase:
    """Record an export and answer with it, and tell beside it how far it is. Raises `Refused`, `BegunBefore`."""
    request = form.request
    ordered = exports.order_export(
        filter.qs,
        filtered=filter.narrows,
        key_file=settings.PIM_AUDIT_KEY,
        portal=settings.PIM_BASE_URL,
        actor=form.actor([request.user.pk]),
        clock=timezone.now,
    )
    name = f"audit-history-{timezone.localdate().isoformat()}.zip"
    told = begin(pk, request.user, name=name, clock=timezone.now)
    may_read = told.watched(downloads.watch(request.user, request.session.session_key))
    parts = exports.parts_of(ordered, downloads.Reading(may_read, count=told.count))
    return attached(told.follow(parts, total=lambda: len(ordered.leaves)), name, "application/zip")


@read_and_send
def audit_erase(request: PortalRequest, event: uuid.UUID) -> HttpResponseBase:
    """Erase the personal text of one event."""
    one = _event(request, event)
    if not request.authority.allows(Permission.OPERATE):
        raise Http404
    form = EraseForm(request.POST if request.method == "POST" else None, request=request)
    if form.is_valid():
        reason = form.cleaned_data["reason"]
        try:
            services.erase_texts([one.uuid], reason=reason, actor=form.actor([one.uuid]), clock=timezone.now)
        except Refused as refused:
            form.add_refusal(refused)
        else:
            messages.success(request, _("The personal text is erased. The event still verifies."))
            return redirect("audit_event", event=one.uuid)
    return form_page(
        request, "activity/audit_erase.html", form, event=one, back=reverse("audit_event", args=[one.uuid])
    )
