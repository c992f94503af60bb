"""What becomes of each line of a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from pim_portal.imports.reading import Line


class Fate(TextChoices):
    """What becomes of a line."""

    MADE = "made", _("New")
    EXISTS = "exists", _("Exists")
    LEFT_OUT = "left out", _("Left out")
    WRONG = "wrong", _("Wrong")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a line would do or did, in a sentence where there is something to say; `wanted` is what it asks for."""

    line: Line
    fate: Fate
    sentence: str = ""
    wanted: Any = None
