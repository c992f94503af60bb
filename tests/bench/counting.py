"""Tells with each answer how many queries it took, and how long they took."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

from django.db import connection
from django.http import HttpRequest, HttpResponse

QUERIES = "X-Bench-Queries"
SQL_SECONDS = "X-Bench-SQL-Seconds"
LOG = "BENCH_SQL_LOG"  # a file to write each query to, for whoever looks for the slow one


class CountingMiddleware:
    """The first middleware: it sees the queries of all others."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.log = os.environ.get(LOG, "")

    def __call__(self, request: HttpRequest) -> HttpResponse:
        asked: list[tuple[float, str]] = []

        def count(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
            began = time.perf_counter()
            try:
                return execute(sql, params, many, context)
            finally:
                asked.append((time.perf_counter() - began, sql))

        with connection.execute_wrapper(count):
            response = self.get_response(request)
        response[QUERIES] = str(len(asked))
        response[SQL_SECONDS] = f"{sum(took for took, _sql in asked):.6f}"
        if self.log:
            with open(self.log, "a") as file:
                file.write(f"== {request.method} {request.get_full_path()}\n")
                file.writelines(f"{1000 * took:8.2f} ms  {sql}\n" for took, sql in asked)
        return response
