"""The pills above a list offer what Django's own select would."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from django import forms
from django.utils.translation import gettext_lazy

from roles.pills import PillSelect

CHOICES = [("", "All"), ("a", "A & <b>"), ('"b"', gettext_lazy("Later")), (3, "Three")]


class Options(HTMLParser):
    """The attributes and words of what was written."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[object] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, sorted((name, value or "") for name, value in attrs)))

    def handle_data(self, data):
        if data.strip():
            self.found.append(data.strip())


@pytest.mark.parametrize("value", [None, "", "a", '"b"', "3", 3, "unknown"])
def test_it_offers_the_same_and_has_chosen_the_same(value):
    attributes = {"id": "id_kind", "class": "x", "required": True, "disabled": False}
    ours = PillSelect(choices=CHOICES).render("kind", value, attributes)
    django = forms.Select(choices=CHOICES).render("kind", value, attributes)
    assert Options(ours).found == Options(django).found
    assert Options(ours).found.count("A & <b>") == 1
