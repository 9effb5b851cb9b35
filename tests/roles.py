"""Requests of tests reach the database in the role that the web process has."""

from collections.abc import Callable

from django.db import connection
from django.http import HttpRequest, HttpResponseBase


class AsWeb:
    """Outermost: what a door does without the web role's right fails in its test, not in production."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if connection.connection is None:
            return self.get_response(request)
        # Through psycopg itself: these two are not queries of the page that a test may count.
        connection.connection.execute("SET ROLE veeamsec_web")
        try:
            return self.get_response(request)
        finally:
            if not connection.needs_rollback:
                connection.connection.execute("RESET ROLE")
