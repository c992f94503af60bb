"""Bringing in people: without a password, which they choose by an invitation."""

from __future__ import annotations

from collections.abc import Iterator

from pim_portal.accounts.services.tickets import invite_again
from pim_portal.imports import sheets
from pim_portal.imports.reading import Line
from pim_portal.imports.services.bringing import Bringing, Sheet, ThereError, person_named
from roles.models import User
from roles.models.principals import search_key
from roles.services.principals import add_person


def lock(lines: Iterator[Line], by: Bringing) -> None:
    """Nothing: whoever is added is locked by nobody else, and a name that another takes meanwhile is refused."""


def bring(line: Line, by: Bringing) -> str:
    """Add somebody, and invite them where that is asked for. Raises `Refused`, and `ThereError`."""
    if User.objects.filter(username_key=search_key(line[sheets.USERNAME])).exists():
        raise ThereError
    user = add_person(
        username=line[sheets.USERNAME],
        name=line[sheets.NAME],
        email=line[sheets.EMAIL],
        job_title=line[sheets.JOB],
        department=line[sheets.DEPARTMENT],
        manager=person_named(line[sheets.MANAGER]) if line[sheets.MANAGER] else None,
        actor=by.actor,
        clock=by.clock,
    )
    if by.invite:
        invite_again(user.pk, actor=by.actor, clock=by.clock)
    return ""


SHEET = Sheet((sheets.USERNAME, sheets.NAME), (sheets.NAME, sheets.USERNAME), lock, bring)
