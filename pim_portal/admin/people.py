"""People, groups and their second factors in Django admin."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from pim_portal.portal_admin import ReadOnlyAdmin
from roles.authority import Authority
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

    def view_on_site(self, user: User) -> str:
        return reverse("person", args=[user.pk])


@admin.register(Group)
class GroupAdmin(ReadOnlyAdmin):
    permission = Permission.SEE_PEOPLE
    list_display = ("name", "description", "enabled")
    search_fields = ("name_key",)

    def view_on_site(self, group: Group) -> str:
        return reverse("group", args=[group.pk])


@admin.register(TotpDevice)
class TotpDeviceAdmin(ReadOnlyAdmin):
    permission = Permission.SEE_PEOPLE
    hidden = ("key", "last_step", "drift")
    list_display = ("user", "name", "confirmed", "created_at", "last_used_at")
    search_fields = ("user__name_key",)


@admin.register(RecoveryCodes)
class RecoveryCodesAdmin(ReadOnlyAdmin):
    permission = Permission.SEE_PEOPLE
    list_display = ("user", "unused", "created_at")
    search_fields = ("user__name_key",)

    def narrow(self, rows: QuerySet[Any], authority: Authority) -> QuerySet[Any]:
        counted: QuerySet[Any] = rows.annotate(unused=Count("codes", filter=Q(codes__used_at=None)))
        return counted

    @admin.display(description=_("left"))
    def unused(self, codes: Any) -> int:
        return int(codes.unused)


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
