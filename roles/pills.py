"""The search box and the pills above a list: what it is narrowed to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

import django_filters
from django import forms
from django.db.models import Model, Q, QuerySet
from django.forms.utils import flatatt
from django.utils import timezone
from django.utils.choices import BaseChoiceIterator
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

from roles.markup import escaped
from roles.models.principals import search_key

Choices = Iterable[tuple[Any, Any]]


class PillSelect(forms.Select):
    """A choice of one, whose options are written at once: there may be hundreds, and more than one such in a page.

    Django puts each option together as a template's variables first; that took a quarter of a list's time.
    """

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        chosen = self.format_value(value)
        attributes = flatatt({"name": name, **self.build_attrs(self.attrs, attrs)})
        options = [
            f'<option value="{escaped(one)}"{" selected" if str(one) in chosen else ""}>{escaped(label)}</option>'
            for one, label in self.choices
        ]
        return SafeString(f"<select{attributes}>{''.join(options)}</select>")  # safe: each value in it is escaped


class Offered(BaseChoiceIterator):
    """What a pill offers, once and for all: no form copies it, or looks through what may be hundreds for itself."""

    def __init__(self, choices: Choices) -> None:
        self.choices = tuple(choices)

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        return iter(self.choices)

    def __len__(self) -> int:
        return len(self.choices)

    def __deepcopy__(self, memo: Any) -> Offered:
        return self


class ChoicePill(django_filters.ChoiceFilter):
    """A filter by one of a few values, shown as a pill."""

    def __init__(self, *, choices: Choices | Callable[[], Choices] = (), **kwargs: Any) -> None:
        super().__init__(**{"empty_label": gettext_lazy("All"), "widget": PillSelect, "choices": choices, **kwargs})
        if not callable(choices):
            self.offer(choices)

    def offer(self, choices: Choices) -> None:
        """Offer these, where they are not the same for every page."""
        self.extra["choices"] = Offered(choices)


SPANS = {
    "1": gettext_lazy("Last 24 hours"),
    "7": gettext_lazy("Last 7 days"),
    "30": gettext_lazy("Last 30 days"),
    "90": gettext_lazy("Last 90 days"),
    "365": gettext_lazy("Last 365 days"),
}


class SpanPill(ChoicePill):
    """A filter by how long ago the moment in a column lies at most."""

    def __init__(self, field_name: str, **kwargs: Any) -> None:
        choices = list(SPANS.items())
        super().__init__(field_name=field_name, choices=choices, empty_label=gettext_lazy("Any time"), **kwargs)

    def filter(self, qs: QuerySet[Any], value: str) -> QuerySet[Any]:
        if not value:
            return qs
        return qs.filter(**{f"{self.field_name}__gte": timezone.now() - timedelta(days=int(value))})


@dataclass(frozen=True, slots=True)
class Pill:
    """One filter above a list: its field, and what it is set to where the value itself is not for people."""

    field: forms.BoundField
    said: str
    seldom: bool


class ListFilter(django_filters.FilterSet):
    """The search box and the pills above a list.

    `search_in` names lookups of folded columns (`role__name_key__contains`), since SQLite ignores case for ASCII only;
    every word that is searched for must be found in one of them.
    """

    search_in: ClassVar[tuple[str, ...]] = ()
    seldom: ClassVar[tuple[str, ...]] = ()  # filters that stand behind "More filters"

    q = django_filters.CharFilter(method="search", label=gettext_lazy("Search this list"), max_length=100)

    @property
    def narrows(self) -> bool:
        """Whether something is searched for, or a filter is in use."""
        return any(self.form.cleaned_data.values())

    @property
    def seldom_set(self) -> bool:
        """Whether one of those that are seldom used is in use now."""
        return any(self.data.get(name) for name in self.seldom)

    @property
    def pills(self) -> list[Pill]:
        """The filters as the page shows them."""
        return [Pill(field, self.said_of(field.name), field.name in self.seldom) for field in self.form]

    def said_of(self, name: str) -> str:
        """Return in words what a filter is set to where its value, an id, says nothing to people; empty: the value."""
        return ""

    def search(self, rows: QuerySet[Model], name: str, value: str) -> QuerySet[Model]:
        for word in search_key(value).split():
            found = Q()
            for lookup in self.search_in:
                found |= Q((lookup, word))
            rows = rows.filter(found)
        return rows
