"""A request is written in UTF-8, or it carries no form."""

from __future__ import annotations

import pytest

from pim_portal.encodings import take_utf8_only


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("multipart/form-data; boundary=x", "multipart/form-data; boundary=x"),
        ("text/plain; charset=UTF-8", "text/plain; charset=UTF-8"),
        ("", ""),
        ("multipart/form-data; boundary=x; charset=utf-7", ""),
        ("multipart/form-data; boundary=x; charset=hex", ""),
        ("multipart/form-data; boundary=x; charset=no-such", ""),
        ("multipart/form-data; boundary=x; y*=no-such'en'z", ""),
    ],
)
def test_of_the_content_type_only_utf8_is_taken(said, left):
    environ = {"CONTENT_TYPE": said}
    take_utf8_only(environ)
    assert environ == {"CONTENT_TYPE": left}
