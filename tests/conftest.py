import os
import sys
from collections.abc import Callable, Iterator
from typing import Any

import hypothesis
import pytest
from django.core.cache import cache
from playwright.sync_api import BrowserContext, ConsoleMessage, WebError, expect

from roles import kept
from tests import chromium

pytest_plugins = ["tests.databases", "tests.restoring", "tests.fixtures", "tests.asked_twice", "tests.each_service"]

# Playwright keeps an event loop in the thread in which a browser test calls the ORM.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
# What is expected of a page is waited for as long as a busy machine may need; one that is there ends the wait.
expect.set_options(timeout=20_000)

hypothesis.settings.register_profile("portal", deadline=None)
hypothesis.settings.load_profile("portal")

MENU_KEPT_SECONDS = kept.KEPT_SECONDS

LOOPBACK = {"127.0.0.1", "::1", "localhost"}


def refuse_network(event: str, arguments: tuple[Any, ...]) -> None:
    """No test leaves this machine, not even to ask for a name."""
    if event == "socket.getaddrinfo":
        host = arguments[0]
    elif event in {"socket.connect", "socket.sendto"} and isinstance(arguments[1], tuple):
        host = arguments[1][0]
    else:
        return
    host = host.decode() if isinstance(host, bytes) else host
    if host and host not in LOOPBACK:
        raise RuntimeError(f"A test tried to reach {host}: tests use no network.")


sys.addaudithook(refuse_network)


@pytest.fixture(autouse=True)
def _the_menu_counts_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each page counts what waits, as each first page does: tests look at many within the seconds of a figure.

    `test_menu_counts.py` is about those seconds.
    """
    monkeypatch.setattr(kept, "KEPT_SECONDS", 0)


@pytest.fixture(autouse=True)
def _nothing_is_known_of_another_test() -> None:
    """The directory is the same in all tests: what a tab of it had is kept for a minute."""
    cache.clear()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    executable = chromium.find()
    if executable is None:
        pytest.fail(chromium.MISSING, pytrace=False)
    # fmt: off
    arguments = [
        "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
    ]
    # fmt: on
    return {**browser_type_launch_args, "executable_path": executable, "args": arguments}


@pytest.fixture
def console_errors() -> Iterator[list[str]]:
    """What the browser complained of. A test that expects a complaint takes it out of the list."""
    errors: list[str] = []
    yield errors
    assert not errors, "The browser complained:\n" + "\n".join(errors)


@pytest.fixture
def new_context(new_context: Callable[..., BrowserContext], console_errors: list[str]) -> Callable[..., BrowserContext]:
    def listen(message: ConsoleMessage) -> None:
        if message.type == "error":
            console_errors.append(f"{message.location['url']}: {message.text}")

    def complain(error: WebError) -> None:
        console_errors.append(str(error.error))

    def watched(**options: Any) -> BrowserContext:
        context = new_context(**options)
        context.on("console", listen)
        context.on("weberror", complain)
        return context

    return watched
