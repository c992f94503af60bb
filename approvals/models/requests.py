"""Requests: what waits for somebody's decision, and how it goes on."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import models
from django.db.models import OuterRef, Prefetch, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from roles.models import Assignment, AssignmentType, EndReason, SecondFactor
from roles.models.held import ByRow
from roles.models.prepared import Prepared
from roles.rules.changes import EXTENDED_WITHIN, RENEWED_WITHIN


class Action(models.TextChoices):
    """What is asked for."""

    ACTIVATE = "activate", _("Activate")
    PROLONG = "prolong", _("Prolong")
    EXTEND = "extend", _("Extend")
    RENEW = "renew", _("Renew")
    CHANGE_SETTINGS = "change_settings", _("Change settings")


# For a time that is asked for and begins when it is granted; what is decided by the stages of the settings.
TIMED = (Action.ACTIVATE, Action.PROLONG)

# For an end that is asked for; what is decided by whoever administers the place.
RENEWALS = (Action.EXTEND, Action.RENEW)


class Status(models.TextChoices):
    PENDING = "pending", _("Waiting for approval")
    GRANTED = "granted", _("Granted")
    DENIED = "denied", _("Denied")
    CANCELLED = "cancelled", _("Cancelled")
    LAPSED = "lapsed", _("Lapsed")
    FAILED = "failed", _("Failed")


# The life of a request. Every end is final.
TRANSITIONS: dict[Status, frozenset[Status]] = {
    Status.PENDING: frozenset({Status.GRANTED, Status.DENIED, Status.CANCELLED, Status.LAPSED, Status.FAILED}),
    Status.GRANTED: frozenset(),
    Status.DENIED: frozenset(),
    Status.CANCELLED: frozenset(),
    Status.LAPSED: frozenset(),
    Status.FAILED: frozenset(),
}


# What every page shows of a request, and of what it is about.
SHOWN = ("principal", "requestor", "role", "resource", "outcome")
SHOWN_ABOUT = ("role", "resource", "principal", "activated_from__role", "activated_from__resource")


class RequestQuerySet(models.QuerySet["Request"]):
    """Ways to narrow requests. Whether one still waits is derived from the clock."""

    def pending(self) -> RequestQuerySet:
        """Return what nobody has written an end to; it may have lapsed by the clock."""
        return self.filter(status=Status.PENDING)

    def waiting(self, now: datetime) -> RequestQuerySet:
        """Return what can still be decided: its window is open, and what it is about is as it must be.

        To activate: the eligibility is in effect for who asked. To prolong: the activation is. To extend: the
        assignment is, and is near its end. To renew: it ended by its time, lately, and was not renewed since.
        """
        live = Assignment.objects.in_effect(now).given_to("principal", now, since="made_at")
        live = live.filter(pk=OuterRef("assignment"))
        far = Q(action=Action.EXTEND, assignment__ends_at__gt=now + EXTENDED_WITHIN)
        renewed = Assignment.objects.filter(renewed_from=OuterRef("assignment"))
        renewable = Q(
            ~ByRow(renewed),
            action=Action.RENEW,
            assignment__ends_at__lte=now,
            assignment__ends_at__gte=now - RENEWED_WITHIN,
            assignment__end_reason__in=("", EndReason.EXPIRED),
            role__retired_at=None,
        )
        runs = Q(ByRow(live), ~far, action__in=(*TIMED, Action.EXTEND))
        stands = runs | renewable | Q(action=Action.CHANGE_SETTINGS)
        return self.pending().filter(stands, lapses_at__gt=now, principal__enabled=True)

    def waiting_among(self, now: datetime) -> RequestQuerySet:
        """Return which of these wait; see `waiting`. For questions that few pending requests answer, and mostly none.

        They are looked up first: where there is none, nothing dear is asked.
        """
        waiting = which_wait(self.pending().order_by().values_list("pk", flat=True), now)
        return Request.objects.pending().filter(pk__in=waiting) if waiting else Request.objects.none()

    def lapsed_unwritten(self, now: datetime) -> RequestQuerySet:
        """Return what lapsed, by the clock or with what it is about, and is not written down yet."""
        return self.pending().exclude(ByRow(Request.objects.waiting(now).filter(pk=OuterRef("pk"))))

    def shown(self) -> RequestQuerySet:
        """Fetch along what every page shows of a request.

        What it is about comes by a query of its own: PostgreSQL chooses the best order of eight tables, and no more.
        """
        rows = self.select_related(*SHOWN)
        return rows.prefetch_related(Prefetch("assignment", Assignment.objects.select_related(*SHOWN_ABOUT)))


class Request(models.Model):
    """Somebody asks for something; it waits, or is granted at once."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    action = models.CharField(_("action"), max_length=20, choices=Action.choices)
    principal = models.ForeignKey(
        "roles.Principal", models.PROTECT, related_name="requests", verbose_name=_("for whom")
    )
    requestor = models.ForeignKey("roles.Principal", models.PROTECT, related_name="requests_made")
    role = models.ForeignKey("roles.Role", models.PROTECT, related_name="requests")
    resource = models.ForeignKey("roles.Resource", models.PROTECT, related_name="requests")
    assignment = models.ForeignKey(
        "roles.Assignment",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="requests",
        verbose_name=_("what it is about"),
        help_text=_("The eligibility to activate from, the activation to prolong, the assignment to extend or renew."),
    )

    made_at = models.DateTimeField(_("asked"), default=timezone.now)
    wanted_start = models.DateTimeField(_("wanted start"), null=True, blank=True, help_text=_("Empty: at once."))
    wanted_duration = models.DurationField(_("wanted duration"), null=True, blank=True)
    wanted_type = models.CharField(_("wanted type"), max_length=10, choices=AssignmentType.choices, blank=True)
    wanted_end = models.DateTimeField(
        _("wanted end"), null=True, blank=True, help_text=_("Of an extension or renewal. Empty: permanent.")
    )
    break_glass = models.BooleanField(
        _("emergency"), default=False, help_text=_("Activated without waiting for approval.")
    )
    reason = models.TextField(_("reason"), blank=True)
    ticket = models.CharField(_("ticket"), max_length=100, blank=True)
    ticket_check = models.CharField(_("check of the ticket"), max_length=200, blank=True)
    proposal = models.JSONField(
        _("proposed change"),
        null=True,
        blank=True,
        help_text=_("Of settings: what would be done, and what ruled then."),
    )
    digest = models.CharField(max_length=64, help_text=_("Of exactly what was asked; a decision is bound to it."))
    settings_digest = models.CharField(max_length=64, help_text=_("Of the role settings when it was asked."))
    settings_max = models.DurationField(_("maximum duration when asked"), null=True, blank=True)
    second_factor = models.CharField(
        _("second factor when asked"), max_length=10, choices=SecondFactor.choices, default=SecondFactor.NONE
    )

    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.PENDING)
    stage_number = models.PositiveSmallIntegerField(default=1, help_text=_("The stage that waits."))
    status_reason = models.CharField(max_length=300, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    lapses_at = models.DateTimeField(_("lapses"))
    outcome = models.OneToOneField(
        "roles.Assignment",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="granted_by_request",
        help_text=_("The assignment that was made; what is prolonged or extended stays the same one."),
    )

    objects = RequestQuerySet.as_manager()

    class Meta:
        verbose_name = _("request")
        verbose_name_plural = _("requests")
        ordering = ["-made_at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["principal", "assignment", "resource", "action"],
                condition=Q(status="pending"),
                name="one_pending_request_about_an_assignment",
            ),
            models.UniqueConstraint(
                fields=["principal", "role", "resource"],
                condition=Q(status="pending", action="change_settings"),
                name="one_pending_change_of_settings_per_author",
            ),
            # What belongs to which action.
            models.CheckConstraint(
                condition=Q(action="change_settings", proposal__isnull=False)
                | (~Q(action="change_settings") & Q(proposal__isnull=True)),
                name="a_change_of_settings_says_what_is_proposed",
            ),
            models.CheckConstraint(
                condition=Q(action="change_settings", assignment=None)
                | (~Q(action="change_settings") & Q(assignment__isnull=False)),
                name="a_request_but_for_settings_is_about_an_assignment",
            ),
            models.CheckConstraint(
                condition=Q(action__in=TIMED, wanted_duration__isnull=False, settings_max__isnull=False)
                | (~Q(action__in=TIMED) & Q(wanted_duration=None, settings_max=None, ticket="")),
                name="to_activate_or_prolong_asks_for_a_time",
            ),
            models.CheckConstraint(
                condition=(Q(action__in=RENEWALS) & ~Q(wanted_type=""))
                | (~Q(action__in=RENEWALS) & Q(wanted_type="", wanted_end=None)),
                name="to_extend_or_renew_asks_for_an_end",
            ),
            models.CheckConstraint(
                condition=Q(action="activate") | Q(wanted_start=None), name="only_an_activation_asks_for_a_start"
            ),
            models.CheckConstraint(
                condition=Q(break_glass=False)
                | (Q(action="activate", status="granted", wanted_start=None) & ~Q(reason="")),
                name="an_emergency_is_active_at_once_and_says_why",
            ),
            models.CheckConstraint(
                condition=(Q(status="granted", action__in=("activate", "renew")) & Q(outcome__isnull=False))
                | (~Q(status="granted", action__in=("activate", "renew")) & Q(outcome=None))
                | Q(status="granted", action="extend"),
                name="what_is_granted_anew_has_its_outcome",
            ),
            models.CheckConstraint(
                condition=Q(status="pending", decided_at=None) | (~Q(status="pending") & Q(decided_at__isnull=False)),
                name="a_request_that_ended_says_when",
            ),
        ]
        indexes = [
            models.Index(fields=["lapses_at"], condition=Q(status="pending"), name="request_due"),
            models.Index(fields=["principal", "-made_at"], name="request_by_principal"),
            models.Index(fields=["role", "resource", "-made_at"], name="request_by_role"),
            models.Index(fields=["-made_at"], name="request_newest_first"),
            models.Index(fields=["-made_at", "id"], condition=Q(status="pending"), name="request_pending_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.get_action_display()} {self.role_id} ({self.get_status_display()})"

    @property
    def about(self) -> Assignment:
        """What it is about; raises LookupError for a change of settings, which is about no assignment."""
        if self.assignment is None:
            raise LookupError("This request is not about an assignment.")
        return self.assignment

    @property
    def behind(self) -> Assignment:
        """The assignment at whose resource the settings rule this request: an activation obeys its eligibility's."""
        return self.about.activated_from or self.about

    @property
    def time(self) -> timedelta:
        """For how long it was asked; raises LookupError where no time was."""
        if self.wanted_duration is None:
            raise LookupError("This request does not ask for a time.")
        return self.wanted_duration

    @property
    def escalates_at(self) -> datetime:
        """When half of its window is over, to the microsecond: from then on its escalation may decide, too."""
        window = self.lapses_at - self.made_at
        return self.made_at + (window - window // 2)

    @property
    def is_renewal(self) -> bool:
        """Whether it asks to extend or to renew."""
        return self.action in RENEWALS

    @property
    def result(self) -> Assignment | None:
        """The assignment as it was granted: a new one, or the one that now lasts longer; None while it is not."""
        return (self.outcome or self.assignment) if self.status == Status.GRANTED else None


_WAITING = Prepared(
    lambda pks, now: Request.objects.filter(pk__in=pks).waiting(now).order_by().values_list("pk", flat=True)
)


def which_wait(pks: Iterable[uuid.UUID], now: datetime) -> list[uuid.UUID]:
    """Return which of these requests wait; see `RequestQuerySet.waiting`."""
    known = list(pks)
    return _WAITING.ask(known, now) if known else []
