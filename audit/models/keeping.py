"""How long events are kept, and what is left here of those that went into an archive.

An archive is a pair of files: the events with their seals, and beside them their personal text, which can be erased.
Its row and the tombstones of its events are written in the transaction of the event that tells of it.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from audit.groups import LEAST_KEPT, Group
from audit.kinds import Realm, kinds, label_of


class Retention(models.Model):
    """For how many days the events of a group stay in the database; none: for ever, as without a row."""

    group = models.CharField(_("kinds"), max_length=20, choices=Group.choices, primary_key=True)
    days = models.PositiveIntegerField(_("days"), null=True)

    class Meta:
        verbose_name = _("retention")
        verbose_name_plural = _("retention")
        ordering = ["group"]
        constraints = [
            models.CheckConstraint(
                condition=Q(days=None) | Q(days__gte=LEAST_KEPT.days), name="events_are_kept_for_90_days"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_group_display()}: {self.days}"


class Archive(models.Model):
    """Events of one world that left the database, in leaf order, in the files `name`.jsonl and `name`.texts.jsonl.

    `sha256` is that of the first file; `digest` is `audit.proofs.digest_of_leaves` over what is in it; `event` the uuid
    of the sealed event that repeats this. Archives are numbered from 1.
    """

    number = models.PositiveIntegerField(_("number"), primary_key=True)
    name = models.CharField(_("file"), max_length=120, unique=True)
    sha256 = models.CharField(_("SHA-256"), max_length=64)
    digest = models.CharField(_("digest of the leaves"), max_length=64)
    realm = models.CharField(_("world"), max_length=10, choices=Realm.choices)
    kinds = models.JSONField(_("kinds"), default=list)
    leaves = models.PositiveIntegerField(_("events"))
    first = models.BigIntegerField(_("first leaf"))
    last = models.BigIntegerField(_("last leaf"))
    oldest = models.DateTimeField(_("oldest event"))
    newest = models.DateTimeField(_("newest event"))
    made_at = models.DateTimeField(_("made"))
    event = models.UUIDField(_("event"), unique=True)

    class Meta:
        verbose_name = _("archive")
        verbose_name_plural = _("archives")
        ordering = ["-number"]
        constraints = [
            models.CheckConstraint(condition=Q(leaves__gte=1, last__gte=models.F("first")), name="no_archive_is_empty"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def told(self) -> dict[str, object]:
        """What the event that tells of this archive says of it."""
        return {
            "archive": self.number,
            "file": f"{self.name}.jsonl",
            "sha256": self.sha256,
            "world": self.realm,
            "leaves_digest": self.digest,
            "count": self.leaves,
            "first_leaf": self.first,
            "last_leaf": self.last,
        }


class Archived(models.Model):
    """The tombstone of an event: its place, its hash, whom it concerned and which archive it is in; never its text.

    `event` is the number that it had. The ids say who may know that it was there, and in which stories it is missing.
    """

    leaf = models.BigIntegerField(_("leaf"), primary_key=True)
    event = models.BigIntegerField(unique=True)
    uuid = models.UUIDField(_("event"), unique=True)
    hash = models.CharField(_("hash"), max_length=64)
    archive = models.ForeignKey(Archive, models.PROTECT, related_name="tombstones", verbose_name=_("archive"))
    occurred_at = models.DateTimeField(_("when"))
    kind = models.CharField(_("what"), max_length=60, choices=kinds)
    realm = models.CharField(_("world"), max_length=10, choices=Realm.choices)
    resource_id = models.UUIDField(null=True)
    actor_id = models.UUIDField(null=True)
    target_id = models.UUIDField(null=True)
    request_id = models.UUIDField(null=True)
    assignment_id = models.UUIDField(null=True)
    authority_id = models.UUIDField(null=True)

    class Meta:
        verbose_name = _("archived event")
        verbose_name_plural = _("archived events")
        ordering = ["-leaf"]
        indexes = [
            models.Index(fields=["actor_id"], name="archived_by_actor"),
            models.Index(fields=["target_id"], name="archived_by_target"),
            models.Index(fields=["request_id"], name="archived_by_request"),
            models.Index(fields=["assignment_id"], name="archived_by_assignment"),
            models.Index(fields=["authority_id"], name="archived_by_authority"),
        ]

    def __str__(self) -> str:
        return str(self.leaf)

    def get_kind_display(self) -> str:  # type: ignore[no-redef]
        return label_of(self.kind)
