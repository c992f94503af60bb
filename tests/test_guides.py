"""The pages of docs/ and beside it: every link leads somewhere, every page is indexed, every picture is in a guide."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings

DOCS = Path(settings.BASE_DIR, "docs")
PAGES = sorted(DOCS.rglob("*.md"))
BESIDE = sorted(DOCS.parent.glob("*.md"))
LARGEST = 150_000  # bytes of a picture


def links_of(page: Path) -> set[Path]:
    """Return the files that a page links to or shows."""
    text = page.read_text(encoding="utf-8")
    found = re.findall(r'\]\(([^)#]+)[^)]*\)|src="([^"]+)"', text)
    return {(page.parent / "".join(one)).resolve() for one in found if "://" not in "".join(one)}


def anchors_of(page: Path) -> set[str]:
    """Return what a link into a page may name: its headings, as they are turned into anchors."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("text", [*PAGES, *BESIDE], ids=lambda text: str(text.relative_to(DOCS.parent)))
def test_every_link_leads_to_a_file_and_a_heading(text):
    assert [link for link in sorted(links_of(text)) if not link.exists()] == []
    for page, anchor in re.findall(r"\]\(([^)#:]*)#([^)]+)\)", text.read_text(encoding="utf-8")):
        assert anchor in anchors_of((text.parent / page).resolve() if page else text)


def test_the_index_leads_to_every_page():
    index = DOCS / "README.md"
    assert {page for page in PAGES if page != index} <= links_of(index)


def test_every_picture_is_shown_and_small():
    shown = {link for page in [*PAGES, DOCS.parent / "README.md"] for link in links_of(page)}
    pictures = set(DOCS.glob("pictures/*.png"))
    assert pictures <= shown
    assert [one.name for one in sorted(pictures) if one.stat().st_size > LARGEST] == []
