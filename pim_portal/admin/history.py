"""The history and its seals in Django admin."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.urls import reverse

from audit.models import Anchoring, Archive, Archived, Batch, Event, EventText, Leaf, Pending, Retention, Verification
from pim_portal.activity.selectors.sight import in_sight
from pim_portal.portal_admin import ReadOnlyAdmin
from roles.authority import Authority
from roles.catalogue import Permission


class HistoryAdmin(ReadOnlyAdmin):
    """Events, of the directory as a whole and of the resources and groups that the viewer may see."""

    permission = Permission.SEE_AUDIT
    at = ""

    def narrow(self, rows: QuerySet[Any], authority: Authority) -> QuerySet[Any]:
        return rows.filter(in_sight(authority, at=self.at))


@admin.register(Event)
class EventAdmin(HistoryAdmin):
    list_display = ("occurred_at", "kind", "outcome", "realm")
    list_filter = ("outcome", "realm", "kind")
    search_fields = ("text__search",)

    def view_on_site(self, event: Event) -> str:
        return reverse("audit_event", args=[event.uuid])


@admin.register(EventText)
class EventTextAdmin(HistoryAdmin):
    at = "event__"
    hidden = ("salts",)
    list_display = ("event", "fields")
    list_select_related = ("event",)
    search_fields = ("search",)

    def view_on_site(self, text: EventText) -> str:
        return reverse("audit_event", args=[text.event.uuid])


@admin.register(Pending)
class PendingAdmin(HistoryAdmin):
    at = "event__"
    list_display = ("event",)
    list_select_related = ("event",)


class SealAdmin(ReadOnlyAdmin):
    """The seals say nothing of what they seal: they are for whoever reads the history of the directory."""

    permission = Permission.SEE_AUDIT


@admin.register(Batch)
class BatchAdmin(SealAdmin):
    list_display = ("number", "first", "size", "sealed_at", "key")


@admin.register(Leaf)
class LeafAdmin(SealAdmin):
    list_display = ("number", "batch", "hash")


@admin.register(Anchoring)
class AnchoringAdmin(SealAdmin):
    list_display = ("name", "batch", "anchored_at", "error")


@admin.register(Verification)
class VerificationAdmin(SealAdmin):
    list_display = ("started_at", "finished_at", "checked", "total")


@admin.register(Retention)
class RetentionAdmin(SealAdmin):
    list_display = ("group", "days")


@admin.register(Archive)
class ArchiveAdmin(SealAdmin):
    list_display = ("number", "name", "realm", "leaves", "made_at")


@admin.register(Archived)
class ArchivedAdmin(HistoryAdmin):
    list_display = ("leaf", "uuid", "archive")
    list_select_related = ("archive",)
