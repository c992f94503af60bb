"""The roles of a place with the settings that rule each there, to be listed, searched and sorted."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db.models import BooleanField, Case, CharField, Field, IntegerField, Q, QuerySet, Value, When
from django.utils.translation import gettext_lazy as _

from roles.ids import DIRECTORY
from roles.models import Resource, Role, RoleSettings
from roles.models.principals import search_key
from roles.selectors.catalogue import in_use_at, roles_known_at
from roles.selectors.settings import EffectiveSettings, SettingsBook, differ, portal_default

OWN, INHERITED, EVERYWHERE, DEFAULT = "own", "inherited", "everywhere", "default"
STANDINGS = [
    (OWN, _("Here")),
    (INHERITED, _("Above")),
    (EVERYWHERE, _("For the role everywhere")),
    (DEFAULT, _("Nowhere: default")),
]


def standing_of(settings: EffectiveSettings, place: Resource) -> str:
    """Return where settings come from, as seen from a place: one of `STANDINGS`."""
    if settings.is_default:
        return DEFAULT
    if settings.source_id is None:
        return EVERYWHERE
    return OWN if settings.source_id == place.pk else INHERITED


def is_own(settings: EffectiveSettings, place: Resource) -> bool:
    """Return whether a place has these settings itself; the role's default stands at the directory, too."""
    if place.pk == DIRECTORY:
        return not settings.is_default
    return bool(settings.source_id == place.pk)


def source_of(settings: EffectiveSettings) -> Resource | None:
    """Return the place that these settings were set at; None where they are those of the role everywhere."""
    return Resource.objects.filter(pk=settings.source_id).first() if settings.source_id else None


def settings_at(place: Resource) -> dict[uuid.UUID, EffectiveSettings]:
    """Return what rules each role of a place there, retired roles among them; a bounded number of queries."""
    roles = list(roles_known_at(place))
    book = SettingsBook(role.pk for role in roles)
    return {role.pk: book.of(role, place) for role in roles}


def roles_with_settings(place: Resource, settings: Mapping[uuid.UUID, EffectiveSettings]) -> QuerySet[Role]:
    """Return the roles of a place by name, with columns to filter and sort by."""

    def column(of: Callable[[EffectiveSettings], Any], usual: object, output: Field[Any, Any]) -> Case:
        with_value: dict[object, list[uuid.UUID]] = defaultdict(list)
        for pk, one in settings.items():
            with_value[of(one)].append(pk)
        whens = [When(pk__in=pks, then=Value(value)) for value, pks in with_value.items() if value != usual]
        return Case(*whens, default=Value(usual), output_field=output)

    return (
        roles_known_at(place)
        .annotate(
            standing=column(lambda one: standing_of(one, place), DEFAULT, CharField()),
            minutes=column(lambda one: one.max_activation // timedelta(minutes=1), 480, IntegerField()),
            approval=column(lambda one: one.approval_required, False, BooleanField()),
            changed=column(_is_changed(place), False, BooleanField()),
        )
        .order_by("name_key", "pk")
    )


def _is_changed(place: Resource) -> Callable[[EffectiveSettings], bool]:
    """Tell whether settings differ from the portal's default, which is one for all roles of a place."""
    usual = portal_default(Role(kind=place.realm.value))
    return lambda one: bool(differ(one, usual))


MOST_TO_CHOOSE = 200


def roles_to_copy_to(
    place: Resource, source: Role, *, text: str, chosen: Iterable[uuid.UUID], now: datetime
) -> list[Role]:
    """Return the chosen roles of a place, and then those in whose name or category every word is found.

    Without a word: those that somebody holds or that have settings of their own there. Retired ones are left out.
    """
    rows = roles_known_at(place).filter(retired_at=None).exclude(pk=source.pk).order_by("name_key", "pk")
    kept = list(rows.filter(pk__in=set(chosen)))
    found = rows.exclude(pk__in=[one.pk for one in kept])
    words = search_key(text).split()
    for word in words:
        found = found.filter(Q(name_key__contains=word) | Q(category__icontains=word))
    if not words:
        own = RoleSettings.objects.filter(resource=place.pk).values_list("role", flat=True)
        found = found.filter(in_use_at(place, now) | Q(pk__in=own))
    return kept + list(found[:MOST_TO_CHOOSE])
