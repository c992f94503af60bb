"""Choosing which mails one gets, and sending again what was set aside."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping

from django.utils.translation import gettext as _

from audit.kinds import Kind
from pim_portal.models import Delivery, Notification, NotificationChoice, NotificationState, Topic
from pim_portal.notifications.choices import AT_ONCE_OR_NEVER, choices_of, usual
from pim_portal.notifications.rows import have_it_sent
from roles.actors import Actor, Clock
from roles.authority import Authority
from roles.catalogue import Permission
from roles.models import User
from roles.refusals import Refused, Violation
from roles.service import record, service
from roles.services.locks import lock_principal


@service(Kind.NOTIFICATIONS_CHOSEN)
def choose(choices: Mapping[Topic, Delivery], *, actor: Actor, clock: Clock) -> None:
    """Set how one hears of these topics oneself. Raises `Refused` for a way that a topic does not have."""
    if actor.user is None:
        raise Refused([Violation("nobody", _("Only a person chooses which mails they get."))])
    lock_principal(actor.user.pk)
    user = User.objects.get(pk=actor.user.pk)
    now = clock()
    wrong = [topic for topic, way in choices.items() if topic in AT_ONCE_OR_NEVER and way == Delivery.DIGEST]
    if wrong:
        sentence = _("This cannot be kept for the digest.")
        raise Refused([Violation("not_in_the_digest", sentence, str(topic)) for topic in wrong])
    before = choices_of(user.pk)
    changed = {topic: way for topic, way in choices.items() if before[topic] != way}
    if not changed:
        return
    NotificationChoice.objects.filter(user=user, topic__in=list(changed)).delete()
    NotificationChoice.objects.bulk_create(
        NotificationChoice(user=user, topic=topic, delivery=way)
        for topic, way in changed.items()
        if way != usual(topic)
    )
    details = {str(topic): str(way) for topic, way in changed.items()}
    record(Kind.NOTIFICATIONS_CHOSEN, actor=actor, at=now, target=user, details={"chosen": details})


@service(Kind.MAILS_SENT_AGAIN)
def send_again(ids: Iterable[uuid.UUID], *, actor: Actor, clock: Clock) -> int:
    """Put mails that were set aside back among those that wait; return how many there were. Raises `Refused`.

    They keep their Message-ID. What waits, was sent or is needless stays as it is.
    """
    rows = Notification.objects.filter(pk__in=list(ids), state=NotificationState.FAILED)
    keys = list(rows.select_for_update(of=("self",)).order_by("pk").values_list("pk", flat=True))
    now = clock()
    held = Authority(actor.user, now).by(Permission.OPERATE) if actor.user else None
    if actor.user is not None and held is None:
        raise Refused([Violation("not_allowed", _("Only a Security Administrator can send mails again."))])
    if not keys:
        return 0
    again = {"state": NotificationState.WAITING, "attempts": 0, "next_attempt_at": now}
    Notification.objects.filter(pk__in=keys).update(**again)
    record(
        Kind.MAILS_SENT_AGAIN,
        actor=actor,
        at=now,
        authority_id=held.assignment_id if held else None,
        details={"count": len(keys), "mails": [str(key) for key in keys]},
    )
    have_it_sent(chats=True)
    return len(keys)
