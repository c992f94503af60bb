"""What is measured: each page and each act, by whom, and how quick it is to be.

The goals are those for two cores with 100,000 requests and 1,000,000 events (milliseconds, at the 95th percentile).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.bench.organisation import SOUGHT
from tests.bench.scenes import SELDOM
from tests.bench.visitor import Took, Visitor
from tests.served import filled

LIST, HISTORY, SEARCH, ASK, APPROVE = 40, 50, 100, 25, 40
Cast = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """A page, opened again and again. `{name}` in its path is from the cast."""

    name: str
    who: str
    path: str
    goal: int = LIST

    def address(self, cast: Cast) -> str:
        return re.sub(r"\{(\w+)\}", lambda found: str(cast[found[1]]), self.path)


_UNIT = "/manage/directory/units/{unit}"
PAGES = (
    Page("Overview of somebody eligible", "ines", "/"),
    Page("Overview of an administrator", "petra", "/"),
    Page("Insights of the directory", "petra", "/overview/directory/insights/"),
    Page("All that is active in the directory", "petra", "/overview/directory/active/?per_page=50"),
    Page("All that is permanent there", "petra", "/overview/directory/permanent/?per_page=50"),
    Page("My roles", "ines", "/tasks/roles/?per_page=50"),
    Page("My requests", "ines", "/tasks/requests/?per_page=50"),
    Page("Approvals that wait", "adam", "/tasks/approvals/?per_page=50"),
    Page("Approvals decided", "adam", "/tasks/approvals/?tab=decided&per_page=50"),
    Page("One request", "adam", "/tasks/approvals/{one}/"),
    Page("Directory: overview", "petra", "/manage/directory/"),
    Page("Directory: roles", "petra", "/manage/directory/roles/?per_page=50"),
    Page("Directory: eligible assignments", "petra", "/manage/directory/assignments/?per_page=50"),
    Page("Directory: active assignments", "petra", "/manage/directory/assignments/?tab=active&per_page=50"),
    Page("Directory: eligible, by name", "petra", "/manage/directory/assignments/?sort=name&per_page=50"),
    Page("Directory: ended assignments", "petra", "/manage/directory/assignments/?tab=expired&per_page=50"),
    Page("Directory: search of assignments", "petra", f"/manage/directory/assignments/?q={SOUGHT}&per_page=50", SEARCH),
    Page("Directory: request history", "petra", "/manage/directory/requests/?per_page=50"),
    Page("Directory: search of requests", "petra", f"/manage/directory/requests/?q={SOUGHT}&per_page=50", SEARCH),
    Page("Directory: requests that wait", "petra", "/manage/directory/requests/?status=pending&per_page=50"),
    Page("Directory: who can do what", "petra", "/manage/directory/reach/?per_page=50"),
    Page("Directory: who can do what now", "petra", "/manage/directory/reach/?when=now&per_page=50"),
    Page("Directory: search of who can do what", "petra", f"/manage/directory/reach/?q={SOUGHT}&per_page=50", SEARCH),
    Page("Directory: access reviews", "petra", "/manage/directory/reviews/?per_page=50"),
    Page("Directory: alerts", "petra", "/manage/directory/alerts/?per_page=50"),
    Page("Directory: role settings", "petra", "/manage/directory/settings/?per_page=50"),
    Page("A unit: overview", "petra", f"{_UNIT}/"),
    Page("A unit: eligible assignments", "petra", f"{_UNIT}/assignments/?per_page=50"),
    Page("A unit: active, given there", "petra", f"{_UNIT}/assignments/?tab=active&membership=direct&per_page=50"),
    Page("A unit: who can do what", "petra", f"{_UNIT}/reach/?per_page=50"),
    Page("Resources: tree", "olga", "/manage/resources/"),
    Page("Resources: list", "olga", "/manage/resources/?view=list&per_page=50"),
    Page("Resource root: eligible assignments", "olga", "/manage/resources/{root}/assignments/?per_page=50"),
    Page("Resource root: request history", "olga", "/manage/resources/{root}/requests/?per_page=50"),
    Page("A vault: active assignments", "olga", "/manage/resources/{vault}/assignments/?tab=active&per_page=50"),
    Page("People", "petra", "/manage/people/?per_page=50"),
    Page("People: search", "petra", f"/manage/people/?q={SOUGHT}&per_page=50", SEARCH),
    Page("Groups", "petra", "/manage/groups/?per_page=50"),
    Page("A group: its members", "petra", "/manage/groups/{group}/members/?per_page=50"),
    Page("One person", "petra", "/manage/people/{person}/"),
    Page("Audit history: newest", "nina.auditor", "/activity/audit/?per_page=50", HISTORY),
    Page("Audit history: one kind", "nina.auditor", "/activity/audit/?kind=review.decided&per_page=50", HISTORY),
    Page("Audit history: refused", "nina.auditor", "/activity/audit/?outcome=refused&per_page=50", HISTORY),
    Page("Audit history: one person", "nina.auditor", "/activity/audit/?actor={person}&per_page=50", HISTORY),
    Page("Audit history: a world not seen", "nina.auditor", "/activity/audit/?realm=resource&per_page=50", HISTORY),
    Page("Audit history: seldom word", "nina.auditor", f"/activity/audit/?q={SELDOM}&per_page=50", SEARCH),
    Page("Audit history: frequent word", "nina.auditor", "/activity/audit/?q=quarter&per_page=50", SEARCH),
    Page("My audit history", "p000", "/activity/my-audit/?per_page=50", HISTORY),
    Page("Reviewing fifty rows", "rhea", "/tasks/reviews/{instance}/"),
)


@dataclass(frozen=True, slots=True)
class Act:
    """Something that somebody does once with each of `objects`. `prepare` opens the form, untimed; `send` is timed."""

    name: str
    who: str
    goal: int
    objects: Callable[[Cast], list[str]]
    send: Callable[[Visitor, Cast, str], Took]


def _token(html: str) -> tuple[str, str]:
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', html)
    assert found, html[:2000]
    return "csrfmiddlewaretoken", found[1]


def _ask(visitor: Visitor, cast: Cast, eligibility: str) -> Took:
    path = "/tasks/roles/activate/"
    form = visitor.go(f"{path}?eligibility={eligibility}").form(path)
    took = visitor.send(path, filled(form, reason="Measured: mailbox rules of the finance team"))
    cast.setdefault("asked", []).append(visitor.there.rstrip("/").rpartition("/")[2])
    return took


def _decide(verdict: str) -> Callable[[Visitor, Cast, str], Took]:
    def send(visitor: Visitor, cast: Cast, request: str) -> Took:
        path = f"/tasks/approvals/{request}/decide/"
        form = visitor.go(f"/tasks/approvals/{request}/").form(path)
        return visitor.send(path, filled(form, justification="Measured: agreed", verdict=verdict))

    return send


def _end(visitor: Visitor, cast: Cast, activation: str) -> Took:
    path = f"/tasks/roles/{activation}/deactivate/"
    return visitor.send(path, visitor.go(path).form(path))


def running_of(visitor: Visitor) -> list[str]:
    """The activations that this person can end, as the page lists them."""
    html = visitor.go("/tasks/roles/?tab=active&per_page=100").html
    return list(dict.fromkeys(re.findall(r"/tasks/roles/([0-9a-f-]{36})/deactivate/", html)))


def _assign(visitor: Visitor, cast: Cast, person: str) -> Took:
    path = "/manage/directory/assignments/add/"
    form = [_token(visitor.go(f"{path}?role={cast['given']}&principal={person}").html)]
    said = {"role": cast["given"], "principal": person, "type": "eligible", "duration": "permanent"}
    return visitor.send(path, filled(form, **said, reason="Measured"))


def _review(visitor: Visitor, cast: Cast, row: str) -> Took:
    path = f"/tasks/reviews/{cast['instance']}/"
    form = [_token(visitor.go(path).html)]
    return visitor.send(path, filled(form, **{f"verdict-{row}": "approve", f"reason-{row}": "Measured"}))


ACTS = (
    Act("Ask for an activation", "ines", ASK, lambda cast: cast["asking"], _ask),
    Act("Approve", "adam", APPROVE, lambda cast: cast["asked"], _decide("approve")),
    Act("Deny", "adam", APPROVE, lambda cast: cast["waiting"], _decide("deny")),
    Act("End an activation", "ines", APPROVE, lambda cast: cast["running"], _end),
    Act("Add an assignment", "petra", APPROVE, lambda cast: cast["people"], _assign),
    Act("Decide a row of a review", "rhea", APPROVE, lambda cast: cast["verdicts"], _review),
)
