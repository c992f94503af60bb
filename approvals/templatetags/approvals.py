"""Words of approvals in templates."""

from __future__ import annotations

from django import template

from approvals.tables import marks
from approvals.wording import what_is_wanted
from roles.marks import emergency_tag

register = template.Library()

register.filter("what_is_wanted", what_is_wanted)
register.simple_tag(marks.status_tag)
register.simple_tag(emergency_tag)
