"""Resources, roles, their settings and who holds them, in Django admin."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet

from audit.kinds import Realm
from pim_portal.admin.placed import PlacedAdmin
from pim_portal.portal_admin import ReadOnlyAdmin
from roles.authority import Authority
from roles.catalogue import Permission
from roles.models import (
    ApprovalStage,
    Assignment,
    DutyRule,
    NotificationCell,
    Resource,
    Role,
    RoleKind,
    RoleSettings,
    StageApprover,
)
from roles.selectors.sight import within_sight


@admin.register(Resource)
class ResourceAdmin(PlacedAdmin):
    at = ""
    list_display = ("name", "kind", "type", "scope_path", "retired_at")
    list_filter = ("kind",)
    search_fields = ("name_key", "scope_path")


@admin.register(Role)
class RoleAdmin(ReadOnlyAdmin):
    """The built-in roles of every world, and the custom ones of the places that the viewer may see."""

    list_display = ("name", "kind", "category", "privileged", "built_in")
    list_filter = ("kind", "privileged", "built_in")
    search_fields = ("name_key",)

    def narrow(self, rows: QuerySet[Any], authority: Authority) -> QuerySet[Any]:
        return rows.filter(Q(home=None) | within_sight(authority, self.permission, at="home__"))


def _settings_within_sight(authority: Authority, at: str) -> Q:
    """Return the condition for role settings; a role's default belongs to the whole world of the role."""
    worlds = [RoleKind.DIRECTORY]
    if any(authority.paths(Permission.SEE, Realm.RESOURCE)):
        worlds.append(RoleKind.RESOURCE)
    defaults = Q(**{f"{at}resource": None, f"{at}role__kind__in": [*worlds, RoleKind.GROUP]})
    return defaults | within_sight(authority, at=f"{at}resource__")


class SettingsAdmin(ReadOnlyAdmin):
    at = ""

    def narrow(self, rows: QuerySet[Any], authority: Authority) -> QuerySet[Any]:
        return rows.filter(_settings_within_sight(authority, self.at))


@admin.register(RoleSettings)
class RoleSettingsAdmin(SettingsAdmin):
    list_display = ("role", "resource", "max_activation", "approval_required", "changed_at")
    list_filter = ("approval_required",)
    list_select_related = ("role", "resource")
    search_fields = ("role__name_key",)


@admin.register(ApprovalStage)
class ApprovalStageAdmin(SettingsAdmin):
    at = "settings__"
    list_display = ("settings__role", "settings__resource", "number", "quorum")
    list_select_related = ("settings__role", "settings__resource")


@admin.register(StageApprover)
class StageApproverAdmin(SettingsAdmin):
    at = "stage__settings__"
    list_display = ("principal", "stage__number", "stage__settings__role", "stage__settings__resource")
    list_select_related = ("principal", "stage__settings__role", "stage__settings__resource")


@admin.register(NotificationCell)
class NotificationCellAdmin(SettingsAdmin):
    at = "settings__"
    list_display = (
        "settings__role",
        "settings__resource",
        "act",
        "audience",
        "default_recipients",
        "critical_only",
    )
    list_filter = ("act", "audience")
    list_select_related = ("settings__role", "settings__resource")
    search_fields = ("settings__role__name_key",)


@admin.register(Assignment)
class AssignmentAdmin(PlacedAdmin):
    list_display = ("principal", "role", "resource", "type", "starts_at", "ends_at", "ended_at", "end_reason")
    list_filter = ("type", "end_reason")
    list_select_related = ("principal", "role", "resource")
    search_fields = ("principal__name_key", "role__name_key", "resource__name_key")


@admin.register(DutyRule)
class DutyRuleAdmin(PlacedAdmin):
    list_display = ("name", "reach", "resource", "made_at", "made_by", "retired_at")
    list_filter = ("reach",)
    list_select_related = ("resource", "made_by")
    search_fields = ("name_key", "resource__name_key")
