"""The pages of the demo: its people, and the mailbox. `pim_portal.demo.urls` puts them up in the demo only."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode

import django_tables2 as tables
from csp.constants import NONE, SELF
from csp.decorators import csp, csp_update
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.html import escape, format_html
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_GET, require_POST

from pim_portal.accounts.links import way_on
from pim_portal.demo import doors
from pim_portal.models import SampleMail
from roles.guards import open_to_strangers
from roles.lists import ListPage
from roles.marks import moment, sub
from roles.models import User
from roles.models.principals import search_key
from roles.pills import ChoicePill, ListFilter
from roles.refusals import Refused


@open_to_strangers
@require_GET
def people(request: HttpRequest) -> HttpResponseBase:
    """Show the sample people, their codes, and the way in as each of them."""
    return render(request, "demo/people_page.html", {"next": way_on(request)})


@open_to_strangers
@require_GET
def codes(request: HttpRequest) -> HttpResponseBase:
    """Say the codes of this moment by user name, for the pages that show them."""
    first, others = doors.people()
    return JsonResponse({person.user.username: person.code for person in [*first, *others]})


@open_to_strangers
@require_POST
def enter(request: HttpRequest) -> HttpResponseBase:
    """Sign in as one of the sample people, and go on to the page that was meant."""
    user = User.objects.filter(username=request.POST.get("username", "").replace("\0", ""), enabled=True).first()
    if user is None or not doors.can_enter(user):
        messages.error(request, _("Nobody of this name can sign in. Choose somebody else."))
        return redirect("demo:people")
    wanted = way_on(request)
    try:
        doors.enter(request, user)
    except Refused as refused:
        logout(request)
        messages.error(request, refused.sentence)
        return redirect("demo:people")
    return redirect(wanted)


# The mailbox


def _recipients() -> list[tuple[str, str]]:
    rows = SampleMail.objects.order_by("recipient").values_list("recipient", flat=True).distinct()
    names = dict(User.objects.filter(email__in=rows).values_list("email", "name"))
    return [(address, names.get(address, address)) for address in rows]


class MailFilter(ListFilter):
    search_in = ("recipient__icontains", "subject__icontains", "text__icontains")
    to = ChoicePill(field_name="recipient", label=gettext_lazy("To"), choices=_recipients)

    class Meta:
        model = SampleMail
        fields = ("q", "to")


class MailTable(tables.Table):
    subject = tables.Column(
        verbose_name=gettext_lazy("Mail"),
        linkify=("demo:mail", {"pk": tables.A("pk")}),
        attrs={"td": {"class": "main"}},
    )
    person = tables.Column(verbose_name=gettext_lazy("To"), accessor="person", order_by="recipient", empty_values=())
    sent_at = tables.Column(verbose_name=gettext_lazy("Sent"))

    class Meta:
        attrs = {"aria-label": gettext_lazy("Mails")}
        order_by = "-sent_at"
        empty_text = gettext_lazy(
            "No mail was sent yet. Ask for a role that needs approval, and its approvers get one."
        )

    def render_person(self, record: Any) -> SafeString:
        return format_html("{}{}", record.person or "", sub(record.recipient))

    def render_sent_at(self, value: Any) -> SafeString:
        return moment(self.context, value)


@method_decorator(require_GET, name="dispatch")
class Mailbox(ListPage):
    """The mails that would have been sent, of everybody or of one recipient."""

    open_to = "strangers"
    template_name = "demo/mailbox.html"
    table_class = MailTable
    filter_class = MailFilter

    def rows(self) -> QuerySet[Any]:
        name = User.objects.filter(email=OuterRef("recipient")).values("name")[:1]
        return SampleMail.objects.annotate(person=Subquery(name)).order_by("-sent_at", "-pk")


def _recipient_of(sample: SampleMail) -> User | None:
    return User.objects.filter(email_key=search_key(sample.recipient)).exclude(email_key="").first()


def _paths_in(sample: SampleMail) -> list[str]:
    """Return the paths of the portal's pages that a mail links to, each once; the front page is no news."""
    found = re.findall(re.escape(settings.PIM_BASE_URL) + r"(/[^\s<>\"']*)", sample.text)
    return [path for path in dict.fromkeys(found) if path != "/"]


@open_to_strangers
@require_GET
@csp_update({"frame-src": [SELF]})  # type: ignore[arg-type]  # its types know no view with arguments
def mail(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Show one mail; its links open as the person it was sent to."""
    sample = get_object_or_404(SampleMail, pk=pk)
    user = _recipient_of(sample)
    context = {"mail": sample, "person": user, "can_enter": doors.can_enter(user), "paths": _paths_in(sample)}
    return render(request, "demo/mail.html", context)


@open_to_strangers
@require_GET
@xframe_options_sameorigin
@csp(  # type: ignore[arg-type]
    {
        "default-src": [NONE],
        # A mail brings its styles along.
        "style-src": ["'unsafe-inline'"],
        "img-src": ["data:"],
        "base-uri": [NONE],
        "form-action": [NONE],
        "frame-ancestors": [SELF],
        "sandbox": ["allow-top-navigation-by-user-activation"],
    }
)
def mail_html(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Answer the mail as a mail program would show it, without scripts; its links lead to `open_as`."""
    sample = get_object_or_404(SampleMail, pk=pk)
    door = reverse("demo:open_as", args=[pk])

    def through_the_door(link: re.Match[str]) -> str:
        return f'target="_top" href="{escape(door)}?{urlencode({"to": link[1].replace("&amp;", "&") or "/"})}"'

    link = re.compile('href="' + re.escape(settings.PIM_BASE_URL) + r'((?:/[^"]*)?)"')
    return HttpResponse(mark_safe(link.sub(through_the_door, sample.html)))  # noqa: S308 - sandboxed by its headers


@open_to_strangers
@require_GET
def open_as(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Ask whether to open a mail's link as its recipient; whoever is signed in as them goes there at once."""
    sample = get_object_or_404(SampleMail, pk=pk)
    user = _recipient_of(sample)
    to = request.GET.get("to", "/")
    if not url_has_allowed_host_and_scheme(to, allowed_hosts=None) or not to.startswith("/") or not to.isprintable():
        to = "/"
    if user is None or not doors.can_enter(user):
        return redirect(to)
    if request.user.is_authenticated and request.user.pk == user.pk and request.user.is_verified():  # type: ignore[attr-defined]
        return redirect(to)
    return render(request, "demo/open_as.html", {"mail": sample, "person": user, "path": to})
