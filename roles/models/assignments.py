"""Assignments: a principal holds a role at a resource, from `starts_at` to `ends_at`.

`in_effect(now)` is the only definition of *held*. Authority is derived from time: no flag, cache or worker has to run
for access to end.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import datetime

from django.db import models
from django.db.models import F, OuterRef, Q
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from roles.models import held
from roles.models.principals import Principal


class AssignmentType(models.TextChoices):
    ELIGIBLE = "eligible", _("Eligible")
    ACTIVE = "active", _("Active")


class EndReason(models.TextChoices):
    """Why an assignment ended."""

    EXPIRED = "expired", _("Its time was over")
    DEACTIVATED = "deactivated", _("Deactivated by its holder")
    REMOVED = "removed", _("Removed by an administrator")
    EMERGENCY_OVER = "emergency_over", _("Ended by whoever reviewed the emergency")
    ELIGIBILITY_ENDED = "eligibility_ended", _("The eligibility behind it ended")
    ROLE_ENDED = "role_ended", _("The Global Administrator behind it ended")
    PERSON_DISABLED = "person_disabled", _("Its holder was disabled")
    GROUP_DISABLED = "group_disabled", _("The group that held it was disabled")
    RETIRED = "retired", _("The role or resource was retired")
    MOVED = "moved", _("The resource was moved to where it does not reach")
    TYPE_CHANGED = "type_changed", _("Replaced by one of the other type")


class AssignmentQuerySet(models.QuerySet["Assignment"]):
    """The one definition of held, and ways to narrow it."""

    def in_effect(self, now: datetime) -> AssignmentQuerySet:
        """Return what is in effect at `now`, eligible and active alike (DESIGN.md §4)."""
        return self.filter(held.in_effect(now))

    def in_effect_of(self, keys: Collection[uuid.UUID] | RawSQL, now: datetime) -> AssignmentQuerySet:
        """Return which of these assignments, named by their keys, are in effect at `now`."""
        return self.filter(held.in_effect_of_keys(now), pk__in=keys)

    def now_or_later(self, now: datetime, *, as_enabled: Collection[uuid.UUID] = ()) -> AssignmentQuerySet:
        """Return what is in effect at `now`, or will be when its start comes, unless something happens before.

        `as_enabled` are principals that count as enabled.
        """
        enabled = Q(principal__enabled=True) | Q(principal__in=as_enabled)
        return self.lasting(now).filter(enabled).filter(held.nothing_lost(now))

    def memberships(self, now: datetime) -> AssignmentQuerySet:
        """Return the memberships of groups that are in effect at `now`."""
        return self.filter(held.membership_in_effect(now))

    def of(self, user_id: uuid.UUID, now: datetime) -> AssignmentQuerySet:
        """Return what is given to this person, directly or to a group they are a member of at `now`."""
        groups = Assignment.objects.memberships(now).filter(principal=user_id).order_by().values("resource__group")
        oneself = Principal.objects.filter(pk=user_id).order_by().values("pk")
        # One set to look up by index: with OR between the two, PostgreSQL reads every open assignment there is.
        return self.filter(held.Among("principal", oneself.union(groups)))

    def given_to(self, outer: str, now: datetime, *, since: str) -> AssignmentQuerySet:
        """In a subquery: return what is given to the person in the outer query's column `outer`; see `of`.

        Through a group only by a membership that had begun at the time in its column `since`.
        """
        return self.filter(held.given_to(OuterRef(outer), OuterRef(since), now))

    def held_by(self, user_id: uuid.UUID, now: datetime) -> AssignmentQuerySet:
        """Return the active assignments in effect for this person, directly or through a group."""
        return self.in_effect(now).active().of(user_id, now)

    def eligible_for(self, user_id: uuid.UUID, now: datetime) -> AssignmentQuerySet:
        """Return the eligibilities in effect that this person may activate from."""
        return self.in_effect(now).eligible().of(user_id, now)

    def active(self) -> AssignmentQuerySet:
        return self.filter(type=AssignmentType.ACTIVE)

    def eligible(self) -> AssignmentQuerySet:
        return self.filter(type=AssignmentType.ELIGIBLE)

    def open(self) -> AssignmentQuerySet:
        """Return what nobody has written an end to; it may still be over by the clock."""
        return self.filter(ended_at=None)

    def lasting(self, now: datetime) -> AssignmentQuerySet:
        """Return what is open and not over by the clock: in effect, planned or suspended."""
        return self.open().filter(Q(ends_at=None) | Q(ends_at__gt=now))

    def elevations_of(self, user_id: uuid.UUID, now: datetime) -> AssignmentQuerySet:
        """Return what this person took by elevating their access, where it lasts at `now`."""
        return self.in_effect(now).filter(principal=user_id, elevated_from__isnull=False)

    def begun(self, now: datetime) -> AssignmentQuerySet:
        """Return what has begun by `now`, over or not; what was called off before its start never did."""
        return self.filter(starts_at__lte=now).exclude(ended_at__lte=F("starts_at"))

    def overdue(self, now: datetime) -> AssignmentQuerySet:
        """Return what is over by the clock and not written down yet."""
        return self.open().filter(ends_at__lte=now)

    def orphaned(self, now: datetime) -> AssignmentQuerySet:
        """Return the activations and elevations that lost what they came from, and that nobody has written an end to.

        None that was made after `now`: where the clock went back, what began since is not lost.
        """
        derived = Q(activated_from__isnull=False) | Q(elevated_from__isnull=False)
        made = self.open().filter(derived, principal__enabled=True, created_at__lte=now)
        return made.exclude(held.nothing_lost(now))


class Assignment(models.Model):
    """A principal holds a role at a resource for a time."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    principal = models.ForeignKey("roles.Principal", models.PROTECT, related_name="assignments")
    role = models.ForeignKey("roles.Role", models.PROTECT, related_name="assignments")
    resource = models.ForeignKey("roles.Resource", models.PROTECT, related_name="assignments")
    type = models.CharField(_("type"), max_length=10, choices=AssignmentType.choices)
    starts_at = models.DateTimeField(_("start"))
    ends_at = models.DateTimeField(_("end"), null=True, blank=True, help_text=_("Empty when permanent."))
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True, editable=False)
    end_reason = models.CharField(
        _("why it ended"), max_length=20, choices=EndReason.choices, blank=True, editable=False
    )
    activated_from = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="activations")
    renewed_from = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="renewals")
    elevated_from = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="elevations")
    break_glass = models.BooleanField(
        _("emergency"), default=False, editable=False, help_text=_("Activated without waiting for approval.")
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = AssignmentQuerySet.as_manager()

    class Meta:
        verbose_name = _("assignment")
        verbose_name_plural = _("assignments")
        ordering = ["-starts_at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")) | Q(ends_at=None), name="assignment_ends_after_it_starts"
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None, end_reason="") | (Q(ended_at__isnull=False) & ~Q(end_reason="")),
                name="an_ended_assignment_says_why",
            ),
            models.CheckConstraint(
                condition=Q(activated_from=None) | Q(type="active", ends_at__isnull=False),
                name="an_activation_is_active_and_has_an_end",
            ),
            models.CheckConstraint(
                condition=Q(elevated_from=None) | Q(type="active", ends_at__isnull=False, activated_from=None),
                name="an_elevation_is_active_and_has_an_end",
            ),
            models.CheckConstraint(
                condition=Q(break_glass=False) | Q(activated_from__isnull=False),
                name="only_an_activation_is_made_in_an_emergency",
            ),
            models.UniqueConstraint(
                fields=["principal", "role", "resource", "type"],
                condition=Q(ended_at=None, activated_from=None),
                name="one_open_assignment_of_a_kind",
            ),
            models.UniqueConstraint(
                fields=["principal", "resource", "activated_from"],
                condition=Q(ended_at=None, activated_from__isnull=False),
                name="one_open_activation_of_an_eligibility",
            ),
        ]
        indexes = [
            models.Index(fields=["principal", "type"], condition=Q(ended_at=None), name="assignment_open_of_principal"),
            models.Index(
                fields=["role", "resource", "type"], condition=Q(ended_at=None), name="assignment_open_of_role"
            ),
            models.Index(fields=["resource"], condition=Q(ended_at=None), name="assignment_open_at_resource"),
            models.Index(fields=["ends_at"], condition=Q(ended_at=None), name="assignment_due"),
            models.Index(fields=["activated_from"], name="assignment_activated_from"),
            models.Index(
                fields=["resource", "type", "-starts_at", "id"],
                condition=Q(ended_at=None),
                name="assignment_newest_at_resource",
            ),
            models.Index(fields=["-starts_at", "id"], condition=Q(ended_at=None), name="assignment_newest"),
            models.Index(
                fields=["-starts_at", "id"],
                condition=Q(ended_at=None, ends_at=None, type=AssignmentType.ACTIVE),
                name="assignment_newest_standing",
            ),
            models.Index(
                fields=["-starts_at", "id"],
                condition=Q(activated_from__isnull=False),
                name="assignment_newest_activated",
            ),
            models.Index("resource", Coalesce("ended_at", "ends_at").desc(), "id", name="assignment_over_at_resource"),
        ]

    def __str__(self) -> str:
        return f"{self.get_type_display()} {self.role_id} @ {self.resource_id}"

    @property
    def over_at(self) -> datetime | None:
        """When it was over: by a written end or by the clock, whichever came first; None when it has no end."""
        ends = [end for end in (self.ended_at, self.ends_at) if end is not None]
        return min(ends) if ends else None
