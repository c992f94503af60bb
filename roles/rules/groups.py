"""The rule of letting somebody into a group, shared by all that could."""

from __future__ import annotations

from django.utils.translation import gettext as _

from roles.refusals import Violation


def beyond(roles: tuple[str, ...]) -> Violation | None:
    """Say that a group holds roles which somebody may not assign, where it does."""
    if roles:
        sentence = _("This group holds roles that you may not assign: %(roles)s. Ask somebody who may.")
        return Violation("group_holds_more", sentence % {"roles": ", ".join(roles)}, "principal")
    return None
