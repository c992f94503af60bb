"""Measuring pages and acts: a pass that counts, then a timed one in which the sizes take turns and share noise."""

from __future__ import annotations

import contextlib
import copy
import gc
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from http.client import SERVICE_UNAVAILABLE
from pathlib import Path
from typing import Any, Final

from tests.bench.databases import connect, tell
from tests.bench.pace import pace
from tests.bench.serving import COUNTED, PRODUCT, served
from tests.bench.visitor import Took, Visitor, give_factors
from tests.bench.visits import ACTS, PAGES, Act, Page, running_of

# Places that each size has, by what leads to them.
_BY_NAME = "SELECT id FROM roles_resource WHERE name = %s ORDER BY path LIMIT 1"
_GROUP = "SELECT id FROM roles_principal WHERE kind = 'group' AND name = %s"
PLACES: Final = {"unit": (_BY_NAME, "Unit 00"), "vault": (_BY_NAME, "Vault 0-0-0"), "group": (_GROUP, "Group 0")}
WARM = 12  # of each, before it counts: so often a connection is asked until PostgreSQL keeps its plan
FEWEST, BUDGET_SECONDS = 5, 60.0  # of a page: what takes long is not asked so often


@dataclass
class Measured:
    """One page or act at one size."""

    queries: int = 0
    size: int = 0  # bytes
    sql_seconds: float = 0.0
    seconds: list[float] = field(default_factory=list)
    paces: list[float] = field(default_factory=list)  # of the machine, before and after each answer
    failed: int = 0  # answers that were no page: too slow for the database's own patience, most of all

    def at(self, share: float) -> float:
        """Return the milliseconds within which this share of the answers came."""
        return _within(self.seconds, share)

    def paced(self, share: float, best: float) -> float:
        """Return the same, of each answer as long as it would have taken with the machine at its best pace."""
        return _within([took * best / pace for took, pace in zip(self.seconds, self.paces, strict=True)], share)

    def add(self, took: Took, before: float) -> None:
        """Note an answer; `before` is the pace of the machine when it was asked for."""
        self.seconds.append(took.seconds)
        self.paces.append((before + pace()) / 2)

    @property
    def median(self) -> float:
        return self.at(0.5)

    @property
    def p95(self) -> float:
        return self.at(0.95)


def _within(seconds: Iterable[float], share: float) -> float:
    ordered = sorted(seconds)
    return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))]


@dataclass
class Site:
    """The portal of one size: its database, its cast, who is signed in, and what was measured."""

    size: int
    url: str
    cast: dict[str, Any]
    visitors: dict[str, Visitor] = field(default_factory=dict)
    measured: dict[str, Measured] = field(default_factory=dict)
    signing_in: Measured = field(default_factory=Measured)

    def of(self, name: str) -> Measured:
        return self.measured.setdefault(name, Measured())

    def sign_in(self, port: int) -> None:
        for who in sorted({one.who for one in (*PAGES, *ACTS)}):
            self.visitors[who] = Visitor(who, port).sign_in(self.cast["password"], self.cast["keys"][who])

    def move(self, port: int) -> None:
        """Have everybody go on with their session at another port."""
        self.visitors = {who: visitor.at(port) for who, visitor in self.visitors.items()}


def site_of(size: int, url: str, cast: dict[str, Any]) -> Site:
    """Return a site that nobody has visited."""
    mine = copy.deepcopy(cast)
    mine["person"], mine["one"] = mine["people"][0], mine["waiting"][-1]
    with contextlib.closing(connect(url)) as connection:
        for name, (question, value) in PLACES.items():
            found = connection.execute(question, [value]).fetchone()
            mine[name] = str(found[0]) if found else None
    return Site(size, url, mine)


def count(site: Site, folder: Path, **more: str) -> None:
    """Sign everybody in, open each page and do each act once; note queries and bytes."""
    tell(f"Counting the queries of each page and act at {site.size:,}.")
    with served(folder, site.url, workers=1, settings=COUNTED, **more) as port:
        site.sign_in(port)
        for page in PAGES:
            for _warm in range(2):
                took = _open(site, page)
            _note(site, page.name, took)
        for act, took in _acts(site, each=2):
            _note(site, act.name, took)


def _note(site: Site, name: str, took: Took) -> None:
    noted = site.of(name)
    noted.queries, noted.size, noted.sql_seconds = took.queries, took.size, took.sql_seconds


def _open(site: Site, page: Page) -> Took:
    visitor = site.visitors[page.who]
    took = visitor.get(page.address(site.cast))
    if took.status == SERVICE_UNAVAILABLE:
        site.of(page.name).failed += 1
        return took
    assert took.status == 200, (page.name, took.status, visitor.there, visitor.last[:2000])
    return took


def _acts(site: Site, *, each: int) -> Iterator[tuple[Act, Took]]:
    """Do each act so many times, with what was not acted on yet."""
    for act in ACTS:
        yield from ((act, took) for _before, took in _do(site, act, each=each))


def _do(site: Site, act: Act, *, each: int) -> Iterator[tuple[float, Took]]:
    """Do an act so many times; yields the machine's pace before each, and what it took."""
    visitor = site.visitors[act.who]
    if act.name == "End an activation":
        site.cast["running"] = running_of(visitor)
    objects = act.objects(site.cast)
    todo, objects[:] = objects[:each], objects[each:]
    give_factors(site.url, act.who, len(todo))
    for one in todo:
        before = pace()
        took = act.send(visitor, site.cast, one)
        assert took.status == 302, (act.name, took.status, visitor.last[:4000])
        yield before, took


def measure(sites: Sequence[Site], folder: Path, *, samples: int) -> None:
    """Time each page and act with one worker and one visitor at a time, the sizes in turn."""
    with contextlib.ExitStack() as stack:
        for site in sites:
            site.move(stack.enter_context(served(folder, site.url, workers=1, settings=PRODUCT)))
        gc.disable()
        for page in PAGES:
            tell(f"{page.name}.")
            began = time.monotonic()
            for _warm in range(WARM):
                for site in sites:
                    _open(site, page)
            for done in range(samples):
                if done >= FEWEST and time.monotonic() - began > BUDGET_SECONDS:
                    break
                for site in sites:
                    before = pace()
                    site.of(page.name).add(_open(site, page), before)
        for act in ACTS:
            tell(f"{act.name}.")
            doing = [(site, _do(site, act, each=min(samples, 40) + WARM)) for site in sites]
            for number, turn in enumerate(zip(*(took for _site, took in doing), strict=True)):
                for (site, _took), (before, one) in zip(doing, turn, strict=True):
                    if number >= WARM:
                        site.of(act.name).add(one, before)
        gc.enable()
