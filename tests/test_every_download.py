"""Every list of the portal hands all its rows out as CSV and XLSX. One that is not in the table fails the suite."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import get_resolver
from openpyxl import load_workbook

from roles import downloads
from roles.lists import BUTTONS, ListPage
from tests.test_every_page import EVERYONE, PAGES, path_of, people, sealing_key, targets  # noqa: F401 - fixtures
from tests.visitors import visiting

pytestmark = pytest.mark.django_db

# Each list by its class: who opens it, the name of its page, and the query that leads to it.
LISTS: dict[str, tuple[str, str, str]] = {
    "MyRequests": ("ines", "approvals:my_requests", ""),
    "WaitingPage": ("adam", "approvals:approvals", "tab=waiting"),
    "RenewalsPage": ("petra", "approvals:approvals", "tab=renewals"),
    "ChangesPage": ("petra", "approvals:approvals", "tab=changes"),
    "DecidedPage": ("adam", "approvals:approvals", "tab=decided"),
    "PlaceRequests": ("petra", "directory:requests", ""),
    "Below": ("olga", "resource:below", ""),
    "Reviews": ("petra", "directory:reviews", ""),
    "Review": ("petra", "directory:review", ""),
    "InstancePage": ("petra", "directory:review_instance", ""),
    "Eligible": ("petra", "directory:assignments", "tab=eligible"),
    "Active": ("petra", "directory:assignments", "tab=active"),
    "Scheduled": ("petra", "directory:assignments", "tab=scheduled"),
    "Expired": ("petra", "directory:assignments", "tab=expired"),
    "Roles": ("petra", "directory:roles", ""),
    "SettingsList": ("petra", "directory:settings", ""),
    "ReachList": ("petra", "directory:reach", ""),
    "DutyRules": ("petra", "directory:duties", ""),
    "Conflicts": ("petra", "directory:duty_conflicts", ""),
    "Alerts": ("petra", "directory:alerts", ""),
    "AlertPage": ("petra", "directory:alert", ""),
    "Report": ("petra", "directory:import", ""),
    "Resources": ("olga", "resources", ""),
    "Assignments": ("petra", "world_list", ""),
    "Licences": ("petra", "licences", ""),
    "WaitingRequests": ("petra", "world_requests", ""),
    "RunningReviews": ("petra", "world_reviews", ""),
    "EligiblePage": ("ines", "approvals:my_roles", "tab=eligible"),
    "HeldPage": ("ines", "approvals:my_roles", "tab=active"),
    "EndedPage": ("ines", "approvals:my_roles", "tab=expired"),
    "ReviewPage": ("adam", "reviews:review", ""),
    "FindRole": ("ines", "find_role", "q=administrator"),
    "Groups": ("petra", "groups", ""),
    "Mails": ("sven", "mails", ""),
    "Hooks": ("sven", "web_hooks", ""),
    "Access": ("petra", "person_access", ""),
    "Activity": ("petra", "person_activity", ""),
    "People": ("petra", "people", ""),
    "AuditPage": ("petra", "audit", ""),
    "Keeping": ("petra", "keeping", ""),
    "MyAuditPage": ("ines", "my_audit", ""),
}
OF_THE_DEMO = {"Mailbox"}
OF_THEIR_OWN = {"ines", "petra", "zoe"}  # who has much, some and nothing in what is everybody's own


def lists_below(page: type[ListPage]) -> Iterator[type[ListPage]]:
    for one in page.__subclasses__():
        if one.template_name and one.__dict__.keys() & {"template_name", "tab", "table_class"}:
            yield one
        yield from lists_below(one)


def all_lists() -> set[str]:
    assert get_resolver().url_patterns  # imports every view
    found = {one for one in lists_below(ListPage) if not one.__module__.startswith("tests.")}
    bases = {base for one in found for base in one.__mro__[1:]}
    return {one.__name__ for one in found if one not in bases or one.__name__ in LISTS}


def test_every_list_is_in_the_table():
    assert all_lists() - OF_THE_DEMO == set(LISTS)


def test_only_buttons_are_left_out_of_downloads():
    """A column of this name holds buttons, by which nobody sorts; another one would be missing in the file."""
    left_out = {
        f"{page.__name__}.{name}"
        for page in lists_below(ListPage)
        for name in BUTTONS
        if page.table_class and name in page.table_class.base_columns and page.table_class.base_columns[name].orderable
    }
    assert left_out == set()


@pytest.fixture
def clients(people) -> dict[str, Client]:  # noqa: F811
    return {name: visiting(people[name]) for name in {who for who, _name, _query in LISTS.values()}}


def test_every_list_downloads_as_csv_and_as_xlsx(clients, targets, monkeypatch):  # noqa: F811
    seen: list[str] = []
    setup = ListPage.setup

    def noting(self: ListPage, *args: Any, **kwargs: Any) -> None:
        seen.append(type(self).__name__)
        setup(self, *args, **kwargs)

    monkeypatch.setattr(ListPage, "setup", noting)
    wrong: dict[str, object] = {}
    for name, (who, page, query) in LISTS.items():
        sheets = {}
        for kind, content_type in (("csv", downloads.CSV), ("xlsx", downloads.XLSX)):
            answer: Any = clients[who].get(f"{path_of(page, targets)}?{query}&download={kind}")
            if (answer.status_code, answer["Content-Type"]) != (200, content_type):
                wrong[f"{name} {kind}"] = (answer.status_code, answer["Content-Type"])
                continue
            try:
                body = b"".join(answer.streaming_content)
            except Exception as error:  # noqa: BLE001 - which list it was is what one wants to know
                wrong[f"{name} {kind}"] = repr(error)
                continue
            sheets[kind] = read_csv(body) if kind == "csv" else read_xlsx(body)
        if seen[-1:] != [name]:
            wrong[f"{name} class"] = seen[-1:]
        if len(sheets) == 2 and (not sheets["csv"][0] or sheets["csv"] != sheets["xlsx"]):
            wrong[name] = sheets
    assert wrong == {}


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.timeout(900)
def test_nobody_downloads_what_their_page_does_not_show(people, targets):  # noqa: F811
    """Whom a page opens to gets a file of as many rows; the others get neither (`test_downloads`)."""
    wrong: dict[str, object] = {}
    for who in sorted(EVERYONE):
        client = visiting(people[who])
        for name, (_who, page, query) in LISTS.items():
            open_to = PAGES[page].who
            if who not in open_to or (open_to == EVERYONE and who not in OF_THEIR_OWN):
                continue
            path = f"{path_of(page, targets)}?{query}&view=list"
            answer: Any = client.get(f"{path}&download=csv")
            rows = len(read_csv(b"".join(answer.streaming_content))) - 1
            shown: Any = client.get(f"{path}&per_page=10")
            if rows != shown.context["table"].paginator.count:
                wrong[f"{who}: {name}"] = (rows, shown.context["table"].paginator.count)
    assert wrong == {}


def read_csv(body: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(body.decode("utf-8-sig"))))


def read_xlsx(body: bytes) -> list[list[str]]:
    sheet = load_workbook(io.BytesIO(body)).active
    assert sheet is not None
    return [["" if cell is None else str(cell) for cell in row] for row in sheet.iter_rows(values_only=True)]
