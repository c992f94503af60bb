"""The seals of the history: leaves in one dense order, gathered in signed batches, each linked to the one before.

No constraint of the database ties a leaf to its event: that an event is gone is for the verification to tell, and
sealing takes no lock on an event.
"""

from __future__ import annotations

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from audit.models.events import Event


class Batch(models.Model):
    """Some events sealed together: their Merkle root, the link to the batch before, and a signature over both.

    Batches are numbered from 1. Hashes, key and signature are in hex; what is signed is `audit.proofs.statement`.
    """

    number = models.BigIntegerField(_("number"), primary_key=True)
    first = models.BigIntegerField(_("first leaf"))
    size = models.PositiveIntegerField(_("leaves"))
    root = models.CharField(_("root"), max_length=64)
    previous = models.CharField(_("link to the batch before"), max_length=64)
    sealed_at = models.DateTimeField(_("sealed"))
    key = models.CharField(_("key"), max_length=32)
    signature = models.CharField(_("signature"), max_length=128)

    class Meta:
        verbose_name = _("sealed batch")
        verbose_name_plural = _("sealed batches")
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["first"], name="one_batch_begins_at_a_leaf"),
            models.CheckConstraint(condition=models.Q(number__gte=1, first__gte=1), name="batches_count_from_one"),
            models.CheckConstraint(condition=models.Q(size__gte=1), name="no_batch_is_empty"),
        ]

    def __str__(self) -> str:
        return str(self.number)


class Leaf(models.Model):
    """An event in its place in the sealed order. Leaves are numbered from 1, without a gap."""

    number = models.BigIntegerField(_("number"), primary_key=True)
    event = models.OneToOneField(Event, on_delete=models.PROTECT, db_constraint=False, related_name="leaf")
    hash = models.CharField(_("hash"), max_length=64)
    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, db_constraint=False, related_name="leaves")

    class Meta:
        verbose_name = _("sealed event")
        verbose_name_plural = _("sealed events")
        ordering = ["-number"]

    def __str__(self) -> str:
        return str(self.number)


class Anchoring(models.Model):
    """How far one anchor outside was told: the last tip that it took, and what went wrong since."""

    name = models.CharField(_("anchor"), primary_key=True, max_length=200)
    batch = models.BigIntegerField(_("batch"), default=0)
    anchored_at = models.DateTimeField(_("anchored"), null=True)
    error = models.CharField(_("error"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("anchor")
        verbose_name_plural = _("anchors")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Verification(models.Model):
    """A verification of the whole history, as far as it got: it goes on in chunks.

    `progress` is `audit.verifying.Progress`; `finding` the first wrong thing, none while or where all is well.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    started_at = models.DateTimeField(_("started"))
    started_by = models.UUIDField(_("started by"), null=True)
    moved_at = models.DateTimeField(_("last moved"))
    finished_at = models.DateTimeField(_("finished"), null=True)
    checked = models.BigIntegerField(_("events checked"), default=0)
    total = models.BigIntegerField(_("events to check"), default=0)
    progress = models.JSONField(default=dict)
    finding = models.JSONField(_("finding"), null=True)

    class Meta:
        verbose_name = _("verification")
        verbose_name_plural = _("verifications")
        ordering = ["-started_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                models.Value(1), condition=models.Q(finished_at=None), name="one_verification_at_a_time"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d %H:%M}"
