"""Separation of duties, in words."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_lazy

from audit.kinds import Kind
from audit.wordings.wording import Wording

WORDINGS: Final[dict[Kind, Wording]] = {
    Kind.DUTY_RULE_ADDED: Wording(
        gettext_lazy("{actor} made the rule “{rule}” of separation of duties at {resource}."),
        gettext_lazy("{actor} tried to make the rule “{rule}” of separation of duties at {resource}"),
    ),
    Kind.DUTY_RULE_CHANGED: Wording(
        gettext_lazy("{actor} changed the rule “{rule}” of separation of duties at {resource}."),
        gettext_lazy("{actor} tried to change the rule “{rule}” of separation of duties at {resource}"),
    ),
    Kind.DUTY_RULE_RETIRED: Wording(
        gettext_lazy("{actor} retired the rule “{rule}” of separation of duties at {resource}."),
        gettext_lazy("{actor} tried to retire the rule “{rule}” of separation of duties at {resource}"),
    ),
}
