"""Access reviews in Django admin."""

from __future__ import annotations

from django.contrib import admin

from pim_portal.admin.placed import PlacedAdmin
from reviews.models import (
    AccessReview,
    Instance,
    InstanceStage,
    LongAct,
    Panelist,
    PastVerdict,
    Stage,
    StagePrincipal,
    Told,
    Verdict,
)


@admin.register(AccessReview)
class AccessReviewAdmin(PlacedAdmin):
    list_display = ("name", "resource", "frequency", "starts_at", "deleted_at")
    list_filter = ("frequency", "covers")
    list_select_related = ("resource",)
    search_fields = ("name", "resource__name_key")


@admin.register(Stage)
class ReviewStageAdmin(PlacedAdmin):
    at = "review__resource__"
    list_display = ("review", "number", "kind")
    list_select_related = ("review",)


@admin.register(StagePrincipal)
class StagePrincipalAdmin(PlacedAdmin):
    at = "stage__review__resource__"
    list_display = ("principal", "stage__number", "stage__review")
    list_select_related = ("stage__review", "principal")


@admin.register(Told)
class ToldAdmin(PlacedAdmin):
    at = "review__resource__"
    list_display = ("review", "principal")
    list_select_related = ("review", "principal")


@admin.register(Instance)
class InstanceAdmin(PlacedAdmin):
    at = "review__resource__"
    list_display = ("review", "number", "starts_at", "ends_at", "applied_at")
    list_select_related = ("review",)
    search_fields = ("review__name",)


@admin.register(InstanceStage)
class InstanceStageAdmin(PlacedAdmin):
    at = "instance__review__resource__"
    list_display = ("instance__review", "instance__number", "number", "kind", "starts_at", "ends_at")
    list_select_related = ("instance__review",)


@admin.register(LongAct)
class LongActAdmin(PlacedAdmin):
    at = "instance__review__resource__"
    list_display = (
        "instance__review",
        "instance__number",
        "doing",
        "actor_name",
        "asked_at",
        "done",
        "total",
        "finished_at",
    )
    list_filter = ("doing",)
    list_select_related = ("instance__review",)


@admin.register(Panelist)
class PanelistAdmin(PlacedAdmin):
    at = "stage__instance__review__resource__"
    list_display = ("principal", "stage__number", "stage__instance__review", "stage__instance__number")
    list_select_related = ("stage__instance__review", "principal")


@admin.register(Verdict)
class VerdictAdmin(PlacedAdmin):
    at = "instance__review__resource__"
    list_display = ("principal_name", "role_name", "resource_name", "verdict", "reviewer_name", "result")
    list_filter = ("verdict", "result")
    search_fields = ("principal_key", "role_key")


@admin.register(PastVerdict)
class PastVerdictAdmin(PlacedAdmin):
    at = "row__instance__review__resource__"
    list_display = ("row__principal_name", "row__role_name", "verdict", "reviewer_name", "decided_at", "replaced_at")
    list_select_related = ("row",)
