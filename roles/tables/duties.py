"""The lists of rules of separation of duties, and of the people who stand against them."""

from __future__ import annotations

from typing import Any

import django_tables2 as tables
from django.db.models import Model, QuerySet
from django.utils.translation import gettext_lazy as _

from roles import wording
from roles.cells import Cell
from roles.models import DutyReach, DutyRule, User
from roles.pills import ChoicePill, ListFilter
from roles.rules.duties import sentence
from roles.selectors.duties.lists import MADE, STATES


class DutyRuleFilter(ListFilter):
    search_in = ("name_key__contains", "description__icontains", "roles__name_key__contains")

    state = ChoicePill(field_name="state", label=_("State"), choices=STATES)
    reach = ChoicePill(field_name="reach", label=_("What is kept apart"), choices=DutyReach.choices)
    made = ChoicePill(field_name="made", label=_("Made"), choices=MADE)

    class Meta:
        model = DutyRule
        fields: tuple[str, ...] = ()


class DutyRuleTable(tables.Table):
    name = Cell(
        template_name="manage/cells/duty_rule.html",
        verbose_name=_("Rule"),
        order_by="name_key",
        attrs={"td": {"class": "main"}},
    )
    roles = Cell(
        template_name="manage/cells/duty_roles.html",
        verbose_name=_("Roles"),
        order_by="role_count",
        attrs={"td": {"class": "wide"}},
    )
    reach = tables.Column(verbose_name=_("What is kept apart"))
    where = Cell(
        template_name="manage/cells/duty_where.html", verbose_name=_("Made"), order_by=("resource__path", "pk")
    )
    conflicts = Cell(template_name="manage/cells/duty_conflicts.html", verbose_name=_("In conflict"), orderable=False)

    class Meta:
        attrs = {"aria-label": _("Separation of duties")}
        empty_text = _("No rule keeps roles apart here.")

    def value_where(self, record: Any) -> str:
        """Return where and when; for a file."""
        return f"{record.resource.name} {wording.exact(record.made_at)}"


class ConflictFilter(ListFilter):
    search_in = ("search_text__in_names",)  # whoever reads this need not see addresses

    rule = ChoicePill(label=_("Rule"), method="by_rule")

    class Meta:
        model = User
        fields: tuple[str, ...] = ()

    def __init__(self, *args: Any, clashes: dict[Any, list[Any]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.clashes = clashes
        rules = {one.rule.pk: one.rule.name for found in clashes.values() for one in found}
        self.filters["rule"].offer(
            sorted(((str(pk), name) for pk, name in rules.items()), key=lambda one: (one[1], one[0]))
        )

    def by_rule(self, rows: QuerySet[Model], name: str, value: str) -> QuerySet[Model]:
        found = [pk for pk, had in self.clashes.items() if any(str(one.rule.pk) == value for one in had)]
        return rows.filter(pk__in=found)


class ConflictTable(tables.Table):
    person = Cell(
        template_name="manage/cells/duty_person.html",
        verbose_name=_("Person"),
        order_by="name_key",
        attrs={"td": {"class": "main"}},
    )
    clashes = Cell(
        template_name="manage/cells/duty_clashes.html",
        verbose_name=_("What stands together"),
        orderable=False,
        attrs={"td": {"class": "wide"}},
    )

    class Meta:
        attrs = {"aria-label": _("Conflicts of duties")}
        empty_text = _("Nobody has roles together that a rule keeps apart.")

    def value_person(self, record: Any) -> str:
        return f"{record.name} ({record.username})"

    def value_clashes(self, record: Any) -> str:
        return " ".join(sentence(one) for one in record.found)
