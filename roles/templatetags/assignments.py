"""What pages about one assignment say of it, as the lists do."""

from __future__ import annotations

from django import template

from roles.tables import assignment_cells as cells

register = template.Library()

register.simple_tag(cells.named, takes_context=True)
register.simple_tag(cells.membership, takes_context=True)
register.simple_tag(cells.state, takes_context=True)
register.simple_tag(cells.lasting)
