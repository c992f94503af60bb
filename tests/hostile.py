"""What nobody should send, and the forms of a page to send it with."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import chain
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
    "a\ue000\uffff\U0010ffff\x1b\x7fb",
    "\u202egnp.exe",
    "\r\nBcc: all@example.org",
    "<script>alert(1)</script>{{ 7|add:7 }}{% debug %}",
    "' OR 1=1 --",
    "=cmd|'/c calc'!A1",
    "%s%(name)s{0}{name}{self.__class__}",
    "e" + "\u0301" * 300,
    "x" * 3000,
    "Ω" * 70_000,
    "(a+)+$" * 10,
    "[" * 5000,
    "0001-01-01T00:00+23:59~1",
    "2026-11-26T14:00Z~" + "9" * 5000,
)
# As many of each as the field takes: one is one letter, grows when it is normalised, grows when its case is folded.
FILLING = ("x", "\U0001d160", "\u0390")
NUMBERS = (
    "-1",
    "0",
    "1",
    "0.5",
    "1e309",
    "NaN",
    "Infinity",
    "2147483648",
    "9" * 19,
    "9" * 400,
    "9" * 5000,
    "٣",
    "1_000",
    "0x10",
    "+5",
    "1,5",
    "-0",
    "1e-400",
    "99999:59",
    "99999 h",
    "a\x00b",
)
DAYS = (
    "0001-01-01",
    "0001-01-01T00:00",
    "0001-01-01T00:00+23:59",
    "9999-12-31",
    "9999-12-31T23:59",
    "9999-12-31T23:59-23:59",
    "10000-01-01",
    "2026-02-30",
    "2026-03-29T02:30",
    "1582-10-10",
    "24:00",
    "-0001-01-01T00:00",
    "2026-11-26T14:00:60",
    "2026-11-26T14:00\x00",
    "9" * 5000,
)
OTHERS = (
    "",
    "None",
    "null",
    "true",
    "on",
    "-1",
    "9" * 5000,
    "[]",
    '{"a": 1}',
    "00000000-0000-0000-0000-000000000000",
    "not-a-uuid",
    "a\x00b",
    "\ud800",
    "../../etc/passwd",
    "x" * 3000,
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
CALLED = ("roles.csv", "x.xlsx", "../../x", "a\x00.csv", "", "x" * 300 + ".csv")
# What the body is said to be written in: no text at all, one that hides a lone surrogate or a NUL, none that there is.
CHARACTER_SETS = ("hex", "utf-7", "unicode_escape", "idna", "utf-16", "undefined", "utf-8; x*=no-such'en'y", "no-such")
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


# Where time is short, each field is always sent these of the above and of its filling, and of the rest one in so many.
FIRST = {
    "text": ("a\x00b", "a\ue000\uffff\U0010ffff\x1b\x7fb"),
    "number": ("-1", "NaN", "1e309", "9" * 19, "9" * 5000, "a\x00b"),
    "day": ("0001-01-01T00:00", "9999-12-31T23:59-23:59", "9999-12-31T23:59", "9" * 5000),
    "choice": ("", "not-a-uuid", "9" * 5000, "a\x00b"),
}
REST = 6
_NOT_OURS = {"csrfmiddlewaretoken", "device", "code"}  # tried with hypothesis
_FORM = re.compile(r"<form\b.*?</form>", re.DOTALL)


@dataclass
class Input:
    """A field of a form: what a browser would send, and what it offers besides. `longest`: how many letters."""

    name: str
    kind: str
    values: list[str] = field(default_factory=list)
    offered: list[str] = field(default_factory=list)
    longest: int = 0
    numeric: bool = False

    @property
    def sort(self) -> str:
        """Of which sort its values are: `text`, `number`, `day`, `file`, or a `choice` among what is offered."""
        if self.kind in ("date", "time", "datetime-local"):
            return "day"
        if self.kind == "number" or self.numeric:
            return "number"
        if self.kind in ("select", "radio", "checkbox", "hidden", "file"):
            return "file" if self.kind == "file" else "choice"
        return "text"

    @property
    def full(self) -> tuple[str, ...]:
        """As much as it takes, and one more."""
        most = self.longest or 2000
        return (*(one * most for one in FILLING), "x" * (most + 1))

    @property
    def hostile(self) -> tuple[str, ...]:
        """What is bad for its sort."""
        if self.sort == "text":
            return TEXTS + self.full
        return {"number": NUMBERS, "day": DAYS, "choice": OTHERS, "file": ()}[self.sort]

    def some(self, turn: int) -> tuple[str, ...]:
        """A part of it: what comes first, and of the rest what it is the turn of."""
        first = FIRST.get(self.sort, ()) + (self.full if self.sort == "text" else ())
        return first + tuple(one for one in self.hostile if one not in first)[turn % REST :: REST]


@dataclass
class Form:
    """A form of a page; `buttons` are those that send something of their own."""

    action: str
    method: str
    inputs: dict[str, Input] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)
    plain: bool = False  # whether there is a button that sends nothing of its own


def forms_in(html: str, path: str) -> list[Form]:
    """Return every form of a page, those that are sent to the page itself with its path."""
    reader = _Reader(path)
    for form in _FORM.findall(html):
        reader.feed(form)
    return reader.forms


class _Reader(HTMLParser):
    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = path
        self.forms: list[Form] = []
        self.form: Form | None = None
        self.select = ""
        self.area = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            action = (given.get("action") or self.path).partition("?")[0]
            self.form = Form(action, given.get("method", "get").lower())
            self.forms.append(self.form)
        if self.form is None or given.get("form"):
            return
        name, value = given.get("name", ""), given.get("value", "")
        if tag == "button" or given.get("type") == "submit":
            if name:
                self.form.buttons.append((name, value))
            self.form.plain = self.form.plain or not name
        elif tag in ("input", "textarea", "select") and name:
            self._take(self.form, tag, name, value, given)
        elif tag == "option" and self.select:
            one = self.form.inputs[self.select]
            one.offered.append(value)
            if "selected" in given:
                one.values.append(value)

    def _take(self, form: Form, tag: str, name: str, value: str, given: dict[str, str]) -> None:
        kind = given.get("type", "text") if tag == "input" else tag
        one = form.inputs.setdefault(name, Input(name, kind))
        one.longest = int(given.get("maxlength", 0))
        one.numeric = given.get("inputmode") in ("numeric", "decimal")
        self.select = name if tag == "select" else ""
        self.area = name if tag == "textarea" else ""
        if tag == "input":
            one.offered.append(value)
            if kind not in ("radio", "checkbox") or "checked" in given:
                one.values.append(value)

    def handle_data(self, data: str) -> None:
        if self.form is not None and self.area and data.strip():
            self.form.inputs[self.area].values.append(data.strip())

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.form = None
        if tag == "textarea":
            self.area = ""


def worst(form: Form, sound: Pairs, ids: Sequence[str], turn: int | None = None) -> Iterator[Pairs]:
    """Yield a form with one thing wrong: a bad value in all fields of a sort at once, in each of them alone, or none.

    Every value in both ways; or, at its `turn`, a part of them in all at once, and one in each alone.
    """
    for sort in FIRST:
        some = [one for one in form.inputs.values() if one.sort == sort and one.name not in _NOT_OURS]
        bad = {one.name: one.hostile if turn is None else one.some(turn) for one in some}
        for number in range(max((len(one) for one in bad.values()), default=0)):
            yield instead(sound, {name: these[number % len(these)] for name, these in bad.items()})
        for place, one in enumerate(some):
            alone = (*(bad[one.name] if len(some) > 1 else ()), *(ids if sort == "choice" else ()))
            for value in alone if turn is None or not alone else [alone[(turn + place) % len(alone)]]:
                yield instead(sound, {one.name: value})
    names = [name for name in form.inputs if name not in _NOT_OURS]
    for name in names if turn is None or not names else [names[turn % len(names)]]:
        yield [pair for pair in sound if pair[0] != name]


def instead(sound: Pairs, bad: dict[str, str]) -> Pairs:
    """A form with other values for some of its fields."""
    return [pair for pair in sound if pair[0] not in bad] + list(bad.items())


def values(one: Input, ids: Sequence[str]) -> st.SearchStrategy[str]:
    """Bad values for a field: mostly of its own sort; else any, ids of somebody else's, what hypothesis thinks of."""
    own = one.hostile or OTHERS
    made = {"number": st.integers().map(str) | st.floats().map(str), "day": st.datetimes().map(str)}
    any_of = tuple(chain(TEXTS, NUMBERS, DAYS, OTHERS, ids))
    drawn = made.get(one.sort, st.text(max_size=40))
    return st.one_of(st.sampled_from(own), st.sampled_from(own), drawn, st.sampled_from(any_of))


