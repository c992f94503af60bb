"""Resources and the way over to them, in words."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_lazy

from audit.kinds import Kind
from audit.wordings.wording import (
    Wording,
)

WORDINGS: Final[dict[Kind, Wording]] = {
    Kind.RESOURCE_ADDED: Wording(
        gettext_lazy("{actor} added the resource {resource}."),
        gettext_lazy("{actor} tried to add the resource {resource}"),
    ),
    Kind.RESOURCE_RENAMED: Wording(
        gettext_lazy("{actor} renamed the resource {resource}."),
        gettext_lazy("{actor} tried to rename the resource {resource}"),
    ),
    Kind.RESOURCE_MOVED: Wording(
        gettext_lazy("{actor} moved the resource {resource}."),
        gettext_lazy("{actor} tried to move the resource {resource}"),
    ),
    Kind.RESOURCE_RETIRED: Wording(
        gettext_lazy("{actor} retired the resource {resource}."),
        gettext_lazy("{actor} tried to retire the resource {resource}"),
    ),
    Kind.RESOURCE_RESTORED: Wording(
        gettext_lazy("{actor} restored the resource {resource}."),
        gettext_lazy("{actor} tried to restore the resource {resource}"),
    ),
    Kind.ACCESS_ELEVATED: Wording(
        gettext_lazy("{actor} elevated their access: {role} at {resource}."),
        gettext_lazy("{actor} tried to elevate their access at {resource}"),
    ),
}
