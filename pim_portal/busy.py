"""The answer to whoever waited too long for somebody else's change, where no form could say it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from http import HTTPStatus

from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from roles.refusals import Busy
from roles.waiting import waited_in_vain

AGAIN_IN = 5  # seconds

logger = logging.getLogger(__name__)


class BusyMiddleware:
    """Say in a sentence that others held what was wanted, instead of an error of the portal.

    Forms say it themselves, beside what was typed; this is for everything else that writes or waits.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, OperationalError) and waited_in_vain(exception):
            logger.warning("%s %s waited in vain for others: %s", request.method, request.path, exception)
        elif not isinstance(exception, Busy):
            return None
        answer = render(request, "busy.html", status=HTTPStatus.SERVICE_UNAVAILABLE)
        answer["Retry-After"] = str(AGAIN_IN)
        return answer
