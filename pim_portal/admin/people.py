"""People, groups and their second factors in Django admin."""

from __future__ import annotations

from django.contrib import admin

from pim_portal.portal_admin import ReadOnlyAdmin
from roles.catalogue import Permission
from roles.models import (
    Group,
    Principal,
    RecoveryCode,
    RecoveryCodes,
    StepUp,
    TotpDevice,
    User,
)


@admin.register(Principal)
class PrincipalAdmin(ReadOnlyAdmin):
    permission = Permission.SEE_PEOPLE
    list_display = ("name", "kind", "enabled", "created_at")
    list_filter = ("kind", "enabled")
    search_fields = ("search_text",)


@admin.register(User)
class UserAdmin(ReadOnlyAdmin):
    permission = Permission.SEE_PEOPLE
    hidden = ("password",)
    list_display = ("name", "username", "email", "department", "enabled")
    list_filter = ("enabled",)
    search_fields = ("search_text",)


@admin.register(Group)
class GroupAdmin(ReadOnlyAdmin):
    permission = Permission.SEE_PEOPLE
    list_display = ("name", "description", "enabled")
    search_fields = ("name_key",)


@admin.register(TotpDevice)
class TotpDeviceAdmin(ReadOnlyAdmin):
    permission = Permission.SEE_PEOPLE
    hidden = ("key", "last_step", "drift")
    list_display = ("user", "name", "confirmed", "created_at", "last_used_at")
    search_fields = ("user__name_key",)


@admin.register(RecoveryCodes)
class RecoveryCodesAdmin(ReadOnlyAdmin):
    permission = Permission.SEE_PEOPLE
    list_display = ("user", "left", "created_at")
    search_fields = ("user__name_key",)


@admin.register(RecoveryCode)
class RecoveryCodeAdmin(ReadOnlyAdmin):
    permission = Permission.SEE_PEOPLE
    hidden = ("digest",)
    list_display = ("device", "used_at")
    list_select_related = ("device__user",)
    search_fields = ("device__user__name_key",)


@admin.register(StepUp)
class StepUpAdmin(ReadOnlyAdmin):
    permission = Permission.SEE_PEOPLE
    hidden = ("session", "spent_on")
    list_display = ("user", "purpose", "verified_at", "until", "used_at")
    list_filter = ("purpose",)
    search_fields = ("user__name_key",)
