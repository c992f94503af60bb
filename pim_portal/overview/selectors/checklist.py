"""The checklist that stays on the Overview after the first set-up, until it is done or dismissed."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import TextChoices
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from pim_portal.models import SetUp
from roles.authority import Authority
from roles.catalogue import Permission
from roles.models import Resource, ResourceKind
from roles.selectors.administrators import lasting_administrators


class Step(TextChoices):
    """What a new installation still needs."""

    ADMINISTRATOR = "administrator", _("A second administrator")
    MAIL = "mail", _("Mail")
    BASE_URL = "base-url", _("Address of the portal")
    BACKUP = "backup", _("Backup")
    RESOURCE = "resource", _("First resource root")


_ADVICE: dict[Step, str | Promise] = {
    Step.ADMINISTRATOR: _(
        "Give somebody else Privileged Role Administrator without an end, and let them enrol a second factor. "
        "One person alone could lose phone and password on the same day."
    ),
    Step.MAIL: _("Set PIM_EMAIL_URL, so that approvers hear of requests. Until then they see them only here."),
    Step.BASE_URL: _("Set PIM_BASE_URL to the https address under which people open the portal. Mails link to it."),
    Step.BACKUP: _(
        "Back up the database every day, apart from this machine, and try once to restore it. "
        "The portal cannot see whether you do: dismiss this when it is settled."
    ),
    Step.RESOURCE: _(
        "Name the first resource root and its Owner to govern resource roles. Not needed for directory roles."
    ),
}


@dataclass(frozen=True, slots=True)
class Item:
    """One step of the checklist as it stands."""

    step: Step
    advice: str | Promise
    done: bool


def may_set_up(authority: Authority) -> bool:
    """Return whether this person looks after the portal as a whole."""
    return authority.allows(Permission.OPERATE) or authority.allows(Permission.ASSIGN)


def checklist(authority: Authority, *, mail_configured: bool, base_url: str) -> list[Item]:
    """Return the steps that nobody has dismissed; none where all are done, or for whom they do not concern."""
    if not may_set_up(authority):
        return []
    row = SetUp.objects.filter(pk=1).first()
    dismissed = set(row.dismissed) if row else set()
    done = {
        Step.ADMINISTRATOR: len(lasting_administrators(authority.now)) > 1,
        Step.MAIL: mail_configured,
        Step.BASE_URL: base_url.startswith("https://"),
        Step.BACKUP: False,
        Step.RESOURCE: Resource.objects.filter(kind=ResourceKind.ROOT, retired_at=None).exists(),
    }
    items = [Item(step, _ADVICE[step], done[step]) for step in Step if step not in dismissed]
    return items if any(not item.done for item in items) else []
