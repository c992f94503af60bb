"""The mails of the outbox as a list: what kind, to whom, and what became of them. Never what they say."""

from __future__ import annotations

from typing import Any

import django_filters
import django_tables2 as tables
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pim_portal.models import Notification, NotificationState
from pim_portal.notifications.catalogue import BY_NAME
from roles.lists import SelectColumn
from roles.marks import NOTHING, moment, sub, tag
from roles.markup import format_html
from roles.pills import ListFilter

LOOKS = {
    NotificationState.FAILED: "bad",
    NotificationState.WAITING: "warn",
    NotificationState.SENT: "good",
}


def label_of(mail: str) -> str:
    """Say a kind of mail in words: its name is made of them."""
    return mail.replace("_", " ").capitalize()


class MailFilter(ListFilter):
    search_in = ("recipient__name_key__contains", "address__icontains", "last_error__icontains")

    mail = django_filters.ChoiceFilter(
        label=gettext_lazy("Kind"),
        empty_label=gettext_lazy("All"),
        choices=[(name, label_of(name)) for name in sorted(BY_NAME)],
    )

    class Meta:
        model = Notification
        fields = ("q", "mail")


class MailTable(tables.Table):
    selection = SelectColumn(
        "selection",
        label=lambda row: label_of(row.mail),
        when=lambda row: row.state == NotificationState.FAILED,
    )
    mail = tables.Column(verbose_name=gettext_lazy("Mail"), attrs={"td": {"class": "main"}})
    to = tables.Column(
        verbose_name=gettext_lazy("To"), empty_values=(), order_by=("recipient__name_key", "address", "channel")
    )
    state = tables.Column(verbose_name=gettext_lazy("State"))
    attempts = tables.Column(verbose_name=gettext_lazy("Attempts"))
    created_at = tables.Column(verbose_name=gettext_lazy("Written"))
    last_error = tables.Column(
        verbose_name=gettext_lazy("Last answer"), default="", orderable=False, attrs={"td": {"class": "wide"}}
    )

    class Meta:
        attrs = {"aria-label": gettext_lazy("Mails")}

    def render_mail(self, value: str) -> SafeString:
        return format_html("<b>{}</b>", label_of(value))

    def render_to(self, record: Any) -> SafeString:
        if record.channel:
            return format_html("{}{}", _("Chat channel"), sub(record.channel))
        if record.recipient is None:
            return format_html("{}{}", record.address, sub(_("named by a role’s settings")))
        return format_html("{}", record.recipient.name)

    def render_state(self, record: Any) -> SafeString:
        when = NOTHING
        if record.state == NotificationState.WAITING:
            when = sub(format_html("{} {}", _("next attempt"), moment(self.context, record.next_attempt_at)))
        elif record.sent_at is not None:
            when = sub(moment(self.context, record.sent_at))
        look = LOOKS.get(NotificationState(record.state), "")
        return format_html("{}{}", tag(look, record.get_state_display()), when)

    def render_created_at(self, value: Any) -> SafeString:
        return moment(self.context, value)
