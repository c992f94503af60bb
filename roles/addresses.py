"""Addresses of pages about one thing or another, of which a list shows hundreds."""

from __future__ import annotations

import functools
import uuid

from django.urls import get_script_prefix, get_urlconf, reverse

_STAND_INS = [uuid.UUID(int=number, version=4) for number in range(1, 4)]


def address_of(page: str, **arguments: object) -> str:
    """Return the address of a page, as `reverse` does.

    Where its arguments are the keys of rows it is looked up once, with stand-ins for them: to look it up anew for each
    row takes longer than all else in a cell.
    """
    if len(arguments) > len(_STAND_INS) or not all(isinstance(one, uuid.UUID) for one in arguments.values()):
        return reverse(page, kwargs=arguments)
    found = _pattern(page, tuple(arguments), get_script_prefix(), get_urlconf())
    for stand_in, key in zip(_STAND_INS, arguments.values(), strict=False):
        found = found.replace(str(stand_in), str(key))
    return found


@functools.cache
def _pattern(page: str, names: tuple[str, ...], prefix: str, urlconf: str | None) -> str:
    return reverse(page, kwargs=dict(zip(names, _STAND_INS, strict=False)))
