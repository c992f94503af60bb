"""Saved profiles: what one keeps, and naming, pinning and deleting one. Activating one stands with activating."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from approvals.forms.profiles import ProfileNameForm
from approvals.models import Profile
from approvals.rules.profiles import MOST_PROFILES
from approvals.selectors.profiles import kept_profiles, profiles_of
from approvals.services.profiles import delete_profile, pin_profile, rename_profile
from approvals.views.my_roles import tabs_of_my_roles
from roles.answers import form_page, read_and_send
from roles.middleware import PortalRequest, actor_of
from roles.refusals import Refused


@require_safe
def profiles(request: PortalRequest) -> HttpResponse:
    """Show the profiles that the viewer keeps."""
    page = {
        "tabs": tabs_of_my_roles(request, "profiles"),
        "profiles": kept_profiles(request.authority, profiles_of(request.user)),
        "most": MOST_PROFILES,
    }
    return render(request, "approvals/profiles.html", page)


@read_and_send
def rename(request: PortalRequest, pk: uuid.UUID) -> HttpResponse:
    """Call a profile something else."""
    profile = get_object_or_404(profiles_of(request.user), pk=pk)
    sent = request.POST if request.method == "POST" else None
    form = ProfileNameForm(sent, initial={"name": profile.name})
    if form.is_valid():
        try:
            rename_profile(pk, form.cleaned_data["name"], actor=actor_of(request), clock=timezone.now)
        except Profile.DoesNotExist:
            raise Http404 from None
        except Refused as refused:
            form.add_refusal(refused)
        else:
            messages.success(request, _("The profile was renamed."))
            return redirect("approvals:profiles")
    return form_page(request, "approvals/profile_rename.html", form, profile=profile)


@require_POST
def pin(request: PortalRequest, pk: uuid.UUID) -> HttpResponse:
    """Show a profile on the Overview, or no longer."""
    get_object_or_404(profiles_of(request.user), pk=pk)
    pinned = request.POST.get("pinned") == "1"
    try:
        profile = pin_profile(pk, pinned=pinned, actor=actor_of(request), clock=timezone.now)
    except Profile.DoesNotExist:
        raise Http404 from None
    words = _("{name} is on your Overview now.") if pinned else _("{name} is no longer on your Overview.")
    messages.success(request, words.format(name=profile.name))
    return redirect("approvals:profiles")


@read_and_send
def delete(request: PortalRequest, pk: uuid.UUID) -> HttpResponse:
    """Forget a profile; what one holds stays as it is."""
    profile = get_object_or_404(profiles_of(request.user), pk=pk)
    if request.method == "POST":
        try:
            delete_profile(pk, actor=actor_of(request), clock=timezone.now)
        except Profile.DoesNotExist:
            raise Http404 from None
        messages.success(request, _("{name} was deleted.").format(name=profile.name))
        return redirect("approvals:profiles")
    return render(request, "approvals/profile_delete.html", {"profile": profile})
