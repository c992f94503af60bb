"""Alerts in Django admin: each seen by who may see the place that it is about."""

from __future__ import annotations

from django.contrib import admin

from pim_portal.admin.placed import PlacedAdmin
from pim_portal.models import Alert, AlertSettings, Incident


@admin.register(Alert)
class AlertAdmin(PlacedAdmin):
    at = "root__"
    list_display = ("key", "root", "last_scanned_at", "wanted_at")
    list_filter = ("key",)
    list_select_related = ("root",)


@admin.register(AlertSettings)
class AlertSettingsAdmin(PlacedAdmin):
    list_display = ("key", "resource", "enabled", "mails")
    list_filter = ("key", "enabled")
    list_select_related = ("resource",)


@admin.register(Incident)
class IncidentAdmin(PlacedAdmin):
    hidden = ("told_in", "untold")
    list_display = ("alert", "resource", "principal", "role", "raised_at", "resolved_at")
    list_filter = ("alert__key", "resolution")
    list_select_related = ("alert", "resource", "principal", "role")
