"""Runs that did not happen and copies that lie behind are told, and end when they happen."""

from datetime import timedelta
from uuid import uuid4

import pytest
import time_machine
from django.utils import timezone

from audit import selectors
from audit.alarms import Kind
from encryption.models import JobSession, RestorePoint, VeeamJob
from encryption.services import backups, watching
from tests.pages.veeam_house import make_server, make_veeam_job

pytestmark = pytest.mark.django_db


def raised(kind: Kind) -> list[str]:
    return list(selectors.open_alarms().filter(kind=kind).values_list("text", flat=True))


@pytest.fixture
def scheduled(bench):
    """A job that runs every hour, next in an hour."""
    bench.job.schedule_minutes, bench.job.next_run_at = 60, timezone.now() + timedelta(hours=1)
    bench.job.save()
    return bench


def hours(count: float) -> time_machine.travel:
    return time_machine.travel(timezone.now() + timedelta(hours=count), tick=False)


@pytest.mark.alarm("run.missed")
def test_a_run_that_nobody_began_is_told_and_ends_with_the_next(scheduled):
    with hours(1.9):
        watching.watch()
        assert raised(Kind.RUN_MISSED) == []
    with hours(2.1):
        watching.watch()
        [text] = raised(Kind.RUN_MISSED)
        assert "was not begun" in text
        backups.schedule_due()
        backups.run_backup(JobSession.objects.get().pk)
        watching.watch()
        assert raised(Kind.RUN_MISSED) == []


def test_a_run_that_no_worker_takes_is_told(scheduled):
    with hours(1.1):
        backups.schedule_due()
    with hours(2.2):
        watching.watch()
        [text] = raised(Kind.RUN_MISSED)
        assert "no worker" in text


def test_a_run_that_goes_on_over_the_next_is_told(scheduled):
    with hours(1.1):
        backups.schedule_due()
        JobSession.objects.update(state=JobSession.State.RUNNING, started_at=timezone.now())
    with hours(2.9):
        backups.schedule_due()
        watching.watch()
        assert raised(Kind.RUN_MISSED) == []
    with hours(3.2):
        backups.schedule_due()
        watching.watch()
        [text] = raised(Kind.RUN_MISSED)
        assert "still goes on" in text


def test_a_job_without_a_schedule_misses_none(bench):
    with hours(500):
        watching.watch()
        assert raised(Kind.RUN_MISSED) == []


@pytest.fixture
def copied(vsec_home):
    """A backup with a point a day for ten days, and a copy of it that has them all."""
    server = make_server()
    source = make_veeam_job(server, "Files", "Backup", [], points=10, days=10)
    copy = make_veeam_job(server, "Files copy", "BackupCopy", [], points=10, days=10)
    VeeamJob.objects.filter(pk=copy.pk).update(copies=[str(source.veeam.external)])
    return source, copy


def test_a_copy_that_follows_is_not_told(copied):
    watching.watch()
    assert raised(Kind.COPY_BEHIND) == []


@pytest.mark.alarm("copy.behind")
def test_a_copy_that_lies_behind_is_told_and_ends_when_it_has_caught_up(copied):
    source, copy = copied
    newest = RestorePoint.objects.filter(job=source).latest("created_at")
    RestorePoint.objects.filter(job=copy, created_at__gte=newest.created_at - timedelta(hours=30)).update(
        dropped_at=timezone.now()
    )
    with hours(30):
        watching.watch()
        [text] = raised(Kind.COPY_BEHIND)
        assert f"{newest.created_at:%Y-%m-%d %H:%M}" in text
        newest.pk, newest.job = uuid4(), copy
        newest.save(force_insert=True)
        watching.watch()
        assert raised(Kind.COPY_BEHIND) == []


def test_a_copy_of_the_last_hours_may_wait(copied):
    source, _ = copied
    newest = RestorePoint.objects.filter(job=source).latest("created_at")
    newest.pk, newest.created_at = uuid4(), timezone.now() - timedelta(hours=2)
    newest.save(force_insert=True)
    watching.watch()
    assert raised(Kind.COPY_BEHIND) == []
