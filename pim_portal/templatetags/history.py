"""Events in templates."""

from __future__ import annotations

from django import template

from audit.models import Event
from audit.sentences import sentence

register = template.Library()


@register.simple_tag
def sentence_of(event: Event) -> str:
    """Say what happened, in the names of that moment."""
    return sentence(event)
