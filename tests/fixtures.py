"""Fixtures that many tests share: the cast by name, and a browser for one of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from roles import ids
from roles.models import Assignment, User
from tests.people import EXCHANGE_ADMINISTRATOR, configure, give, make_eligible, person, role
from tests.visitors import cookie_of

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page
    from pytest_django.live_server_helper import LiveServer


@pytest.fixture
def petra(db: None) -> User:
    """A Privileged Role Administrator, permanent active, with a second factor."""
    user = person("petra")
    give(user, role(ids.PRIVILEGED_ROLE_ADMINISTRATOR))
    return user


@pytest.fixture
def paul(db: None) -> User:
    """A second Privileged Role Administrator."""
    user = person("paul")
    give(user, role(ids.PRIVILEGED_ROLE_ADMINISTRATOR))
    return user


@pytest.fixture
def ines(db: None) -> User:
    """An eligible user; the test says for what."""
    return person("ines")


@pytest.fixture
def adam(db: None) -> User:
    """An approver."""
    return person("adam")


@pytest.fixture
def berta(db: None) -> User:
    """Another approver."""
    return person("berta")


@pytest.fixture
def zoe(db: None) -> User:
    """A stranger: holds nothing, approves nothing."""
    return person("zoe")


@pytest.fixture
def nina(db: None) -> User:
    """An auditor: Global Reader."""
    user = person("nina")
    give(user, role(ids.GLOBAL_READER))
    return user


@pytest.fixture
def eligibility(ines: User) -> Assignment:
    """Ines is permanently eligible for Exchange Administrator; no approval."""
    return make_eligible(ines, role(EXCHANGE_ADMINISTRATOR))


@pytest.fixture
def with_approval(eligibility: Assignment, adam: User, berta: User) -> Assignment:
    """The same, and Adam or Berta must approve."""
    configure(eligibility.role, approvers=[adam, berta])
    return eligibility


@pytest.fixture
def browse(new_context: Callable[..., BrowserContext], live_server: LiveServer) -> Callable[..., Page]:
    """Open a browser of its own in which this person is signed in."""

    def open_page(user: User, **options: Any) -> Page:
        context = new_context(base_url=live_server.url, **options)
        context.add_cookies([cookie_of(user, live_server)])
        return context.new_page()

    return open_page
