"""Smaller roles in place of one that somebody is about to activate."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from roles.models import Assignment, User
from roles.rules.smaller import Smaller
from roles.selectors.smaller import hint_at
from roles.smaller_words import Said, said_of


def smaller_for(user: User, eligibility: Assignment, now: datetime) -> list[Said]:
    """Say which smaller roles in use where this eligibility stands may do: by what was done under it, or by lines.

    The link activates the smaller role where this person is eligible for it there; else it leads to whom to ask.
    """
    place = eligibility.resource
    own = Assignment.objects.eligible_for(user.pk, now).filter(resource__path__in=place.way)

    def lead(one: Smaller) -> tuple[str, str]:
        mine = own.filter(role=one.role_id).order_by("-resource__path", "pk").first()
        if mine is not None:
            address = f"{reverse('approvals:activate')}?{urlencode({'eligibility': mine.pk})}"
            return address, _("Activate {role} instead").format(role=one.name)
        return f"{reverse('find_role')}?{urlencode({'at': place.pk, 'q': one.name})}", _("Whom to ask for it")

    return said_of(hint_at(eligibility.role, place, now, only=eligibility), lead)
