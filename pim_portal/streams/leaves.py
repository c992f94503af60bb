"""Reading sealed events in leaf order, as they are sent on: with their texts, or with what is left of these."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from typing import Any, Final, NamedTuple

from django.conf import settings
from django.utils import translation

from audit.canonical import canonical_form
from audit.models import Archived, Event, EventText, Leaf
from audit.sentences import sentence

PART: Final = 250  # leaves that are in memory at once
FORMAT: Final = 1


class LeafGone(Exception):  # noqa: N818 - a finding, not an error
    """A leaf is not there although later ones are: the history was tampered with, and nothing is skipped silently."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class Told(NamedTuple):
    """One leaf and the JSON that tells of it; none where it is of a kind that is not asked for."""

    leaf: int
    json: bytes | None


def last_leaf() -> int:
    """Return the number of the last sealed event; 0 where nothing is sealed yet."""
    return Leaf.objects.order_by("-number").values_list("number", flat=True).first() or 0


def told(first: int, last: int, *, kinds: Collection[str] = ()) -> Iterator[Told]:
    """Yield every leaf from `first` to `last`, in order. Raises `LeafGone` where one is missing in between.

    `kinds` are those that are asked for; none means all. An event that is no longer in the database is told as such
    to whoever asks for all.
    """
    for begin in range(first, last + 1, PART):
        end = min(begin + PART - 1, last)
        leaves = list(Leaf.objects.filter(number__gte=begin, number__lte=end).order_by("number"))
        events = _events([leaf.event_id for leaf in leaves], kinds)
        for expected, leaf in enumerate(leaves, start=begin):
            if leaf.number != expected:
                raise LeafGone(expected)
            event = events.get(leaf.event_id)
            yield Told(leaf.number, _json(leaf, event) if event or not kinds else None)
        if len(leaves) != end - begin + 1:
            raise LeafGone(begin + len(leaves))


def _events(ids: list[int], kinds: Collection[str]) -> dict[int, Event]:
    rows = Event.objects.filter(pk__in=ids).select_related("text")
    return {event.pk: event for event in (rows.filter(kind__in=kinds) if kinds else rows)}


def _json(leaf: Leaf, event: Event | None) -> bytes:
    return json.dumps(form_of(leaf, event), ensure_ascii=False, separators=(",", ":")).encode()


def form_of(leaf: Leaf, event: Event | None) -> dict[str, Any]:
    """Return what is told of a leaf. What was erased stays away, and `erased_at` says so."""
    form: dict[str, Any] = {"leaf": leaf.number, "hash": leaf.hash, "id": None, "missing": event is None}
    if event is None:
        archived = Archived.objects.select_related("archive").filter(pk=leaf.number).first()
        return form | {"id": str(archived.uuid), "archive": archived.archive.name} if archived else form
    text: EventText | None = getattr(event, "text", None)
    with translation.override(settings.LANGUAGE_CODE):
        words = sentence(event) if text else ""
    return form | {
        "id": str(event.uuid),
        "sentence": words,
        "event": canonical_form(event),
        "text": text.fields if text else {},
        "erased_at": text.erased_at.isoformat() if text and text.erased_at else None,
    }
