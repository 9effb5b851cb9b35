"""A hand-over that nobody comes for: reminded by mail, and alarmed when the week is over."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.utils import timezone

from approvals.services import requests
from audit.models import Alarm
from recovery.models import Release
from recovery.services import releases, untaken
from tests.approvals.conftest import approve, work
from tests.approvals.executing import change
from tests.recovery.page import Page, handed
from tests.recovery.test_generating import made

pytestmark = pytest.mark.django_db


@pytest.fixture
def release(people, roster, ask) -> Release:
    """What waits for Norbert after an executed activation."""
    work(approve(people.dpo, ask(**made(people))))
    return Release.objects.get()


@pytest.mark.alarm("password.untaken")
def test_what_nobody_took_in_time_is_alarmed_until_somebody_has_it(release, people):
    assert untaken.watch() == 0
    late = timezone.now() + releases.VALID
    assert untaken.watch(late) == 1
    assert untaken.watch(late) == 0
    assert Alarm.objects.get(kind="password.untaken").resolved_at is None
    again = change(people, release.version.password_id)
    assert work(approve(people.dpo, again)).state == "executed"
    assert untaken.watch(late) == 1


@pytest.mark.alarm("password.untaken")
def test_a_release_to_somebody_else_ends_that_alarm(release, people):
    late = timezone.now() + releases.VALID
    assert untaken.watch(late) == 1
    given = {"encryption_password": release.version.password_id, "user": people.auditor.pk}
    asked = requests.ask("release_password", by=people.operator, reason="Nobody has it.", **given)
    work(approve(people.dpo, asked))
    handed(Release.objects.get(request=asked.pk), people.auditor)
    assert untaken.watch(late) == 1


def test_what_was_taken_is_never_alarmed(release, people):
    handed(release, people.nobody)
    assert untaken.watch(timezone.now() + releases.VALID) == 0


def test_the_custodian_is_told_at_once_and_reminded_until_the_page_is_opened(release, people, mailoutbox):
    now = timezone.now()
    days = [timedelta(days=day) for day in (0, 1, 2, 3, 4, 6, 8)]
    assert [untaken.remind(now + day) for day in days] == [1, 0, 1, 0, 1, 1, 0]
    assert {place for mail in mailoutbox for place in mail.to} == {people.nobody.person.email}
    assert all("/custody/" in mail.body for mail in mailoutbox)
    releases.open_page(release.pk, Page().point, by=people.nobody)
    cache.clear()
    assert untaken.remind(now) == 0
