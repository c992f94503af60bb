"""The files of a history: a short one comes at once, a long one from a page that shows how far it is."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Final

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET

from audit.models import Event
from pim_portal.activity import downloads, progress
from pim_portal.activity.downloads import Reading
from pim_portal.activity.paging import BEYOND, HistoryPage
from pim_portal.models import Download
from roles.answers import read_and_send
from roles.catalogue import Permission
from roles.downloads import attached
from roles.middleware import PortalRequest

LOOK_AGAIN: Final = 3  # seconds until a page about a file that is being sent is loaded anew
OF_THE_LIST: Final = ("page", "per_page", "sort", "download", "id", BEYOND)  # what narrows no history


class HistoryWithFiles(HistoryPage):
    """A history that can be downloaded: `?download=` and a format; what is long, from the page `long_files`.

    `view_name` and `long_files` are names of addresses.
    """

    request: PortalRequest
    formats: ClassVar[Sequence[str]] = downloads.FORMATS
    view_name: ClassVar[str]
    long_files: ClassVar[str]

    def reading(self) -> Reading:
        """Return for whom a file is made."""
        raise NotImplementedError

    def found(self) -> QuerySet[Event]:
        """Return the events, as they are filtered."""
        found: QuerySet[Event] = self.filter.qs if self.filter else self.rows()
        return found

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        format = request.GET.get("download", "")
        if format in self.formats:
            made: Any = _sent(format, downloads.content(format, self.found(), self.reading()))
            return made  # type: ignore[no-any-return]  # a stream is no HttpResponse to Django's types
        return super().get(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        if getattr(context["table"], "is_longer", False):
            context["files_at"] = reverse(self.long_files)
        return context


def _sent(format: str, parts: Iterator[bytes]) -> HttpResponseBase:
    return attached(parts, downloads.file_name(format, timezone.localdate()), downloads.content_type(format))


def beginning_of(page: type[HistoryWithFiles], permission: Permission | None = None) -> Callable[..., HttpResponseBase]:
    """Return the page on which a long file of this history begins; a POST sends it."""

    @read_and_send
    def begin(request: PortalRequest) -> HttpResponseBase:
        pk = id_in(request)
        if progress.own_download(request.user, pk):
            return redirect("history_download", pk)
        if permission and not request.authority.anywhere(permission):
            raise PermissionDenied
        listed = page()
        listed.setup(request)
        wanted = request.GET.get("download", "")
        format = wanted if wanted in listed.formats else listed.formats[0]
        if request.method == "POST":
            try:
                return _begun(listed, format, pk)
            except progress.BegunBefore:
                return redirect("history_download", pk)
        context = {
            "format": format.upper(),
            "here": address_with(pk, request),
            "back": reverse(page.view_name),
            "query": query_without(request, *OF_THE_LIST),
        }
        return render(request, "activity/download.html", context)

    return begin


def _begun(listed: HistoryWithFiles, format: str, pk: uuid.UUID) -> HttpResponseBase:
    """Answer with a file, and tell beside it how far it is. Raises `BegunBefore`."""
    name = downloads.file_name(format, timezone.localdate())
    told = progress.begin(pk, listed.request.user, name=name, clock=timezone.now)
    rows, reading = listed.found(), listed.reading()
    may_read = told.watched(reading.may_read)
    parts = downloads.content(format, rows, replace(reading, may_read=may_read, count=told.count))
    return _sent(format, told.follow(parts, total=lambda: rows.filter(may_read()).order_by().count()))


@require_GET
def history_download(request: PortalRequest, pk: uuid.UUID) -> HttpResponse:
    """How far one's own download is, or how it ended; also when the right to read what was in it is over."""
    row = progress.own_download(request.user, pk)
    if row is None:
        raise Http404
    context = {
        "download": row,
        "far": _far(row),
        "stands_still": progress.stands_still(row, request.now),
        "may_read": request.authority.anywhere(Permission.SEE_AUDIT),
    }
    answer = render(request, "activity/history_download.html", context)
    if row.finished_at is None:
        answer["Refresh"] = str(LOOK_AGAIN)
    return answer


def _far(row: Download) -> str:
    if row.total is None:
        return ngettext("{count} event was sent.", "{count} events were sent.", row.sent).format(count=f"{row.sent:,}")
    sentence = ngettext("{sent} of {count} event was sent.", "{sent} of {count} events were sent.", row.total)
    return sentence.format(sent=f"{row.sent:,}", count=f"{row.total:,}")


def id_in(request: HttpRequest) -> uuid.UUID:
    """Return the id that a page gave a file before it begins; a new one where there is none."""
    try:
        return uuid.UUID(request.GET.get("id", ""))
    except ValueError:
        return uuid.uuid4()


def address_with(pk: uuid.UUID, request: HttpRequest) -> str:
    """Return the address of this page with the id of the file that begins on it."""
    query = request.GET.copy()
    query["id"] = str(pk)
    return f"{request.path}?{query.urlencode()}"


def query_without(request: HttpRequest, *names: str) -> str:
    """Return the query string but for these."""
    kept = request.GET.copy()
    for name in names:
        kept.pop(name, None)
    return kept.urlencode()
