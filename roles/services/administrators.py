"""Rule 7: after every change somebody still administers the portal."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _

from roles.refusals import About, Refused, Violation
from roles.selectors.administrators import lasting_administrators
from roles.services.locks import lock_the_administrators


def keep_an_administrator(now: datetime, *, about: About | None = None) -> None:
    """Raise `Refused` when the change just made in this transaction leaves nobody to administer the portal.

    Called after the change and before the commit, whenever one could have taken an administrator away. The lock makes
    two such changes wait for each other, whoever they are about.
    """
    lock_the_administrators()
    if not lasting_administrators(now):
        sentence = _(
            "This would leave nobody who can administer roles. First give somebody else, who has a second factor, "
            "Privileged Role Administrator without an end."
        )
        raise Refused([Violation("last_administrator", sentence)], about=about)
