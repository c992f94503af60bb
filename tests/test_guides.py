"""The pages of docs/: every link leads somewhere, every page is found from the index, every picture is in a guide."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings

DOCS = Path(settings.BASE_DIR, "docs")
PAGES = sorted(DOCS.rglob("*.md"))
LARGEST = 150_000  # bytes of a picture


def links_of(page: Path) -> set[Path]:
    """Return the files that a page links to or shows."""
    text = page.read_text(encoding="utf-8")
    found = re.findall(r'\]\(([^)#]+)[^)]*\)|src="([^"]+)"', text)
    return {(page.parent / "".join(one)).resolve() for one in found if "://" not in "".join(one)}


@pytest.mark.parametrize("text", PAGES, ids=lambda text: str(text.relative_to(DOCS)))
def test_every_link_leads_to_a_file(text):
    assert [link for link in sorted(links_of(text)) if not link.exists()] == []


def test_the_index_leads_to_every_page():
    index = DOCS / "README.md"
    assert {page for page in PAGES if page != index} <= links_of(index)


def test_every_picture_is_shown_and_small():
    shown = {link for page in [*PAGES, DOCS.parent / "README.md"] for link in links_of(page)}
    pictures = set(DOCS.glob("pictures/*.png"))
    assert pictures <= shown
    assert [one.name for one in sorted(pictures) if one.stat().st_size > LARGEST] == []
