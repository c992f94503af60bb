"""The page of health, and what Prometheus and other strangers ask at well-known places."""

from __future__ import annotations

import secrets
from datetime import timedelta

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_safe
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

from pim_portal.operations.metrics import registry
from pim_portal.operations.vitals import measure, vitals
from roles.catalogue import Permission
from roles.guards import holding, open_to_strangers
from roles.middleware import PortalRequest

BEARER = "Bearer "


@require_safe
@holding(Permission.OPERATE)
def health(request: PortalRequest) -> HttpResponseBase:
    """Say how the portal is, part by part."""
    return render(request, "operations/health.html", {"vitals": vitals(measure(request.now)), "now": request.now})


@open_to_strangers
@never_cache
@require_GET
def metrics(request: HttpRequest) -> HttpResponse:
    """Tell the figures to whoever brings the token; without a token in the settings there is no such page."""
    if not settings.PIM_METRICS_TOKEN:
        raise Http404
    brought = request.headers.get("Authorization", "")
    if not secrets.compare_digest(brought.encode(), f"{BEARER}{settings.PIM_METRICS_TOKEN}".encode()):
        return HttpResponse(status=401, headers={"WWW-Authenticate": "Bearer"})
    return HttpResponse(generate_latest(registry()), content_type=CONTENT_TYPE_PLAIN_0_0_4)


@open_to_strangers
@require_safe
def security_txt(request: HttpRequest) -> HttpResponse:
    """Say whom to tell of a weakness (RFC 9116); there is no such page where nobody is named."""
    if not settings.PIM_SECURITY_CONTACT:
        raise Http404
    # The RFC wants an end less than a year ahead; it moves on with every answer.
    expires = (timezone.now() + timedelta(days=180)).replace(hour=0, minute=0, second=0, microsecond=0)
    lines = [
        f"Contact: {settings.PIM_SECURITY_CONTACT}",
        f"Expires: {expires:%Y-%m-%dT%H:%M:%SZ}",
        f"Canonical: {settings.PIM_BASE_URL}{request.path}",
        "Preferred-Languages: en",
    ]
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")


@open_to_strangers
@require_safe
def robots_txt(request: HttpRequest) -> HttpResponse:
    """Keep search engines out."""
    return HttpResponse("User-agent: *\nDisallow: /\n", content_type="text/plain; charset=utf-8")


@open_to_strangers
@require_safe
def change_password(request: HttpRequest) -> HttpResponseBase:
    """Lead a password manager to where a password is changed."""
    return redirect("password_change")
