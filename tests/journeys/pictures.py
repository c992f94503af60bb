"""Pictures of pages for the guides, small enough for a repository: the 256 colours that a page shows most."""

from __future__ import annotations

import base64
import os
import struct
import zlib
from pathlib import Path

from django.conf import settings
from playwright.sync_api import Page

# `make pictures` sets it; without it nobody needs a picture.
WANTED = bool(os.environ.get("PIM_PICTURES"))
FOLDER = Path(settings.BASE_DIR, "docs", "pictures")

# The browser reads the picture for us: colours that are rare become the nearest one of the others.
FEW_COLOURS = """async (picture) => {
  const image = await createImageBitmap(new Blob([Uint8Array.from(atob(picture), (c) => c.charCodeAt(0))]));
  const context = new OffscreenCanvas(image.width, image.height).getContext("2d");
  context.drawImage(image, 0, 0);
  const pixels = new Uint32Array(context.getImageData(0, 0, image.width, image.height).data.buffer);
  const counts = new Map();
  for (const one of pixels) counts.set(one, (counts.get(one) ?? 0) + 1);
  const all = [...counts].sort((one, other) => other[1] - one[1]).map(([colour]) => colour);
  const rgb = (one) => [one & 255, (one >> 8) & 255, (one >> 16) & 255];
  const palette = all.slice(0, 256).map(rgb);
  const distance = (one, other) => one.reduce((sum, value, at) => sum + (value - other[at]) ** 2, 0);
  const nearest = (one) => {
    const distances = palette.map((other) => distance(one, other));
    return distances.indexOf(Math.min(...distances));
  };
  const places = new Map(all.map((one, at) => [one, at < 256 ? at : nearest(rgb(one))]));
  let text = "";
  for (const one of pixels) text += String.fromCharCode(places.get(one));
  return [image.width, image.height, palette.flat(), btoa(text)];
}"""


TO_THE_TOP = "[document.documentElement, ...document.querySelectorAll('dialog *')].forEach((e) => { e.scrollTop = 0 })"


def take(page: Page, name: str, *, whole: bool, scrolled: bool) -> None:
    """Write the page as a PNG with a palette into the folder of the guides' pictures: from its top, unless scrolled."""
    if not scrolled:
        page.evaluate(TO_THE_TOP)
    shot = page.screenshot(full_page=whole, animations="disabled")
    width, height, palette, text = page.evaluate(FEW_COLOURS, base64.b64encode(shot).decode())
    pixels = base64.b64decode(text)
    rows = b"".join(b"\0" + pixels[at : at + width] for at in range(0, len(pixels), width))
    (FOLDER / f"{name}.png").write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0))
        + _chunk(b"PLTE", bytes(palette))
        + _chunk(b"IDAT", zlib.compress(rows, 9))
        + _chunk(b"IEND", b"")
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
