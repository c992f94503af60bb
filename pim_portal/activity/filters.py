"""How the history is narrowed: by span, kind, outcome and text; and, where others' is read, by whom and where."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any, ClassVar

import django_filters
from django.db.models import Case, F, Func, Q, QuerySet, TextField, Value, When
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce, Lower
from django.utils.translation import gettext_lazy as _

from audit.kinds import Kind, Outcome, Realm
from audit.models import Event
from audit.searching import holds, words_of
from pim_portal.activity.selectors.naming import name_in_history
from pim_portal.activity.selectors.sight import sees_of
from roles.models import Principal, Resource, Role
from roles.models.principals import search_key
from roles.pills import ChoicePill, ListFilter, SpanPill
from roles.selectors.keys import keys_or_query

MOST_PLACES = 50  # resources whose name matches, each with all below it


class HistoryFilter(ListFilter):
    """The search box and pills above a history."""

    span = SpanPill("occurred_at", label=_("When"))
    kind = ChoicePill(label=_("What"), choices=sorted(Kind.choices, key=lambda choice: str(choice[1])))
    outcome = ChoicePill(label=_("Outcome"), choices=Outcome.choices)

    class Meta:
        model = Event
        fields: ClassVar[list[str]] = ["q", "span", "kind", "outcome"]

    def filter_queryset(self, queryset: QuerySet[Event]) -> QuerySet[Event]:
        """Narrow by all but the words first: a search may look among these."""
        words = self.form.cleaned_data.get("q") or ""
        for name, value in self.form.cleaned_data.items():
            if name != "q":
                queryset = self.filters[name].filter(queryset, value)
        self.unsearched = self.shown(queryset, words_of(words))
        return self.search(self.unsearched, "q", words)

    def shown(self, rows: QuerySet[Event], words: Sequence[str]) -> QuerySet[Event]:
        """Return those of the events in whose texts, as far as their reader is shown them, the words may be found."""
        return rows

    def search(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        for word in words_of(value):
            rows = rows.filter(holds(word))
        return rows


class OwnHistoryFilter(HistoryFilter):
    """The same of one's own history: from where somebody else acted is not shown, nor told piece by piece."""

    def shown(self, rows: QuerySet[Event], words: Sequence[str]) -> QuerySet[Event]:
        own = Q(actor_id=None) | Q(actor_id=self.request.user.pk)
        address = Coalesce(Lower(KeyTextTransform("address", "text__fields")), Value(""))
        rest = Func("text__search", address, Value(""), function="REPLACE", output_field=TextField())
        said = Case(When(own, then=F("text__search")), default=rest)
        if words:
            rows = rows.annotate(said=said)
        for word in words:
            rows = rows.filter(holds(word, column="said"))
        return rows


class NamedFilter(django_filters.CharFilter):
    """A filter by the name, or the id, of somebody or something."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=100, **kwargs)


class AuditFilter(HistoryFilter):
    """The same, and whom it is about. Names are those of today; an id finds what is gone, too."""

    seldom: ClassVar[tuple[str, ...]] = ("realm", "target", "role", "resource", "request", "authority")

    realm = ChoicePill(label=_("World"), choices=Realm.choices, method="by_realm")
    actor = NamedFilter(method="by_principal", label=_("Who"))
    target = NamedFilter(method="by_principal", label=_("To whom"))
    role = NamedFilter(method="by_role", label=_("Role"))
    resource = NamedFilter(method="by_resource", label=_("Where, and below"))
    request = NamedFilter(method="by_id", label=_("Request"))
    authority = NamedFilter(method="by_id", label=_("Done under"))

    class Meta:
        model = Event
        fields: ClassVar[list[str]] = ["q", "span", "kind", "outcome", "realm"]

    def said_of(self, name: str) -> str:
        pk = _id(str(self.data.get(name, ""))) if isinstance(self.filters.get(name), NamedFilter) else None
        return name_in_history(name, pk, self.request.authority) if pk else ""

    def by_realm(self, rows: QuerySet[Event], name: str, value: str) -> QuerySet[Event]:
        # Else all of a world would be looked through for what its reader does not see.
        return rows.filter(realm=value) if sees_of(self.request.authority, Realm(value)) else rows.none()

    def by_principal(self, rows: QuerySet[Event], name: str, value: str) -> QuerySet[Event]:
        pk = _id(value)
        if pk:
            return rows.filter(**{f"{name}_id": pk})
        # Not by address, which not everybody who reads a history may know; and of text that may hold white space.
        named = Principal.objects.filter(search_text__in_names=search_key(value).replace("\n", " "))
        return rows.filter(**{f"{name}_id__in": keys_or_query(named)})

    def by_role(self, rows: QuerySet[Event], name: str, value: str) -> QuerySet[Event]:
        pk = _id(value)
        if pk:
            return rows.filter(role_id=pk)
        return rows.filter(role_id__in=keys_or_query(Role.objects.filter(name_key__contains=search_key(value))))

    def by_resource(self, rows: QuerySet[Event], name: str, value: str) -> QuerySet[Event]:
        pk = _id(value)
        named = Q(pk=pk) if pk else Q(name_key__contains=search_key(value))
        below = Q(pk__in=[])
        for path in Resource.objects.filter(named).order_by("path").values_list("path", flat=True)[:MOST_PLACES]:
            below |= Q(path__startswith=path)
        return rows.filter(resource_id__in=keys_or_query(Resource.objects.filter(below)))

    def by_id(self, rows: QuerySet[Event], name: str, value: str) -> QuerySet[Event]:
        pk = _id(value)
        return rows.filter(**{f"{name}_id": pk}) if pk else rows.none()


def _id(value: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(value)
    except ValueError:
        return None
