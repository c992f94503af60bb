"""The answer to what nobody expected: 503 where only the database is out of reach, 500 for everything else."""

from __future__ import annotations

import logging
import sys
from typing import Final

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views.defaults import server_error as broken

logger = logging.getLogger(__name__)

RETRY_AFTER: Final = 5  # seconds


def server_error(request: HttpRequest) -> HttpResponse:
    """Say that something broke; or, where the database is gone, full or too busy, to try again.

    Whatever was under way was done whole or not at all: a service is one transaction.
    """
    error = sys.exc_info()[1]
    if not isinstance(error, OperationalError | InterfaceError):
        return broken(request)
    logger.error("The database does not answer: %s", error)
    page = render_to_string("503.html")
    return HttpResponse(page, status=503, headers={"Retry-After": str(RETRY_AFTER)})
