"""The health page."""

from datetime import timedelta

import pytest
import time_machine
from django.core.cache import cache
from django.db import OperationalError, connection
from django.utils import timezone
from model_bakery import baker
from redis.exceptions import ConnectionError as RedisGone

from audit import services as audit
from audit.events import Event
from encryption.models import Job
from encryption.services import guarding


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


@pytest.mark.django_db
def test_ready(client):
    response = client.get("/readyz")
    assert (response.status_code, response.json()["status"]) == (200, "ready")


@pytest.mark.django_db
def test_who_keeps_the_master_keys_is_said(client, vsec_home):
    guarding.watch_worker()
    assert client.get("/readyz").json()["keys"] == {"worker": "files", "enterprise": None}


@pytest.mark.django_db
def test_not_ready_without_a_trigger(client, monkeypatch):
    monkeypatch.setattr("veeamsec.health.missing_triggers", lambda: ["audit_entry.entries_stay"])
    response = client.get("/readyz")
    assert (response.status_code, response.json()["triggers"]) == (503, False)


def test_not_ready_without_a_database(client, monkeypatch):
    def gone(*args):
        raise OperationalError

    monkeypatch.setattr(connection, "cursor", gone)
    response = client.get("/readyz")
    assert (response.status_code, response.json()["database"]) == (503, False)


@pytest.mark.django_db
def test_not_ready_while_a_job_is_not_observed(client):
    baker.make(Job, name="forgotten", observed_at=timezone.now() - timedelta(hours=2))
    body = client.get("/readyz").json()
    assert (body["observations"], body["observation_age"] >= 7200) == (False, True)


@pytest.mark.django_db
def test_not_ready_while_the_log_is_not_signed(client):
    with time_machine.travel(timezone.now() - timedelta(hours=1)):
        audit.record(Event.JOB_CHANGED, subject="job", by=audit.CONSOLE)
    assert client.get("/readyz").json()["checkpoints"] is False


@pytest.mark.django_db
def test_the_proxy_tells_who_comes(client, settings):
    settings.VEEAMSEC_BEHIND_PROXY = True
    response = client.get("/readyz", headers={"X-Forwarded-For": "192.0.2.7"})
    assert response.wsgi_request.META["REMOTE_ADDR"] == "192.0.2.7"
