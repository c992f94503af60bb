"""Licences: who uses what the hosted product wants one for, beside how many the organisation owns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from typing import Any, ClassVar

import django_filters
import django_tables2 as tables
from django.conf import settings
from django.db.models import QuerySet
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _

from pim_portal.overview.selectors.licences import Feature, Use, uses
from roles.catalogue import Permission
from roles.guards import holding
from roles.lists import ListFilter, ListPage
from roles.middleware import PortalRequest
from roles.models import User
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
    def use(self) -> Use:
        return uses(self.request.authority)

    def rows(self) -> QuerySet[Any]:
        return User.objects.filter(pk__in=any_number(self.use)).order_by("name_key", "pk")

    def dress(self, rows: Sequence[Any]) -> None:
        for row in rows:
            row.features = ", ".join(str(one.label) for one in Feature if one in self.use[row.pk])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        counted = Counter(feature for features in self.use.values() for feature in features)
        owned = settings.PIM_LICENCES_OWNED
        return super().get_context_data(
            needed=len(self.use),
            owned=owned,
            missing=max(0, len(self.use) - owned) if owned is not None else None,
            by_feature=[(one.label, counted[one]) for one in Feature],
            **kwargs,
        )
