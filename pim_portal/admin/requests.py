"""Requests, decisions, deputies and saved profiles in Django admin."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from approvals.models import (
    Decision,
    Deputy,
    EmergencyReview,
    Profile,
    ProfileItem,
    Request,
    RequestApprover,
    RequestStage,
)
from pim_portal.admin.placed import PlacedAdmin
from pim_portal.portal_admin import ReadOnlyAdmin
from roles.catalogue import Permission


@admin.register(Request)
class RequestAdmin(PlacedAdmin):
    hidden = ("digest", "settings_digest")
    list_display = ("principal", "role", "resource", "status", "break_glass", "made_at", "decided_at")
    list_filter = ("status", "break_glass")
    list_select_related = ("principal", "role", "resource")
    search_fields = ("principal__name_key", "role__name_key", "resource__name_key")


@admin.register(RequestStage)
class RequestStageAdmin(PlacedAdmin):
    at = "request__resource__"
    list_display = ("request__principal", "request__role", "number", "quorum")
    list_select_related = ("request__principal", "request__role")


@admin.register(RequestApprover)
class RequestApproverAdmin(PlacedAdmin):
    at = "stage__request__resource__"
    list_display = ("principal", "stage__number", "stage__request__principal", "stage__request__role")
    list_select_related = ("principal", "stage__request__principal", "stage__request__role")


@admin.register(Decision)
class DecisionAdmin(PlacedAdmin):
    at = "request__resource__"
    list_display = ("approver", "verdict", "request__principal", "request__role", "decided_at")
    list_filter = ("verdict",)
    list_select_related = ("request__principal", "request__role", "approver")


@admin.register(EmergencyReview)
class EmergencyReviewAdmin(PlacedAdmin):
    at = "request__resource__"
    list_display = ("request__principal", "request__role", "due_at", "closed_at", "closed_by", "operator", "justified")
    list_filter = ("justified",)
    list_select_related = ("request__principal", "request__role", "closed_by")


@admin.register(Deputy)
class DeputyAdmin(ReadOnlyAdmin):
    permission = Permission.SEE_PEOPLE
    list_display = ("deputy", "approver", "starts_at", "ends_at", "ended_at")
    list_select_related = ("deputy", "approver")
    search_fields = ("deputy__name_key", "approver__name_key")


@admin.register(Profile)
class ProfileAdmin(ReadOnlyAdmin):
    permission = Permission.SEE_PEOPLE
    # What people call it and why may name what this reader may not see.
    hidden = ("name", "name_key", "reason")
    list_display = ("id", "owner", "pinned", "made_at")
    list_select_related = ("owner",)
    search_fields = ("owner__name_key",)


@admin.register(ProfileItem)
class ProfileItemAdmin(PlacedAdmin):
    list_display = ("role", "resource", "scope", "owner")
    list_select_related = ("role", "resource", "scope", "profile__owner")
    hidden = ("profile",)

    @admin.display(description=_("owner"))
    def owner(self, item: ProfileItem) -> str:
        return str(item.profile.owner)
