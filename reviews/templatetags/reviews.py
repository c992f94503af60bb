"""What the cells of reviews ask: sentences, and the instance that a list shows of a series."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import template

from reviews.models import Instance
from reviews.tables.work_cells import earlier
from reviews.wording import result_sentence
from roles.middleware import PortalRequest

register = template.Library()

register.filter("result_sentence", result_sentence)
register.simple_tag(earlier, takes_context=True, name="said_earlier")

TONES = {
    "scheduled": "scheduled",
    "starting": "brand",
    "in_progress": "brand",
    "completing": "brand",
    "completed": "good",
    "applying": "warn",
    "applied": "good",
    "deleted": "none",
}


@register.filter
def of(mapping: Mapping[Any, Any], key: Any) -> Any:
    """Return what a mapping holds for a key, or nothing."""
    return mapping.get(key) or mapping.get(str(key))


@register.simple_tag(takes_context=True)
def status_of(context: template.Context, instance: Instance) -> dict[str, str]:
    """Return the word and the tone of where an instance stands now."""
    request: PortalRequest = context["request"]
    status = instance.status_at(request.now)
    return {"label": str(status.label), "tone": TONES[status]}
