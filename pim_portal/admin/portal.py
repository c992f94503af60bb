"""What the portal itself keeps, in Django admin: mails, sessions, imports, the worker."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from pim_portal.models import (
    AuditCursor,
    Download,
    DueItem,
    EntryTicket,
    Heartbeat,
    Notification,
    NotificationChoice,
    PortalSession,
    SampleMail,
    SetUp,
    Upload,
    UploadLine,
    UploadPart,
    UploadProgress,
    WebHook,
)
from pim_portal.portal_admin import ReadOnlyAdmin
from roles.authority import Authority
from roles.catalogue import Permission
from roles.models import Tally


@admin.register(Notification)
class NotificationAdmin(ReadOnlyAdmin):
    permission = Permission.OPERATE
    list_display = ("mail", "recipient", "address", "state", "attempts", "created_at", "sent_at")
    list_filter = ("state", "mail")
    list_select_related = ("recipient",)


@admin.register(DueItem)
class DueItemAdmin(ReadOnlyAdmin):
    permission = Permission.OPERATE
    list_display = ("kind", "subject_id", "at", "written_at")
    list_filter = ("kind",)


@admin.register(NotificationChoice)
class NotificationChoiceAdmin(ReadOnlyAdmin):
    permission = Permission.OPERATE
    list_display = ("user", "topic", "delivery")
    list_filter = ("topic", "delivery")
    list_select_related = ("user",)


@admin.register(Heartbeat)
class HeartbeatAdmin(ReadOnlyAdmin):
    permission = Permission.OPERATE
    list_display = ("name", "beat_at", "asked_at")


@admin.register(Tally)
class TallyAdmin(ReadOnlyAdmin):
    """When what was counted. What it said may be of a world that its reader does not see."""

    permission = Permission.OPERATE
    hidden = ("of", "found")
    list_display = ("count", "counted_at", "seen_at")


@admin.register(PortalSession)
class PortalSessionAdmin(ReadOnlyAdmin):
    """Who is signed in since when. The key of a session, its id, opens it: never shown, linked or asked for."""

    permission = Permission.OPERATE
    hidden = ("pk", "session_key", "session_data")
    list_display = ("user", "signed_in_at", "last_seen_at", "address", "browser")
    list_display_links = None
    list_select_related = ("user",)
    search_fields = ("user__name_key",)
    ordering = ("-signed_in_at",)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Model | None:
        return None


@admin.register(EntryTicket)
class EntryTicketAdmin(ReadOnlyAdmin):
    permission = Permission.OPERATE
    hidden = ("digest", "secret")
    list_display = ("user", "kind", "made_by", "made_at", "until", "used_at")
    list_filter = ("kind",)
    list_select_related = ("user", "made_by")
    search_fields = ("user__name_key",)


@admin.register(SetUp)
class SetUpAdmin(ReadOnlyAdmin):
    permission = Permission.OPERATE
    hidden = ("code_digest",)
    list_display = ("id", "done_at", "code_until")


@admin.register(SampleMail)
class SampleMailAdmin(ReadOnlyAdmin):
    """The mails of the demo; what they say may open a door, so that only their heads are shown."""

    permission = Permission.OPERATE
    hidden = ("text", "html")
    list_display = ("sent_at", "recipient", "subject")
    search_fields = ("subject",)


@admin.register(Upload)
class UploadAdmin(ReadOnlyAdmin):
    """Who is importing what; the lines themselves only their sender sees."""

    permission = Permission.OPERATE
    hidden = ("place", "name", "reason", "problem", "counts")
    list_display = ("uploader", "kind", "status", "lines", "checked", "made_at", "done_at")
    list_filter = ("kind", "status")
    list_select_related = ("uploader",)


class _OnlyItsSender(ReadOnlyAdmin):
    """What stands in somebody's file is seen on the page of that file, and only by who sent it."""

    permission = Permission.OPERATE

    def narrow(self, rows: QuerySet[Any], authority: Authority) -> QuerySet[Any]:
        return rows.filter(upload__uploader=authority.user)


@admin.register(UploadLine)
class UploadLineAdmin(_OnlyItsSender):
    list_display = ("upload", "number", "fate", "about")
    list_filter = ("fate",)


@admin.register(UploadPart)
class UploadPartAdmin(_OnlyItsSender):
    hidden = ("data",)
    list_display = ("upload", "number")


@admin.register(UploadProgress)
class UploadProgressAdmin(_OnlyItsSender):
    list_display = ("upload", "done")


@admin.register(WebHook)
class WebHookAdmin(ReadOnlyAdmin):
    """Where the history goes. The address may hold a secret of its own."""

    permission = Permission.OPERATE
    hidden = ("secret", "old_secret", "url", "lease")
    list_display = ("name", "position", "paused_at", "failures", "delivered_at", "last_error")
    search_fields = ("name",)


@admin.register(AuditCursor)
class AuditCursorAdmin(ReadOnlyAdmin):
    permission = Permission.OPERATE
    hidden = ("lease",)
    list_display = ("name", "position", "moved_at")


@admin.register(Download)
class DownloadAdmin(ReadOnlyAdmin):
    permission = Permission.OPERATE
    list_display = ("name", "reader", "sent", "total", "begun_at", "finished_at", "end")
    list_filter = ("end",)
    list_select_related = ("reader",)