@st.composite
def filled(draw: st.DrawFn, form: Form, sound: Pairs, ids: Sequence[str]) -> Pairs:
    """A form as somebody hostile fills it in: most of it as it should be, so that it gets past the first check."""
    pairs: Pairs = []
    aimed = draw(st.sampled_from([*form.inputs] or [""]))
    for one in form.inputs.values():
        if one.name == "csrfmiddlewaretoken":
            continue
        usual = [value for name, value in sound if name == one.name]
        how = draw(st.sampled_from(["usual", "usual", "usual", "usual", "offered", "hostile"]))
        if one.name == aimed:
            how = draw(st.sampled_from(["hostile", "hostile", "offered", "missing", "both"]))
        if how == "offered" and one.offered:
            usual = draw(st.lists(st.sampled_from(one.offered), min_size=1, max_size=3))
        if how in ("hostile", "both"):
            usual = [*(usual if how == "both" else []), draw(values(one, ids))]
        pairs += [(one.name, value) for value in (usual if how != "missing" else [])]
    pairs += [pair for pair in sound if pair[0] not in form.inputs]
    if draw(st.integers(0, 9)) == 0:
        pairs.append((draw(st.sampled_from(EXTRA)), draw(st.sampled_from(OTHERS))))
    if draw(st.integers(0, 39)) == 0:
        pairs += [(aimed or "reason", "x")] * 600
    return pairs


def encoded(pairs: Pairs) -> bytes:
    """As the body of a form, or a query: whatever it is, byte by byte."""
    return "&".join(
        "=".join(quote_plus(one.encode("utf-8", "surrogatepass")) for one in pair) for pair in pairs
    ).encode()


def in_parts(pairs: Pairs, file: tuple[str, str, bytes] | None = None, charset: str = "") -> tuple[bytes, str]:
    """The same form as a body of several parts, with a file (field, name, content), and the type of it."""
    parts = [(f'name="{key}"', value.encode("utf-8", "surrogatepass")) for key, value in pairs if '"' not in key]
    if file is not None:
        parts.append((f'name="{file[0]}"; filename="{file[1]}"', file[2]))
    lines = (
        f"--{BOUNDARY}\r\nContent-Disposition: form-data; {head}\r\n\r\n".encode() + body + b"\r\n"
        for head, body in parts
    )
    kind = f"multipart/form-data; boundary={BOUNDARY}"
    return b"".join(lines) + f"--{BOUNDARY}--\r\n".encode(), f"{kind}; charset={charset}" if charset else kind
