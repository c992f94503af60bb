"""The one list class: a selector's rows as a table with search, filters, sorting and paging.

Everything is in the query string, so that a list works without JavaScript and can be bookmarked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, cast

import django_tables2 as tables
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template import Context
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import TemplateView

from roles import downloads, list_rows
from roles.list_rows import First, OrderedRows
from roles.markup import format_html
from roles.pills import ListFilter

if TYPE_CHECKING:
    _Paginator = Paginator[Any]
else:
    _Paginator = Paginator


class ListPaginator(_Paginator):
    """Pages of one of a few sizes, whatever the query string says."""

    SIZES = list_rows.SIZES

    def __init__(self, rows: Any, per_page: int, **kwargs: Any) -> None:
        super().__init__(rows, per_page if per_page in self.SIZES else self.SIZES[0], **kwargs)


class SelectColumn(tables.Column):
    """A checkbox in each row, part of the form with the id `form` elsewhere on the page.

    The chosen keys come under the column's name. `label` names the row for a screen reader, `when` says which rows can
    be chosen.
    """

    def __init__(
        self, form: str, *, label: Callable[[Any], str] = str, when: Callable[[Any], bool] = lambda record: True
    ) -> None:
        look = {"th": {"class": "select"}, "td": {"class": "select"}}
        super().__init__(verbose_name=gettext_lazy("Select"), empty_values=(), orderable=False, attrs=look)
        self.form = form
        self.label = label
        self.when = when

    @property
    def header(self) -> SafeString:
        # Ticking all is a convenience of static/portal.js, which also shows the box.
        return format_html(
            '<span class="visually-hidden">{}</span>'
            '<input type="checkbox" form="{}" aria-label="{}" data-select-all hidden>',
            _("Select"),
            self.form,
            _("Select all on this page"),
        )

    def render(self, record: Any, bound_column: Any) -> SafeString | str:
        if not self.when(record):
            return ""
        return format_html(
            '<input type="checkbox" form="{}" name="{}" value="{}" aria-label="{}" data-select>',
            self.form,
            bound_column.name,
            record.pk,
            _("Select {row}").format(row=self.label(record)),
        )


DOWNLOAD_PART = 500  # rows of a download that are read at once
BUTTONS = ("action", "actions", "acts")  # columns that act on a row and say nothing of it


def _is_data(column: Any) -> bool:
    """Whether a column says something: not what only chooses or acts."""
    chooses = isinstance(column.column, SelectColumn) or column.column.exclude_from_export
    return not chooses and column.name not in BUTTONS


def _value(table: tables.Table, row: Any, name: str) -> object:
    """Return a cell for a file: what `value_…` of the table says, else the words that the page shows."""
    return row.get_cell_value(name) if hasattr(table, f"value_{name}") else row.get_cell(name)


class ListPage(tables.SingleTableMixin, TemplateView):
    """A page with one list. A subclass says `table_class`, `filter_class`, `template_name` and `rows()`."""

    http_method_names = ("get", "head", "options")
    filter_class: type[ListFilter] | None = None
    table_pagination: ClassVar[dict[str, Any]] = {"per_page": ListPaginator.SIZES[0], "paginator_class": ListPaginator}
    download_columns: Sequence[downloads.Column] = ()
    _part: Sequence[Any] | None = None  # of a download: the keys of the rows that are written now

    # The order in which a list too long to be put into its own stands until somebody sorts it: one that an index has.
    walking: Sequence[str] = ()
    identity: Sequence[str] = ("pk",)  # what tells rows apart, the key first
    walking_said: str | Promise = ""  # what that order is, where it is not its own

    def rows(self) -> QuerySet[Any]:
        """Return what the viewer may see, by a selector, in a total order."""
        raise NotImplementedError

    def fetched(self) -> QuerySet[Any] | None:
        """Return what to fetch rows of `rows` from once their keys are known; None: from `rows`, which asks again."""
        return None

    def fetch(self) -> Callable[[Sequence[Any]], Iterable[Any]] | None:
        """Return what fetches rows of `rows` by their keys as `fetched` does, composed once; None where nothing is."""
        return None

    def first(self) -> First | None:
        """Return what asks for the first keys of `rows` in the order of `walking`; None where nothing is."""
        return None

    def sorted_first(self, order: tuple[Any, ...]) -> First | None:
        """Return what asks for the first keys of `rows` in an order that somebody chose; None where nothing does."""
        return None

    def in_own_order(self) -> Callable[[Sequence[Any]], Sequence[Any]] | None:
        """Return what puts the keys of a short list into the order of `rows`; None where nothing is composed for it."""
        return None

    def parts(self) -> Sequence[Q]:
        """Return conditions that share `rows` out, where an index has the order of `walking` of each part only."""
        return ()

    def in_hand(self) -> Mapping[Any, Any]:
        """Return all rows of the list by their keys, where the page fetched them already; else none."""
        return {}

    @cached_property
    def filter(self) -> ListFilter | None:
        """The filters as the query string sets them; a value that is no choice filters nothing and says so."""
        if self.filter_class is None:
            return None
        return self.filter_class(self.request.GET, queryset=self.rows(), request=self.request)

    @property
    def narrows(self) -> bool:
        """Whether something is searched for, or a filter is in use."""
        return self.filter is not None and self.filter.narrows

    def narrowed(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Return other rows than `rows`, narrowed by the same filters: what is to be walked in place of them."""
        return self.filter.filter_queryset(rows) if self.filter and self.narrows else rows

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show the list, or hand all its rows out as a file: `?download=csv` or `xlsx`, filtered and sorted alike."""
        format = request.GET.get("download", "")
        if format in downloads.FORMATS:
            return cast("HttpResponse", self._download(format, **kwargs))  # as Django's own types have it
        return super().get(request, *args, **kwargs)

    def _download(self, format: str, **kwargs: Any) -> HttpResponseBase:
        table = self.get_table(**self.get_table_kwargs())
        keys = table.data.all_keys()
        columns = [column for column in table.columns if _is_data(column)]
        header = [label for label, _value in self.download_columns] or [column.header for column in columns]
        rows = self._rows_in_parts(keys, [column.name for column in columns], **kwargs)
        label = str((table.attrs or {}).get("aria-label") or _("List"))
        return downloads.answer(format, name=label, header=header, rows=rows, on=timezone.localdate())

    def _rows_in_parts(self, keys: Sequence[Any], names: Sequence[str], **kwargs: Any) -> Iterator[Sequence[object]]:
        """Yield the rows; what a view hangs on the rows of a page or tells its cells, it does for those of a part."""
        zone = timezone.get_current_timezone()
        for first in range(0, len(keys), DOWNLOAD_PART):
            with timezone.override(zone):  # a stream is read after the request
                self._part = keys[first : first + DOWNLOAD_PART]
                context = self.get_context_data(**kwargs)
                table = context["table"]
                table.context = Context(context)
                if self.download_columns:
                    part = [[value(row.record) for _label, value in self.download_columns] for row in table.rows]
                else:
                    part = [[_value(table, row, name) for name in names] for row in table.rows]
            yield from part

    def get_table_pagination(self, table: tables.Table) -> Any:
        downloading = self._part is not None or self.request.GET.get("download") in downloads.FORMATS
        return False if downloading else super().get_table_pagination(table)

    def get_table_data(self) -> OrderedRows:
        rows = self.filter.qs if self.filter else self.rows()
        found = OrderedRows(rows)
        found.walking, found.fetched, found.most = self.walking, self.fetched(), list_rows.MOST_COUNTED
        found.fetch, found.in_hand = self.fetch(), self.in_hand()
        found.parts, found.identity, found.in_own_order = self.parts(), self.identity, self.in_own_order()
        if (first := self.first()) and (first.narrowed or not self.narrows):
            found.first = first
        found.sorted_first, found.wanted = self.sorted_first, self._part
        found.reach = list_rows.reach_of(self.request.GET)
        return found

    def get_table(self, **kwargs: Any) -> tables.Table:
        table = super().get_table(**kwargs)
        # "Nothing here" and "nothing matches" are different news.
        table.filtered = self.narrows
        rows = table.data
        if hasattr(table, "paginator") and isinstance(rows, OrderedRows) and rows.counted > rows.reach:
            table.is_longer = True
        if hasattr(table, "paginator") and isinstance(rows, OrderedRows) and rows.stands_as_walked:
            table.stands = self.walking_said
        return table

    @property
    def shows_table(self) -> bool:
        """Whether the page shows its rows as a table."""
        return True

    def dress(self, rows: Sequence[Any]) -> None:
        """Hang on each row of the page, or of a part of a download, what its cells show besides the record."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(filter=self.filter, kept=list(self._kept()), **kwargs)
        if self.shows_table:
            self.dress([row.record for row in context["table"].paginated_rows])
        return context

    def _kept(self) -> Iterable[tuple[str, str]]:
        """Yield what the query string says besides the filters, for the filters' form to keep; the page starts anew."""
        own = {"page", "download", *(self.filter.filters if self.filter else ())}
        for name, values in self.request.GET.lists():
            if name not in own:
                yield from ((name, value) for value in values)
