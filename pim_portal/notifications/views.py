"""The page on which somebody chooses their mails, and the operators' list of mails."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import Count, QuerySet
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from pim_portal.models import Notification, NotificationState
from pim_portal.notifications import services
from pim_portal.notifications.forms import ChoicesForm
from pim_portal.notifications.tables import MailFilter, MailTable
from roles.answers import form_page, read_and_send
from roles.catalogue import Permission
from roles.guards import holding
from roles.lists import ListPage
from roles.middleware import PortalRequest, actor_of
from roles.refusals import Refused
from roles.tabs import Tab
from roles.views.ids import ids_in


@read_and_send
def choose(request: PortalRequest) -> HttpResponseBase:
    """Show how one hears of each topic, and change it."""
    form = ChoicesForm(request.POST or None, user_id=request.user.pk)
    if form.is_valid():
        try:
            services.choose(form.chosen(), actor=actor_of(request), clock=timezone.now)
        except Refused as refused:
            form.add_refusal(refused)
        else:
            messages.success(request, _("Saved. It holds for every mail that is sent from now on."))
            return redirect("notifications")
    return form_page(request, "notifications/choose.html", form, groups=form.groups())


TABS = (NotificationState.FAILED, NotificationState.WAITING, NotificationState.SENT)
NOTHING_THERE = {
    NotificationState.FAILED: gettext_lazy("No mail was set aside."),
    NotificationState.WAITING: gettext_lazy("No mail waits to be sent."),
    NotificationState.SENT: gettext_lazy("No mail was sent yet."),
}


@method_decorator(holding(Permission.OPERATE), name="dispatch")
class Mails(ListPage):
    """What became of the mails: set aside, waiting, sent."""

    request: PortalRequest
    table_class = MailTable
    filter_class = MailFilter
    template_name = "notifications/mails.html"

    @property
    def state(self) -> NotificationState:
        wanted = self.request.GET.get("tab", "")
        return NotificationState(wanted) if wanted in TABS else NotificationState.FAILED

    def rows(self) -> QuerySet[Any]:
        rows = Notification.objects.filter(state=self.state).select_related("recipient")
        return rows.order_by("-created_at", "pk")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        counted = Notification.objects.exclude(state=NotificationState.SENT).order_by().values_list("state")
        counts = dict(counted.annotate(Count("pk")))
        tabs = [
            Tab(one.label, f"{reverse('mails')}?tab={one.value}", one == self.state, counts.get(one.value))
            for one in TABS
        ]
        may_send = self.state == NotificationState.FAILED and bool(counts.get(NotificationState.FAILED))
        context = super().get_context_data(tabs=tabs, may_send=may_send, **kwargs)
        context["table"].empty_text = NOTHING_THERE[self.state]
        return context


mails = Mails.as_view()


@require_POST
@holding(Permission.OPERATE)
def send_again(request: PortalRequest) -> HttpResponseBase:
    """Send the chosen mails again. No second factor: it repeats what the portal itself has written."""
    chosen = ids_in(request.POST, "selection")
    try:
        count = services.send_again(chosen, actor=actor_of(request), clock=timezone.now)
    except Refused as refused:
        messages.error(request, refused.sentence)
    else:
        sentence = ngettext("{count} mail is being sent again.", "{count} mails are being sent again.", count)
        messages.success(request, sentence.format(count=count))
    return redirect("mails")
