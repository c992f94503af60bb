"""The append-only history.

An event holds no personal text, only salted commitments to it: the text stands beside it in `EventText`, from where
one service can erase it while the sealed rest still verifies. There is no foreign key out of this app: history
outlives its subjects.
"""

from __future__ import annotations

import uuid
from typing import TypeVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from audit.kinds import Outcome, Realm, kinds, label_of

FORMAT_VERSION = 1
Known = TypeVar("Known")


class EventQuerySet(models.QuerySet["Event"]):
    """Ways to narrow the history."""

    def concerning(self, principal_id: uuid.UUID) -> EventQuerySet:
        """Return what this principal did, and what was done to them."""
        return self.filter(models.Q(actor_id=principal_id) | models.Q(target_id=principal_id))

    def oldest_first(self) -> EventQuerySet:
        """Order by time, the earliest first, with a unique key last."""
        return self.order_by("occurred_at", "id")

    def newest_first(self) -> EventQuerySet:
        """Order by time, the latest first, with a unique key last."""
        return self.order_by("-occurred_at", "-id")


class Event(models.Model):
    """One thing that happened, or was refused."""

    # What the service has in hand of what it is about, just written; whoever tells of it need not read it again.
    at_hand: tuple[object, ...] = ()

    id = models.BigAutoField(primary_key=True)
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    occurred_at = models.DateTimeField(_("when"))
    recorded_at = models.DateTimeField(_("recorded at"))
    kind = models.CharField(_("what"), max_length=60, choices=kinds)
    outcome = models.CharField(_("outcome"), max_length=10, choices=Outcome.choices)
    realm = models.CharField(_("world"), max_length=10, choices=Realm.choices)

    actor_id = models.UUIDField(_("who"), null=True, help_text=_("Empty when the portal itself acted."))
    target_id = models.UUIDField(_("target"), null=True)
    role_id = models.UUIDField(_("role"), null=True)
    resource_id = models.UUIDField(_("resource"), null=True)
    request_id = models.UUIDField(_("request"), null=True)
    assignment_id = models.UUIDField(_("assignment"), null=True)
    authority_id = models.UUIDField(_("by the authority of"), null=True)

    details = models.JSONField(_("details"), default=dict)
    commitments = models.JSONField(_("commitments"), default=dict)
    format_version = models.PositiveSmallIntegerField(default=FORMAT_VERSION)

    objects = EventQuerySet.as_manager()

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("audit history")
        ordering = ["-occurred_at", "-id"]
        indexes = [
            models.Index(fields=["-occurred_at", "-id"], name="event_newest_first"),
            models.Index(fields=["actor_id", "-occurred_at"], name="event_by_actor"),
            models.Index(fields=["target_id", "-occurred_at"], name="event_by_target"),
            models.Index(fields=["role_id", "-occurred_at"], name="event_by_role"),
            models.Index(fields=["resource_id", "-occurred_at"], name="event_by_resource"),
            models.Index(fields=["kind", "-occurred_at", "-id"], name="event_by_kind"),
            models.Index(fields=["realm", "-occurred_at", "-id"], name="event_by_realm"),
            models.Index(
                fields=["outcome", "-occurred_at", "-id"],
                condition=~models.Q(outcome=Outcome.DONE),
                name="event_that_went_wrong",
            ),
            models.Index(fields=["request_id"], name="event_by_request"),
            models.Index(fields=["authority_id"], name="event_by_authority"),
            models.Index(fields=["assignment_id"], name="event_by_assignment"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} ({self.occurred_at:%Y-%m-%d %H:%M})"

    def about(self, kind: type[Known]) -> Known | None:
        """Return what is at hand of this kind, or None: then it has to be read."""
        return next((one for one in self.at_hand if isinstance(one, kind)), None)

    def get_kind_display(self) -> str:  # type: ignore[no-redef]
        return label_of(self.kind)


class EventText(models.Model):
    """The personal text of an event: the names of that moment, reason, ticket, address, and a salt for each.

    `fields` maps a name to its text, `salts` the same name to a random salt in hex. Erasing empties both.
    """

    event = models.OneToOneField(Event, on_delete=models.PROTECT, primary_key=True, related_name="text")
    fields = models.JSONField(default=dict)
    salts = models.JSONField(default=dict)
    search = models.TextField(default="", blank=True, help_text=_("All fields, case-folded, to search in."))
    erased_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("text of an event")
        verbose_name_plural = _("texts of events")

    def __str__(self) -> str:
        return str(self.event_id)


class Pending(models.Model):
    """An event that is not sealed yet; written with it, removed when it becomes a leaf."""

    event = models.OneToOneField(Event, on_delete=models.PROTECT, primary_key=True, related_name="pending")

    class Meta:
        verbose_name = _("event to be sealed")
        verbose_name_plural = _("events to be sealed")

    def __str__(self) -> str:
        return str(self.event_id)
