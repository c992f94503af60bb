"""The answer to a form: the page with it, as refused where something is wrong with it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

# A page with a form: shown by GET, sent by POST.
read_and_send = require_http_methods(["GET", "HEAD", "POST"])


def form_page(request: HttpRequest, template: str, form: BaseForm, **context: Any) -> HttpResponse:
    """Show a form; with errors it is answered as refused (422), so that a side panel keeps what was typed."""
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, template, {"form": form, **context}, status=status)
