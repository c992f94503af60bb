"""What happened, in a sentence for people: one for every kind of event, done or only tried.

The names are those of the moment, from the event's text; erased ones show as erased. Placeholders are named, so that
another language can put them in its own order.
"""

from __future__ import annotations

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from audit.kinds import Kind, Outcome
from audit.models import Event
from audit.wordings import VARIANTS, WORDINGS

ERASED: Final = gettext_lazy("(erased)")


# How an attempt ended.
ENDINGS: Final[dict[Outcome, str | Promise]] = {
    Outcome.REFUSED: gettext_lazy("{attempt}: refused."),
    Outcome.FAILED: gettext_lazy("{attempt}: failed."),
}


# What stands for a name that the event never had, such as the role in an attempt on an unknown id.
NAMELESS: Final[dict[str, str | Promise]] = {
    "actor": gettext_lazy("Somebody"),
    "target": gettext_lazy("somebody"),
    "role": gettext_lazy("a role"),
    "resource": gettext_lazy("a resource"),
    "review": gettext_lazy("an access review"),
    "alert": gettext_lazy("an alert"),
    "rule": gettext_lazy("a rule"),
    "instead": gettext_lazy("an approver"),
    "hook": gettext_lazy("a web hook"),
}


def said(event: Event, name: str) -> str:
    """Return one text of an event, such as its reason; "(erased)" where it was erased, empty where there was none."""
    if name not in event.commitments:
        return ""
    return str(event.text.fields.get(name, ERASED))


def who(event: Event) -> str:
    """Say who acted: a person, the portal, its operator, or nobody knows who."""
    return said(event, "actor") or str(NAMELESS["actor"])


def sentence(event: Event) -> str:
    """Say what happened, in the names of that moment."""
    wording = WORDINGS[Kind(event.kind)]
    for fits, variant in VARIANTS.get(Kind(event.kind), []):
        if fits(event):
            wording = variant
            break
    names = {name: said(event, name) or str(nameless) for name, nameless in NAMELESS.items()}
    if event.outcome == Outcome.DONE:
        return str(wording.done).format(**names)
    attempt = str(wording.tried).format(**names)
    return str(ENDINGS[Outcome(event.outcome)]).format(attempt=attempt)


def why(event: Event) -> str:
    """Say why: the justification of who decided, else the reason of who asked or acted."""
    return said(event, "justification") or said(event, "reason")
