"""Resources: the nodes of the scope forest.

Roots are the one directory, each resource root, and a node of its own for each group. The tree is a materialized path
(treebeard): what lies at or below a node has its path as a prefix. Tree columns are written by `services.resources`
only; saving a stale node never moves it.
"""

from __future__ import annotations

import uuid
from functools import cached_property
from typing import Any

from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _
from treebeard.mp_tree import MP_Node

from audit.kinds import Realm

TREE_COLUMNS = frozenset({"path", "depth", "numchild"})


class ResourceKind(models.TextChoices):
    DIRECTORY = "directory", _("Directory")
    ADMINISTRATIVE_UNIT = "administrative_unit", _("Administrative unit")
    ROOT = "root", _("Resource root")
    MANAGEMENT_GROUP = "management_group", _("Management group")
    SUBSCRIPTION = "subscription", _("Subscription")
    RESOURCE_GROUP = "resource_group", _("Resource group")
    RESOURCE = "resource", _("Resource")
    GROUP = "group", _("Group")

    @property
    def realm(self) -> Realm:
        """The world that a node of this kind belongs to."""
        if self in (ResourceKind.DIRECTORY, ResourceKind.ADMINISTRATIVE_UNIT):
            return Realm.DIRECTORY
        return Realm.GROUP if self is ResourceKind.GROUP else Realm.RESOURCE


# Which kinds may stand below which.
CHILDREN: dict[ResourceKind, frozenset[ResourceKind]] = {
    ResourceKind.DIRECTORY: frozenset({ResourceKind.ADMINISTRATIVE_UNIT}),
    ResourceKind.ADMINISTRATIVE_UNIT: frozenset(),
    ResourceKind.ROOT: frozenset({ResourceKind.MANAGEMENT_GROUP, ResourceKind.SUBSCRIPTION}),
    ResourceKind.MANAGEMENT_GROUP: frozenset({ResourceKind.MANAGEMENT_GROUP, ResourceKind.SUBSCRIPTION}),
    ResourceKind.SUBSCRIPTION: frozenset({ResourceKind.RESOURCE_GROUP}),
    ResourceKind.RESOURCE_GROUP: frozenset({ResourceKind.RESOURCE}),
    ResourceKind.RESOURCE: frozenset(),
    ResourceKind.GROUP: frozenset(),
}


class Resource(MP_Node):
    """A node of the scope forest."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(_("kind"), max_length=20, choices=ResourceKind.choices)
    type = models.CharField(
        _("type"), max_length=120, blank=True, help_text=_("For example Microsoft.KeyVault/vaults.")
    )
    name = models.CharField(_("name"), max_length=200)
    name_key = models.CharField(max_length=400, editable=False, db_index=True)
    scope_path = models.CharField(_("scope"), max_length=1000)
    retired_at = models.DateTimeField(_("retired"), null=True, blank=True)

    class Meta:
        verbose_name = _("resource")
        verbose_name_plural = _("resources")
        ordering = ["path"]
        constraints = [
            # Scope paths in the style of ARM do not tell case apart.
            models.UniqueConstraint(Lower("scope_path"), name="one_resource_per_scope_path"),
        ]
        indexes = [
            models.Index(fields=["path"], condition=models.Q(retired_at__isnull=False), name="resource_retired"),
            models.Index(fields=["kind"], name="resource_of_kind"),
            models.Index(fields=["depth", "path"], name="resource_level_by_level"),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        from roles.models.principals import search_key

        self.name_key = search_key(self.name)[:400]
        if not self._state.adding:
            columns = kwargs.get("update_fields") or [field.name for field in self._meta.concrete_fields]
            kwargs["update_fields"] = [name for name in columns if name not in TREE_COLUMNS and name != "id"]
        super().save(*args, **kwargs)

    @property
    def realm(self) -> Realm:
        """The world that this node belongs to."""
        return ResourceKind(self.kind).realm

    @property
    def way(self) -> list[str]:
        """The tree paths from the root to this node, itself included."""
        return way_of(self.path)

    @cached_property
    def way_ids(self) -> list[uuid.UUID]:
        """The keys of these nodes, as they were when first asked for: for pages, which ask of one moment."""
        if len(self.way) == 1:
            return [self.pk]
        rows = Resource.objects.filter(path__in=self.way).order_by("path")
        return list(rows.values_list("pk", flat=True))

    def contains(self, other: Resource) -> bool:
        """Return whether `other` is this node or lies below it."""
        return bool(other.path.startswith(self.path))


def way_of(path: str) -> list[str]:
    """Return the tree paths from the root to this one, itself included."""
    step = Resource.steplen
    return [path[:length] for length in range(step, len(path) + 1, step)]
