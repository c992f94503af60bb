"""What a request says that it is written in: UTF-8, or nothing."""

from __future__ import annotations

import codecs
from typing import Any

from django.utils.http import parse_header_parameters


def take_utf8_only(environ: dict[str, Any]) -> None:
    """Take the Content-Type from a request that names another encoding than UTF-8, or that cannot be read at all.

    Django reads the query string, and a body of several parts, in whatever encoding of Python's a request names, some
    of it before its own handling of errors begins. Some are none of text and raise; others hide characters that no
    database stores, such as lone surrogates. Browsers name none with a form; such a request carries no form then.
    """
    try:
        _kind, parameters = parse_header_parameters(environ.get("CONTENT_TYPE", ""))
        known = codecs.lookup(parameters.get("charset", "utf-8")).name == "utf-8"
    except (LookupError, ValueError):
        known = False
    if not known:
        environ["CONTENT_TYPE"] = ""
