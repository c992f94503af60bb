"""Every kind of alert, in the order in which lists show them.

Not among them, and why: a missing licence, since this portal needs none.
"""

from __future__ import annotations

from typing import Final

from pim_portal.alerts.definitions.administrators import TooManyAdministrators
from pim_portal.alerts.definitions.approval import NobodyApproves, OneApprover
from pim_portal.alerts.definitions.base import AlertKind
from pim_portal.alerts.definitions.duplicates import DuplicateRole
from pim_portal.alerts.definitions.emergencies import UnreviewedEmergency
from pim_portal.alerts.definitions.frequent import TooFrequent
from pim_portal.alerts.definitions.incompatible import Incompatible
from pim_portal.alerts.definitions.outside import Outside
from pim_portal.alerts.definitions.owners import TooManyOwners, TooManyPermanentOwners
from pim_portal.alerts.definitions.portal import MailLate, NotAnchored, NotSealed, WorkerLate
from pim_portal.alerts.definitions.second_factor import NoSecondFactor
from pim_portal.alerts.definitions.silent import SilentApprovers
from pim_portal.alerts.definitions.stale import Stale
from pim_portal.alerts.definitions.unused import Unused
from pim_portal.alerts.definitions.weakened import Weakened
from pim_portal.alerts.definitions.web_hooks import HookFails
from roles.models import Resource

KINDS: Final[tuple[AlertKind, ...]] = (
    Outside(),
    UnreviewedEmergency(),
    Incompatible(),
    NobodyApproves(),
    WorkerLate(),
    MailLate(),
    NotSealed(),
    NotAnchored(),
    HookFails(),
    Weakened(),
    Stale(),
    TooManyOwners(),
    TooManyPermanentOwners(),
    OneApprover(),
    DuplicateRole(),
    TooManyAdministrators(),
    NoSecondFactor(),
    Unused(),
    TooFrequent(),
    SilentApprovers(),
)
BY_KEY: Final = {kind.key: kind for kind in KINDS}


def kinds_at(place: Resource) -> list[AlertKind]:
    """Return the kinds of alert that a place shows."""
    return [kind for kind in KINDS if kind.stands_at(place)]
