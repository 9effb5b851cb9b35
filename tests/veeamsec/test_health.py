"""The health page."""

import pytest
from django.core.cache import cache
from django.db import OperationalError, connection
from redis.exceptions import ConnectionError as RedisGone


@pytest.mark.django_db
def test_well(client):
    response = client.get("/healthz")
    assert (response.status_code, response.json()["status"]) == (200, "ok")


@pytest.mark.django_db
def test_without_a_broker(client, monkeypatch):
    def gone(*args):
        raise RedisGone

    monkeypatch.setattr(cache, "get", gone)
    response = client.get("/healthz")
    assert (response.status_code, response.json()["broker"]) == (503, False)


def test_without_a_database(client, monkeypatch):
    def gone(*args):
        raise OperationalError

    monkeypatch.setattr(connection, "cursor", gone)
    response = client.get("/healthz")
    assert (response.status_code, response.json()["database"]) == (503, False)


@pytest.mark.django_db
def test_one_os_user_is_said(client):
    assert client.get("/healthz").json()["one_os_user"] is True
