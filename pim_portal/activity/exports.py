"""Taking the history away with its proof: a zip that is sent while it is made.

That it is taken is recorded, in a transaction, before the first byte; no transaction is open while it is sent. Between
its parts the reader's right is looked at anew, as with any download: when it ends, so does the export, and says so.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from audit import keys
from audit.anchors import tip
from audit.exporting import Described, Written, export_files
from audit.kinds import Kind
from audit.models import Event, Leaf
from pim_portal.activity.downloads import CutOff, Reading
from pim_portal.activity.selectors.sight import in_sight
from roles.actors import Actor, Clock
from roles.authority import Authority
from roles.catalogue import GRANTS, Permission
from roles.models import Purpose
from roles.refusals import Refused, Violation
from roles.service import record, service
from roles.services import step_ups
from roles.zipping import zipped

PART: Final = 1000  # events between two looks at the reader's right


@dataclass(frozen=True, slots=True)
class Ordered:
    """An export that was recorded: the leaves that it will hold, as far as they may still be read then."""

    about: Described
    leaves: array[int]


@service(Kind.EXPORTED)
def order_export(
    rows: QuerySet[Event], *, filtered: bool, key_file: Path, portal: str, actor: Actor, clock: Clock
) -> Ordered:
    """Record an export of these events, which a selector gave, and choose its leaves. Raises `Refused`."""
    user = actor.user
    if user is None:
        raise Refused([Violation("not_allowed", _("An export is made by a person."))])
    now = clock()
    authority = Authority(user, now)
    held = next((one for one in authority.held if one.role_id in GRANTS[Permission.SEE_AUDIT].roles), None)
    if held is None:
        raise Refused([Violation("not_allowed", _("You may not read the audit history."))])
    step_ups.spend(actor, Purpose.EXPORT, user.pk, now=now)
    upto = tip()
    seen = rows.filter(in_sight(authority)).order_by().values("pk")
    sealed = Leaf.objects.filter(event__in=seen, number__lte=upto.leaves if upto else 0).order_by("number")
    leaves = array("q", sealed.values_list("number", flat=True).iterator(chunk_size=10_000))
    whole = not filtered and len(leaves) == (upto.leaves if upto else 0)
    record(Kind.EXPORTED, actor=actor, at=now, authority_id=held.assignment_id, details={"whole": whole})
    public = tuple(key.public_bytes_raw().hex() for key in keys.trusted(key_file).values())
    return Ordered(Described(whole, upto, public, portal, user.name, now), leaves)


def parts_of(ordered: Ordered, reading: Reading) -> Iterator[bytes]:
    """Yield the zip of an export in parts."""
    written = Written()
    files = export_files(_leaves(ordered.leaves, reading, written), ordered.about, written)
    return zipped(files, at=ordered.about.made)


def _leaves(numbers: array[int], reading: Reading, written: Written) -> Iterator[list[Leaf]]:
    for first in range(0, len(numbers), PART):
        part = numbers[first : first + PART].tolist()
        try:
            seen = Event.objects.filter(reading.may_read(), leaf__number__in=part).order_by().values("pk")
        except CutOff:
            written.cut_off = True
            return
        rows = Leaf.objects.filter(number__in=part, event__in=seen)
        found = list(rows.select_related("batch", "event__text").order_by("number"))
        yield found
        reading.count(len(found))
