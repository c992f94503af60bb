"""The quick start leads only where its reader may go, and every word that a heading links to is explained."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings

from pim_portal.guide.words import WORDS
from tests.visitors import visiting

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("who", ["zoe", "petra", "nina"])
def test_no_card_leads_to_a_closed_page(request, who) -> None:
    visitor = visiting(request.getfixturevalue(who))
    page = visitor.get("/quick-start/").content.decode()
    cards = page[page.index('class="guide"') :]
    links = re.findall(r'<li><a href="([^"]+)"', cards)
    assert len(links) >= 8
    assert {link: visitor.get(link).status_code for link in links} == dict.fromkeys(links, 200)


def test_only_an_administrator_is_shown_how_to_administer(zoe, petra) -> None:
    said = "Administer directory roles"
    assert said not in visiting(zoe).get("/quick-start/").content.decode()
    assert said in visiting(petra).get("/quick-start/").content.decode()


def test_every_word_that_a_page_links_to_is_explained() -> None:
    templates = Path(settings.BASE_DIR, "templates").rglob("*.html")
    linked = {slug for one in templates for slug in re.findall(r'help\.html" with slug="([^"]+)"', one.read_text())}
    assert linked
    assert linked <= {word.slug for word in WORDS}
