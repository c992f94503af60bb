"""Licences: who uses what the hosted product wants one for, beside how many the organisation owns."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, partial
from typing import Any, ClassVar

import django_filters
import django_tables2 as tables
from django.conf import settings
from django.db.models import QuerySet
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _

from pim_portal.overview.selectors import licences
from pim_portal.overview.selectors.licences import Feature, Sight, Use
from roles import downloads
from roles.catalogue import Permission
from roles.guards import holding
from roles.list_rows import First
from roles.lists import ListPage
from roles.middleware import PortalRequest
from roles.models import User
from roles.pills import ListFilter
from roles.selectors.keys import any_number


class LicenceFilter(ListFilter):
    search_in = ("search_text__contains",)

    department = django_filters.AllValuesFilter(label=_("Department"), empty_label=_("All"))

    class Meta:
        model = User
        fields: ClassVar[tuple[str, ...]] = ()


class LicenceTable(tables.Table):
    name = tables.Column(verbose_name=_("Name"), order_by="name_key", attrs={"td": {"class": "main"}})
    username = tables.Column(verbose_name=_("User name"), order_by="username_key")
    department = tables.Column(verbose_name=_("Department"), default="")
    features = tables.Column(verbose_name=_("Uses"), orderable=False, attrs={"td": {"class": "wide"}})

    class Meta:
        attrs = {"aria-label": _("People who use what wants a licence")}
        empty_text = _("Nobody uses what the hosted product wants a licence for.")


@method_decorator(holding(Permission.SEE_PEOPLE), name="dispatch")
class Licences(ListPage):
    """Everybody who would need a licence, and for what."""

    request: PortalRequest
    table_class, filter_class, template_name = LicenceTable, LicenceFilter, "overview/licences.html"

    @cached_property
    def sight(self) -> Sight:
        return licences.sight_of(self.request.authority)

    @cached_property
    def is_walked(self) -> bool:
        """Whether it is not asked of everybody: where there is much, and no file is to name them all."""
        return self.request.GET.get("download") not in downloads.FORMATS and licences.is_much(self.sight)

    @cached_property
    def use(self) -> Use:
        """Who uses what; of everybody."""
        return licences.uses(self.sight, self.request.now)

    def rows(self) -> QuerySet[Any]:
        people = (
            User.objects.filter(enabled=True) if self.is_walked else User.objects.filter(pk__in=any_number(self.use))
        )
        return people.order_by("name_key", "pk")

    @property
    def walking(self) -> Sequence[str]:  # type: ignore[override]  # its own order, where it is walked
        return ("name_key", "pk") if self.is_walked else ()

    def first(self) -> First | None:
        return self.sorted_first(("name_key", "pk")) if self.is_walked else None

    def sorted_first(self, order: tuple[Any, ...]) -> First | None:
        if not self.is_walked:
            return None
        people = self.narrowed(self.rows()).order_by(*order)
        ask = partial(licences.first_who_use, people, self.sight, self.request.now)
        return First(ask, far=True, narrowed=True)

    def dress(self, rows: Sequence[Any]) -> None:
        now = self.request.now
        use = licences.uses(self.sight, now, [row.pk for row in rows]) if self.is_walked else self.use
        for row in rows:
            row.features = ", ".join(str(one.label) for one in Feature if one in use[row.pk])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        counted = licences.counts_lately(self.sight, self.request.now)
        needed, owned = counted.found["needed"], settings.PIM_LICENCES_OWNED
        return super().get_context_data(
            needed=needed,
            counted_at=counted.at,
            owned=owned,
            missing=max(0, needed - owned) if owned is not None else None,
            by_feature=[(one.label, counted.found.get(one, 0)) for one in Feature],
            **kwargs,
        )
