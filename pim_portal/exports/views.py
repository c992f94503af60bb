"""Taking away everything of one world as a zip."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters

from pim_portal.exports.contents import World, files, paths_of
from pim_portal.exports.forms import ExportForm
from pim_portal.exports.services import export_everything
from roles.answers import form_page, read_and_send
from roles.middleware import PortalRequest
from roles.refusals import Refused
from roles.zipping import zipped


@sensitive_post_parameters("code")
@read_and_send
def export(request: PortalRequest, world: World) -> HttpResponseBase:
    """Ask why; then send the zip while it is written."""
    if not paths_of(request.authority, world):
        raise PermissionDenied
    form = ExportForm(request.POST if request.method == "POST" else None, request=request)
    if form.is_valid():
        try:
            actor = form.actor([request.user.pk])
            now = export_everything(world, reason=form.cleaned_data["reason"], actor=actor, clock=timezone.now)
        except Refused as refused:
            form.add_refusal(refused)
        else:
            name = f"{_names()[world][1]}-{timezone.localdate().isoformat()}.zip"
            parts = zipped(files(request.user, world=world, now=now), at=now)
            answer = StreamingHttpResponse(parts, content_type="application/zip")
            answer["Content-Disposition"] = f'attachment; filename="{name}"'
            return answer
    context: dict[str, Any] = {"world": world, "name": _names()[world][0]}
    return form_page(request, "exports/export.html", form, **context)


def _names() -> dict[World, tuple[str, str]]:
    return {World.DIRECTORY: (_("Directory roles"), "directory"), World.RESOURCE: (_("Resources"), "resources")}
