"""Bringing in people, groups and resources: each line by the services that do it by hand, all of them or none.

A dry run does the same and takes it all back, so that it says exactly what would happen.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import IO

from django.db import transaction
from django.utils.translation import gettext as _

from audit.kinds import Kind
from pim_portal.imports.outcomes import Fate, Outcome
from pim_portal.imports.reading import Line, lines_of
from pim_portal.imports.services import groups, people, resources
from pim_portal.imports.services.bringing import Bringing, Sheet, ThereError
from pim_portal.imports.services.history import record_imported
from pim_portal.models import FileKind
from roles.actors import Actor, Clock
from roles.models import Resource
from roles.refusals import Refused, Violation
from roles.service import service

MOST_TOLD = 100  # wrong lines that a refusal names

SHEETS: dict[str, Sheet] = {
    FileKind.PEOPLE: people.SHEET,
    FileKind.GROUPS: groups.SHEET,
    FileKind.RESOURCES: resources.SHEET,
}


@service(Kind.IMPORTED)
def bring_in(
    sheet: Sheet,
    file: IO[bytes],
    *,
    reason: str,
    actor: Actor,
    clock: Clock,
    within: Resource | None = None,
    batch: uuid.UUID | None = None,
    invite: bool = False,
    dry: bool = False,
    told: Callable[[Outcome], None] = lambda outcome: None,
) -> Counter[Fate]:
    """Make what the lines ask for and is not there yet, or nothing; return how many lines there were of each fate.

    `within`: nothing outside of it is made, nor told of. Raises `Refused` with the wrong lines, and `Unreadable`. `dry`
    takes everything back and raises no wrong line. After the locks all happens at one moment.
    """

    def lines() -> Iterator[Line]:
        return lines_of(file, needed=sheet.needed)

    bringing = Bringing(
        actor=actor, clock=clock, reason=reason, within=within, invite=invite, batch=batch or uuid.uuid4()
    )
    sheet.lock(lines(), bringing)
    now = clock()
    bringing = replace(bringing, clock=lambda: now)
    counts: Counter[Fate] = Counter()
    broken: list[Violation] = []
    for line in lines():
        one = _outcome(sheet, line, bringing)
        counts[one.fate] += 1
        told(one)
        if one.fate is Fate.WRONG and len(broken) < MOST_TOLD:
            sentence = _("Line %(number)s: %(sentence)s") % {"number": line.number, "sentence": one.sentence}
            broken.append(Violation("wrong_line", sentence, "file"))
    if dry:
        transaction.set_rollback(True)
        return counts
    if broken:
        raise Refused(broken)
    record_imported(counts, within=within, reason=reason, actor=actor, now=now)
    return counts


def _outcome(sheet: Sheet, line: Line, bringing: Bringing) -> Outcome:
    try:
        with transaction.atomic():
            return Outcome(line, Fate.MADE, sheet.bring(line, bringing))
    except ThereError as there:
        return Outcome(line, Fate.EXISTS, str(there))
    except Refused as refused:
        return Outcome(line, Fate.WRONG, refused.sentence)
