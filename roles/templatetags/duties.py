"""Clashes of separation of duties in templates."""

from __future__ import annotations

from django import template

from roles.rules.duties import has
from roles.selectors.duties.clashes import Clash

register = template.Library()


@register.filter
def has_one(clash: Clash) -> str:
    """Say the one of two roles that clash: who has it, where and how."""
    return has(clash, clash.one)


@register.filter
def has_other(clash: Clash) -> str:
    """Say the other of the two."""
    return has(clash, clash.other)
