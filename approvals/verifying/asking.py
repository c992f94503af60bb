"""The desk of a form: it asks the verifier that the portal's environment names, once everything else is right."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, TypeVar

from django.conf import settings
from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from approvals.models import Action
from approvals.rules.activations import ActivateFacts
from approvals.services.activations import Wanted
from approvals.ticket_checks import Finding, TicketCheck
from approvals.verifying import web_hook
from approvals.verifying.answers import NoAnswer, Said, said
from approvals.verifying.deadlines import in_time
from roles.models import Resource, Role, User
from roles.refusals import Rule, broken

Facts = TypeVar("Facts", bound=ActivateFacts)

LONGEST_FORM: Final = 10.0  # seconds for all tickets of one form

logger = logging.getLogger(__name__)


def is_set_up() -> bool:
    """Return whether the portal has anybody to ask."""
    return bool(settings.PIM_TICKET_URL or settings.PIM_TICKET_VERIFIER)


@dataclass
class Desk:
    """Asks for the tickets of one form. After a question without an answer, and when its time is over, no more."""

    action: Action
    _began: float = field(default_factory=time.monotonic)
    _given_up: str = ""

    def with_check(
        self,
        wanted: Wanted,
        *,
        facts: Facts,
        rules: Sequence[Rule[Facts]],
        person: User,
        role: Role,
        resource: Resource,
    ) -> Wanted:
        """Return what is wanted with the check of its ticket, where one is demanded and nothing else is against it.

        So a ticket system learns of no form that would be refused anyway, and is no oracle for whoever may not ask.
        """
        if not facts.settings.ticket_verified:
            return wanted
        if {one.code for one in broken(rules, facts)} - {"ticket_unchecked"}:
            return wanted
        finding, words = self._ask(
            {
                "ticket": facts.subject.ticket,
                "action": str(self.action),
                "person": person.username,
                "person_id": str(facts.subject.person_id),
                "role": role.name,
                "role_id": str(facts.subject.role_id),
                "resource": resource.scope_path,
                "resource_id": str(facts.subject.resource_id),
            }
        )
        check = TicketCheck(facts.subject, finding, _verifier(), words, timezone.now())
        return replace(wanted, ticket_check=check)

    def _ask(self, question: Mapping[str, str]) -> tuple[Finding, str]:
        if self._given_up:
            return Finding.UNKNOWN, self._given_up
        if time.monotonic() - self._began > LONGEST_FORM:
            return Finding.UNKNOWN, _("there was no time left for it. Ask for fewer roles at once.")
        try:
            answer = _asked(question)
        except NoAnswer as none:
            logger.warning("No answer on a ticket: %s", none)
            self._given_up = str(none)
            return Finding.UNKNOWN, self._given_up
        return Finding.ACCEPTED if answer.accepted else Finding.REJECTED, answer.words


def _verifier() -> str:
    if settings.PIM_TICKET_URL:
        return web_hook.Hook(settings.PIM_TICKET_URL, "").host
    return _("the ticket system")


def _asked(question: Mapping[str, str]) -> Said:
    if settings.PIM_TICKET_URL:
        hook = web_hook.Hook(
            settings.PIM_TICKET_URL, settings.PIM_TICKET_SECRET, allow_private=settings.PIM_TICKET_ALLOW_PRIVATE
        )
        return web_hook.ask(hook, question)
    if settings.PIM_TICKET_VERIFIER:
        return in_time(lambda: _called(settings.PIM_TICKET_VERIFIER, question))
    raise NoAnswer(_("the portal has no ticket system to ask. Tell whoever runs the portal."))


def _called(path: str, question: Mapping[str, str]) -> Said:
    """Call the function of this dotted path; it answers yes or no, or a pair of that and words for the person."""
    answer = import_string(path)(dict(question))
    if isinstance(answer, tuple) and len(answer) == 2:
        return said(*answer)
    return said(answer)
