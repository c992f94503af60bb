from __future__ import annotations

import gc
import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

from pim_portal.encodings import take_utf8_only
from pim_portal.garbage import look_between_requests

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pim_portal.settings")

_portal = get_wsgi_application()

# What stays for good is loaded now, every view with it, and never again looked through for garbage: each full search
# took as long as a page, at the cost of whoever asked for one just then.
_ = get_resolver().url_patterns
gc.collect()
gc.freeze()
look_between_requests()


def application(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    take_utf8_only(environ)
    return _portal(environ, start_response)
