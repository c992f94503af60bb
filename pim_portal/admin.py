"""What Django admin shows. All of it stands here: the apps below know nothing of pages."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest

from approvals.models import Decision, Deputy, Request, RequestApprover, RequestStage
from audit.kinds import Realm
from audit.models import Anchoring, Batch, Event, EventText, Leaf, Pending, Verification
from pim_portal.activity.selectors.sight import in_sight
from pim_portal.models import (
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
)
from pim_portal.portal_admin import ReadOnlyAdmin
from reviews.models import (
    AccessReview,
    Instance,
    InstanceStage,
    Panelist,
    PastVerdict,
    Stage,
    StagePrincipal,
    Told,
    Verdict,
)
from roles.authority import Authority
from roles.catalogue import Permission
from roles.models import (
    ApprovalStage,
    Assignment,
    Group,
    NotificationCell,
    Principal,
    RecoveryCode,
    RecoveryCodes,
    Resource,
    Role,
    RoleKind,
    RoleSettings,
    StageApprover,
    StepUp,
    TotpDevice,
    User,
)
from roles.selectors.sight import within_sight

# People and groups


@admin.register(Principal)
class PrincipalAdmin(ReadOnlyAdmin):
    permission = Permission.SEE_PEOPLE
    list_display = ("name", "kind", "enabled", "created_at")
    list_filter = ("kind", "enabled")
    search_fields = ("name_key",)


@admin.register(User)
class UserAdmin(ReadOnlyAdmin):
    permission = Permission.SEE_PEOPLE
    hidden = ("password",)
    list_display = ("name", "username", "email", "department", "enabled")
    list_filter = ("enabled",)
    search_fields = ("name_key", "username_key", "email_key")


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


# Roles and where they are held


class PlacedAdmin(ReadOnlyAdmin):
    """Rows that belong to a resource; `at` leads there."""

    at = "resource__"

    def narrow(self, rows: QuerySet[Any], authority: Authority) -> QuerySet[Any]:
        return rows.filter(within_sight(authority, self.permission, at=self.at))


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
    list_display = ("settings", "number", "quorum")


@admin.register(StageApprover)
class StageApproverAdmin(SettingsAdmin):
    at = "stage__settings__"
    list_display = ("stage", "principal")
    list_select_related = ("stage", "principal")


@admin.register(NotificationCell)
class NotificationCellAdmin(SettingsAdmin):
    at = "settings__"
    list_display = ("settings", "act", "audience", "default_recipients", "critical_only")
    list_filter = ("act", "audience")
    list_select_related = ("settings",)
    search_fields = ("settings__role__name_key",)


@admin.register(Assignment)
class AssignmentAdmin(PlacedAdmin):
    list_display = ("principal", "role", "resource", "type", "starts_at", "ends_at", "ended_at", "end_reason")
    list_filter = ("type", "end_reason")
    list_select_related = ("principal", "role", "resource")
    search_fields = ("principal__name_key", "role__name_key", "resource__name_key")


# Requests


@admin.register(Request)
class RequestAdmin(PlacedAdmin):
    hidden = ("digest", "settings_digest")
    list_display = ("principal", "role", "resource", "status", "made_at", "decided_at")
    list_filter = ("status",)
    list_select_related = ("principal", "role", "resource")
    search_fields = ("principal__name_key", "role__name_key", "resource__name_key")


@admin.register(RequestStage)
class RequestStageAdmin(PlacedAdmin):
    at = "request__resource__"
    list_display = ("request", "number", "quorum")
    list_select_related = ("request__principal", "request__role")


@admin.register(RequestApprover)
class RequestApproverAdmin(PlacedAdmin):
    at = "stage__request__resource__"
    list_display = ("stage", "principal")
    list_select_related = ("stage", "principal")


@admin.register(Decision)
class DecisionAdmin(PlacedAdmin):
    at = "request__resource__"
    list_display = ("request", "approver", "verdict", "decided_at")
    list_filter = ("verdict",)
    list_select_related = ("request__principal", "request__role", "approver")


@admin.register(Deputy)
class DeputyAdmin(ReadOnlyAdmin):
    permission = Permission.SEE_PEOPLE
    list_display = ("deputy", "approver", "starts_at", "ends_at", "ended_at")
    list_select_related = ("deputy", "approver")
    search_fields = ("deputy__name_key", "approver__name_key")


# Access reviews


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
    list_display = ("stage", "principal")
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
    list_display = ("instance", "number", "kind", "starts_at", "ends_at")
    list_select_related = ("instance__review",)


@admin.register(Panelist)
class PanelistAdmin(PlacedAdmin):
    at = "stage__instance__review__resource__"
    list_display = ("stage", "principal")
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
    list_display = ("row", "verdict", "reviewer_name", "decided_at", "replaced_at")
    list_select_related = ("row",)


# History


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


@admin.register(EventText)
class EventTextAdmin(HistoryAdmin):
    at = "event__"
    hidden = ("salts",)
    list_display = ("event", "fields")
    list_select_related = ("event",)
    search_fields = ("search",)


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


# The portal's own work


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
    list_display = ("uploader", "status", "lines", "checked", "made_at", "done_at")
    list_filter = ("status",)
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
