"""What the page of a decision showed: a decision is bound to it, and is refused when any of it changed meanwhile."""

from __future__ import annotations

import hashlib
import json

from approvals.models import TIMED, Action, Request
from approvals.selectors.settings_changes import ruling_now
from roles.selectors.moves import MovePreview
from roles.selectors.settings import EffectiveSettings, settings_behind


def shown_digest(
    request: Request, settings: EffectiveSettings | None = None, *, preview: MovePreview | None = None
) -> str:
    """Return the digest of what whoever decides is shown (hex SHA-256): what is asked, where it stands, its settings.

    `settings` are those that rule it now, if they were read already; `preview` is what a proposed move of a place would
    change now (`preview_of_proposed_move`).
    """
    if request.action == Action.CHANGE_SETTINGS:
        change: list[object] = [request.digest, [one.seen for one in ruling_now(request)]]
        return _digest([*change, preview.digest] if preview else change)
    settings = settings or settings_behind(request.behind)
    moving = request.about.ends_at if request.action in (Action.PROLONG, Action.EXTEND) else None
    form: list[object] = [
        request.digest,
        request.stage_number,
        moving.isoformat() if moving else None,
        settings.digest if request.action in TIMED else _terms(settings),
    ]
    return _digest(form)


def _digest(form: list[object]) -> str:
    return hashlib.sha256(json.dumps(form).encode()).hexdigest()


def _terms(settings: EffectiveSettings) -> list[object]:
    """Return what the settings ask of an assignment that is extended or renewed."""
    return [
        settings.permanent_eligible_allowed,
        settings.expire_eligible_after.total_seconds(),
        settings.permanent_active_allowed,
        settings.expire_active_after.total_seconds(),
        settings.second_factor_on_assign,
        settings.reason_on_assign,
    ]
