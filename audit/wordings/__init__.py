"""Every kind of event in words: a file for each subject."""

from __future__ import annotations

from typing import Final

from audit.kinds import Kind
from audit.wordings import (
    alerts,
    assignments,
    duties,
    emergencies,
    people,
    portal,
    requests,
    resources,
    reviews,
    roles,
    signing_in,
)
from audit.wordings.wording import Variants, Wording

_SUBJECTS = (
    assignments,
    requests,
    emergencies,
    reviews,
    roles,
    duties,
    resources,
    alerts,
    people,
    signing_in,
    portal,
)

WORDINGS: Final[dict[Kind, Wording]] = {
    kind: wording for subject in _SUBJECTS for kind, wording in subject.WORDINGS.items()
}
VARIANTS: Final[dict[Kind, Variants]] = {
    kind: variants
    for subject in (assignments, requests, emergencies, roles, alerts, people, signing_in)
    for kind, variants in subject.VARIANTS.items()
}
