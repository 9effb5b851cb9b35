"""Leases: taken by one, renewed by progress and by a heartbeat, lost for good."""

import time

import pytest
from django.db import connections
from django.utils import timezone

from audit.errors import LeaseLost
from encryption.models import JobSession
from encryption.services import backups, leases
from tests.encryption.conftest import make_bench


@pytest.fixture
def session(transactional_db, vsec_home, tmp_path) -> JobSession:
    bench = make_bench(vsec_home, tmp_path)
    return backups.start_backup(bench.job.pk, by=bench.user)


def until(session: JobSession):
    return JobSession.objects.get(pk=session.pk).lease_until


@pytest.mark.django_db(transaction=True)
def test_heartbeat_renews(session, monkeypatch):
    monkeypatch.setattr(leases, "_BEAT_SECONDS", 0.02)
    lease = leases.take(JobSession, session.pk)
    before = until(session)
    with lease.kept():
        time.sleep(0.5)
    assert until(session) > before


@pytest.mark.django_db(transaction=True)
def test_heartbeat_of_a_lost_lease_stops_the_work(session, monkeypatch):
    monkeypatch.setattr(leases, "_BEAT_SECONDS", 0.02)
    lease = leases.take(JobSession, session.pk)
    JobSession.objects.update(fence=lease.fence + 1, lease_until=timezone.now())
    before = until(session)
    with lease.kept():
        time.sleep(0.5)
    with pytest.raises(LeaseLost):
        lease.renew()
    assert until(session) == before


@pytest.mark.django_db(transaction=True)
def test_ended_row_is_not_taken(session):
    JobSession.objects.update(state="failed", ended_at=timezone.now())
    assert leases.take(JobSession, session.pk) is None
    connections.close_all()
