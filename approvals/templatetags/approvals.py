"""Words of approvals in templates."""

from __future__ import annotations

from django import template

from approvals.models import Status
from approvals.wording import what_is_asked, what_is_wanted

register = template.Library()

register.filter("what_is_asked", what_is_asked)
register.filter("what_is_wanted", what_is_wanted)


@register.filter
def status_label(status: str) -> str:
    """Say a status of a request."""
    return str(Status(status).label)
