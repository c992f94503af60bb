"""An approver gets a mail, follows its link, decides; and decides others from the list, with one justification."""

from __future__ import annotations

import email
import re
import socket
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message
from django.utils import timezone

from approvals.models import Request, Status
from pim_portal.models import Notification
from pim_portal.notifications.outbox import deliver
from roles.models import Assignment, User
from tests.people import HOUR, request_activation

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


class Postbox(Message):
    """A mail server that keeps what it accepts."""

    def __init__(self) -> None:
        super().__init__(EmailMessage)
        self.mails: list[EmailMessage] = []

    def prepare_message(self, session: Any, envelope: Any) -> EmailMessage:
        return email.message_from_bytes(envelope.content, policy=default)

    def handle_message(self, message: Any) -> None:
        self.mails.append(message)


@pytest.fixture
def postbox(settings: Any, live_server: Any) -> Iterator[Postbox]:
    box = Postbox()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.PIM_BASE_URL = "127.0.0.1", port, live_server.url
    yield box
    controller.stop()


def test_a_request_is_decided_from_its_mail(organisation, sit_down, clock, postbox):
    Notification.objects.all().delete()
    ines = User.objects.get(username="ines")
    eligible = Assignment.objects.get(principal=ines, role__name="Exchange Administrator", type="eligible")
    asked = request_activation(
        ines, eligible, hours=4, now=clock.now, reason="Restore the shared mailbox of the board", ticket="INC0041902"
    )
    deliver(clock=timezone.now)
    (mail,) = [one for one in postbox.mails if "amelie@" in one["To"]]
    letter = mail.get_body(("html",)).get_content()
    assert str(asked.pk) in letter

    amelie = sit_down("amelie")
    (link,) = set(re.findall(r'class="button"[^>]* href="([^"]+)"|href="([^"]+)"[^>]* class="button"', letter))
    clock.pass_on(minutes=2)
    amelie.go("".join(link))
    amelie.look_around()
    amelie.sign_in()
    amelie.expect_text("Restore the shared mailbox of the board")
    amelie.look_around("approve", phone="approve-phone")
    clock.pass_on(minutes=6)
    amelie.page.reload()
    amelie.fill("Grant for", "1:30")
    amelie.fill("Justification", "Ninety minutes are enough")
    amelie.give_code()
    amelie.press("Approve")
    amelie.expect_text("You approved this request.")
    amelie.look_around()
    asked.refresh_from_db()
    assert asked.status == Status.GRANTED
    assert asked.outcome.ends_at == clock.now + 1.5 * HOUR

    amelie.menu("Approve requests")
    amelie.look_around("approve-requests")
    amelie.page.get_by_label("Select Li Wei: Exchange Administrator").check()
    amelie.press("Deny selected", exact=False)
    amelie.expect_panel("Deny 1 request")
    amelie.fill("Justification", "Wave 3 is next week")
    clock.pass_on(minutes=1)
    amelie.give_code()
    amelie.look_around()
    amelie.press("Deny")
    amelie.expect_heading("What became of the request")
    amelie.look_around()
    assert Request.objects.filter(principal__name="Li Wei").latest("made_at").status == Status.DENIED
    amelie.go("/tasks/approvals/deputies/")
    amelie.look_around()
