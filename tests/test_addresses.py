"""Addresses that are put together from a pattern are those that Django itself would say."""

from __future__ import annotations

import uuid

import pytest
from django.urls import get_script_prefix, reverse, set_script_prefix

from roles import addresses
from roles.addresses import address_of

ONE, OTHER = uuid.uuid4(), uuid.uuid4()


@pytest.fixture(autouse=True)
def _forgotten():
    addresses._pattern.cache_clear()
    yield
    addresses._pattern.cache_clear()


@pytest.mark.parametrize(
    ("page", "arguments"),
    [
        ("approvals:activate", {}),
        ("person", {"pk": ONE}),
        ("group", {"place": ONE}),
        ("resource:role_settings", {"place": ONE, "pk": OTHER}),
        ("directory:alert", {"key": "too_many_administrators"}),
        ("resource:alert", {"place": ONE, "key": "00000000-0000-4000-8000-000000000001"}),
    ],
)
def test_an_address_is_that_of_reverse(page, arguments):
    said = [address_of(page, **arguments) for _twice in range(2)]
    assert said == [reverse(page, kwargs=arguments)] * 2


def test_arguments_in_another_order_do_not_change_places():
    swapped = address_of("resource:role", pk=OTHER, place=ONE)
    assert swapped == address_of("resource:role", place=ONE, pk=OTHER) == reverse("resource:role", args=[ONE, OTHER])


def test_a_pattern_is_looked_up_once_for_all_keys(monkeypatch):
    asked: list[str] = []

    def look_up(page: str, **more: object) -> str:
        asked.append(page)
        return reverse(page, **more)

    monkeypatch.setattr(addresses, "reverse", look_up)
    assert len({address_of("person", pk=uuid.uuid4()) for _each in range(5)}) == 5
    assert asked == ["person"]


def test_a_prefix_of_the_server_is_part_of_it():
    before, prefix = address_of("person", pk=ONE), get_script_prefix()
    try:
        set_script_prefix("/pim/")
        assert address_of("person", pk=ONE) == f"/pim{before}"
    finally:
        set_script_prefix(prefix)
