"""The first set-up of a real installation."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters

from pim_portal.setup import services
from pim_portal.setup.forms import SetUpForm
from roles.actors import Actor
from roles.answers import form_page, read_and_send
from roles.guards import open_to_strangers
from roles.middleware import PortalRequest
from roles.refusals import Refused


@open_to_strangers
@read_and_send
@sensitive_post_parameters("code", "new_password", "repeated")
def setup(request: PortalRequest) -> HttpResponseBase:
    """Make the first person; there is no such page afterwards."""
    if services.is_set_up():
        raise Http404
    form = SetUpForm(request.POST or None)
    if form.is_valid():
        given = form.cleaned_data
        try:
            services.check_code(given["code"], clock=timezone.now)
            services.set_up(
                code=given["code"],
                username=given["username"],
                name=given["name"],
                email=given["email"],
                password=given["new_password"],
                root=given["root"],
                actor=Actor(user=None, name=_("First set-up"), address=request.META.get("REMOTE_ADDR", "")),
                clock=timezone.now,
            )
        except Refused as refused:
            if "set_up" in refused.codes:
                raise Http404 from refused
            form.add_refusal(refused)
        else:
            messages.success(request, _("The portal is set up. Sign in, and add your second factor."))
            return redirect("sign_in")
    return form_page(request, "setup/setup.html", form)
