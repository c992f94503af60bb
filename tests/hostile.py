"""What nobody should send, and the forms of a page to send it with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import quote_plus

from hypothesis import strategies as st

Pairs = list[tuple[str, str]]
FORM = "application/x-www-form-urlencoded"
BOUNDARY = "hostile-boundary"

# Lone surrogates, NULs and such are sent as they are: no browser would, and anybody can.
TEXTS = (
    "",
    " ",
    "\u3000\u2003\u200b",
    "\x00",
    "a\x00b",
    "\ud800",
    "\u202egnp.exe",
    "\r\nBcc: all@example.org",
    "<script>alert(1)</script>{{ 7|add:7 }}{% debug %}",
    "' OR 1=1 --",
    "=cmd|'/c calc'!A1",
    "%s%(name)s{0}{name}{self.__class__}",
    "ﬁ\u0130ß\u0345" * 3,
    "e" + "\u0301" * 300,
    "x" * 3000,
    "Ω" * 70_000,
    "(a+)+$" * 10,
    "[" * 5000,
)
NUMBERS = (
    "-1",
    "0",
    "1",
    "0.5",
    "1e309",
    "NaN",
    "Infinity",
    "9" * 400,
    "٣",
    "1_000",
    "0x10",
    "+5",
    "1,5",
    "-0",
    "1e-400",
)
DAYS = (
    "0001-01-01",
    "0001-01-01T00:00",
    "9999-12-31",
    "9999-12-31T23:59",
    "10000-01-01",
    "2026-02-30",
    "2026-03-29T02:30",
    "1582-10-10",
    "24:00",
    "-0001-01-01T00:00",
    "2026-11-26T14:00:60",
)
OTHERS = (
    "None",
    "null",
    "true",
    "on",
    "[]",
    '{"a": 1}',
    "00000000-0000-0000-0000-000000000000",
    "not-a-uuid",
    "../../etc/passwd",
)
FILES = (
    b"",
    b"\x00\xff\xfe",
    b"PK\x03\x04 no zip at all",
    b"\xef\xbb\xbfa,b\n1",
    b"%PDF-1.4",
    b"a" * 5000,
    b'"' * 999,
    b"\x89PNG\r\n",
)
EXTRA = (
    "status",
    "is_staff",
    "is_superuser",
    "approved_by",
    "ends_at",
    "user",
    "principal",
    "__proto__",
    "csrfmiddlewaretoken",
    "",
)
LISTS = (
    "page",
    "sort",
    "per_page",
    "q",
    "search",
    "_export",
    "format",
    "columns",
    "after",
    "eligibility",
    "request",
    "selection",
)


@dataclass
class Input:
    """A field of a form: what a browser would send, and what it offers besides."""

    name: str
    kind: str
    values: list[str] = field(default_factory=list)
    offered: list[str] = field(default_factory=list)


@dataclass
class Form:
    action: str
    method: str
    inputs: dict[str, Input] = field(default_factory=dict)


def forms_in(html: str, path: str) -> list[Form]:
    """Return every form of a page, those that are sent to the page itself with its path."""
    reader = _Reader(path)
    reader.feed(html)
    return reader.forms


class _Reader(HTMLParser):
    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = path
        self.forms: list[Form] = []
        self.form: Form | None = None
        self.select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            action = (given.get("action") or self.path).partition("?")[0]
            self.form = Form(action, given.get("method", "get").lower())
            self.forms.append(self.form)
        if self.form is None:
            return
        name, value = given.get("name", ""), given.get("value", "")
        if tag in ("input", "textarea", "select", "button") and name:
            kind = given.get("type", "text") if tag in ("input", "button") else tag
            one = self.form.inputs.setdefault(name, Input(name, kind))
            self.select = name if tag == "select" else ""
            if tag == "select" or tag == "textarea":
                return
            one.offered.append(value)
            if kind not in ("radio", "checkbox", "submit") or "checked" in given:
                one.values.append(value)
        elif tag == "option" and self.select:
            one = self.form.inputs[self.select]
            one.offered.append(value)
            if "selected" in given:
                one.values.append(value)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.form = None


def values(ids: Sequence[str]) -> st.SearchStrategy[str]:
    """Hostile values: some of every sort, ids of things that are somebody else's, and what hypothesis thinks of."""
    return st.one_of(
        *(st.sampled_from(some) for some in (TEXTS, NUMBERS, DAYS, OTHERS, tuple(ids))),
        st.text(max_size=20),
        st.integers().map(str),
        st.datetimes().map(str),
    )


@st.composite
def filled(draw: st.DrawFn, form: Form, ids: Sequence[str]) -> Pairs:
    """A form as somebody hostile fills it in: most fields as they should be, so that it gets past the first check."""
    pairs: Pairs = []
    hostile = values(ids)
    aimed = draw(st.sampled_from([*form.inputs] or [""]))
    for one in form.inputs.values():
        if one.name == "csrfmiddlewaretoken":
            continue
        usual = one.values or [value for value in one.offered[-1:] if value]
        usual = usual or ["adam@example.org" if one.kind == "email" else "3" if one.kind == "number" else "needed"]
        how = draw(st.sampled_from(["usual", "usual", "usual", "offered", "hostile", "missing", "both"]))
        if one.name == aimed:
            how = draw(st.sampled_from(["hostile", "hostile", "missing", "both"]))
        if how == "offered" and one.offered:
            usual = draw(st.lists(st.sampled_from(one.offered), min_size=1, max_size=3))
        if how in ("hostile", "both"):
            usual = [*(usual if how == "both" else []), draw(hostile)]
        pairs += [(one.name, value) for value in (usual if how != "missing" else [])]
    if draw(st.integers(0, 9)) == 0:
        pairs.append((draw(st.sampled_from(EXTRA)), draw(hostile)))
    if draw(st.integers(0, 39)) == 0:
        pairs += [(aimed or "reason", "x")] * 600
    return pairs


def encoded(pairs: Pairs) -> bytes:
    """As the body of a form, or a query: whatever it is, byte by byte."""
    return "&".join(
        "=".join(quote_plus(one.encode("utf-8", "surrogatepass")) for one in pair) for pair in pairs
    ).encode()


def with_file(pairs: Pairs, name: str, content: bytes, filename: str) -> tuple[bytes, str]:
    """The same form with a file, as a body of several parts, and the type of it."""
    parts = [(f'name="{key}"', value.encode("utf-8", "surrogatepass")) for key, value in pairs if '"' not in key]
    parts.append((f'name="{name}"; filename="{filename}"', content))
    lines = (
        f"--{BOUNDARY}\r\nContent-Disposition: form-data; {head}\r\n\r\n".encode() + body + b"\r\n"
        for head, body in parts
    )
    return b"".join(lines) + f"--{BOUNDARY}--\r\n".encode(), f"multipart/form-data; boundary={BOUNDARY}"
