"""Duplicate role created: two roles that allow the same."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from pim_portal.alerts.definitions.base import AlertKind, Finding, Ground
from pim_portal.models import Incident, Severity
from roles.models import Role
from roles.selectors.resources import under_retirement


class DuplicateRole(AlertKind):
    key = "duplicate_role"
    name = gettext_lazy("Roles that allow the same")
    severity = Severity.MEDIUM
    impact = gettext_lazy(
        "Of two roles that allow the same, one has settings that are easily forgotten: whoever is refused the one may "
        "get the other."
    )
    to_fix = gettext_lazy("Retire one of them on its page, after assigning the other to whoever holds it.")
    to_prevent = gettext_lazy("Look up what the existing roles allow before making one.")

    def description(self, count: int) -> str:
        sentence = ngettext(
            "{count} custom role allows the same as another role.",
            "{count} custom roles allow the same as another role.",
            count,
        )
        return sentence.format(count=count)

    def find(self, ground: Ground) -> Iterator[Finding]:
        # What was made at a place that is retired, or stands below one, is given to nobody.
        made = Q(~under_retirement("home__path"), home__path__startswith=ground.root.path)
        here = made | Q(home=None, built_in=True)
        rows = Role.objects.filter(here, kind=ground.root.realm.value, retired_at=None).exclude(permissions="")
        alike = defaultdict[frozenset[str], list[Role]](list)
        for role in rows.select_related("home").order_by("name_key", "pk"):
            lines = frozenset(line.strip().casefold() for line in role.permissions.splitlines() if line.strip())
            alike[lines].append(role)
        for roles in alike.values():
            yield from _of_those_alike(roles)

    def sentence(self, incident: Incident) -> str:
        return _("Allows the same as {roles}.").format(roles=", ".join(incident.facts["roles"]))


def _of_those_alike(roles: list[Role]) -> Iterator[Finding]:
    """Yield the custom ones among roles that allow the same, each with those that are known where it was made.

    What was made further down or elsewhere is not named: who administers this place may not see it.
    """
    for role in roles:
        if role.home is None:
            continue
        known = [one for one in roles if one != role and (one.home is None or one.home.contains(role.home))]
        if known:
            facts = {"roles": [one.name for one in known]}
            yield Finding(f"role:{role.pk}", role.home.pk, role.home.path, role_id=role.pk, facts=facts)
