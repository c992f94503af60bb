"""What people are told when the database is out of reach, and when something else breaks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.contrib.sessions.backends.base import UpdateError
from django.db import InterfaceError, OperationalError, connection
from django.test import Client

from pim_portal.accounts.sessions import SessionStore
from tests.people import person
from tests.visitors import session_of, visiting

pytestmark = pytest.mark.django_db


@contextmanager
def out_of_reach(error: Exception, only: str = "") -> Iterator[None]:
    """Have every statement fail, or those that begin so."""

    def fail(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if sql.startswith(only):
            raise error
        return execute(sql, *rest)

    with connection.execute_wrapper(fail):
        yield


@pytest.mark.parametrize("error", [OperationalError("gone"), InterfaceError("closed")])
def test_without_its_database_the_portal_asks_to_try_again(error):
    client = visiting(person("ines"))
    client.raise_request_exception = False
    with out_of_reach(error):
        answer = client.get("/tasks/roles/")
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert "done in full or not at all" in answer.content.decode()
    assert answer["Cache-Control"] == "no-store"
    assert client.get("/tasks/roles/").status_code == 200


def test_what_else_breaks_is_an_error():
    client: Client = visiting(person("ines"))
    client.raise_request_exception = False
    with out_of_reach(RuntimeError("broken")):
        answer = client.get("/tasks/roles/")
    assert answer.status_code == 500
    assert "Something went wrong in the portal" in answer.content.decode()


def test_a_session_that_cannot_be_written_is_no_session_that_somebody_ended():
    session = SessionStore(session_of(person("ines")))
    session["seen"] = 1
    with out_of_reach(OperationalError("gone"), only="UPDATE"), pytest.raises(OperationalError):
        session.save()
    SessionStore(session.session_key).delete()
    with pytest.raises(UpdateError):
        session.save()
