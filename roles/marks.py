"""Small pieces of a page that are put together in many places: too small, and too many on a page, for a template."""

from __future__ import annotations

from django.utils.html import format_html
from django.utils.safestring import SafeString


def tag(status: str, label: str) -> SafeString:
    """Show a status as a dot and a word: good, warn, bad, brand, or a status of the product (pending, granted ...)."""
    return format_html('<span class="tag" data-status="{}">{}</span>', status, label)
