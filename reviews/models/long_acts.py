"""An act over all rows of an instance, or all its reviewers, that is too long for one transaction: how far it has come.

It is asked for once, in the transaction that checks the right to it, and carried out chunk by chunk by whichever worker
comes; each chunk is a transaction with an event of its own.
"""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from reviews.models.instances import Instance
from reviews.models.verdicts import Opinion


class Doing(models.TextChoices):
    """What is done chunk by chunk; the last three are the portal's own."""

    SAY = "say", _("Saying the same of all")
    ACCEPT = "accept", _("Accepting the recommendations")
    RESET = "reset", _("Taking back what was said")
    REMIND = "remind", _("Reminding the reviewers")
    ASK = "ask", _("Asking the reviewers")
    ANSWER = "answer", _("What follows where nobody answered")


SAYING = (Doing.SAY, Doing.ACCEPT)
TELLING = (Doing.ASK, Doing.REMIND)


class LongActQuerySet(models.QuerySet["LongAct"]):
    """Ways to narrow long acts."""

    def going_on(self) -> LongActQuerySet:
        """Return what has not come to its end; deleting the review ends it."""
        return self.filter(finished_at=None, instance__review__deleted_at=None)


class LongAct(models.Model):
    """One act, what it says, and how far it has come: `done` of `total`, in the order of ids up to `cursor`."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    instance = models.ForeignKey(Instance, models.PROTECT, related_name="+")
    doing = models.CharField(max_length=10, choices=Doing.choices)
    stage = models.PositiveSmallIntegerField(default=0)
    actor = models.ForeignKey("roles.User", models.PROTECT, null=True, related_name="+")
    actor_name = models.CharField(max_length=200)
    authority = models.ForeignKey("roles.Assignment", models.PROTECT, null=True, related_name="+")
    verdict = models.CharField(max_length=15, choices=Opinion.choices, blank=True)
    reason = models.TextField(blank=True)
    asked_at = models.DateTimeField()

    total = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    cursor = models.UUIDField(null=True)
    finished_at = models.DateTimeField(null=True)

    objects = LongActQuerySet.as_manager()

    class Meta:
        verbose_name = _("long act of a review")
        verbose_name_plural = _("long acts of reviews")
        ordering = ["asked_at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["instance", "doing", "stage", "actor"],
                condition=Q(finished_at=None),
                name="one_long_act_of_a_kind_by_one_at_once",
            )
        ]
        indexes = [models.Index(fields=["asked_at"], condition=Q(finished_at=None), name="long_act_going_on")]

    def __str__(self) -> str:
        return f"{self.get_doing_display()} ({self.done}/{self.total})"
