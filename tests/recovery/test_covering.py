"""Loss protection of restore points that were there before the keyset."""

import pytest
from django.urls import reverse

from encryption import selectors
from encryption.engines.registry import engine_for
from encryption.errors import JobRefused
from encryption.models import JobSession, KeysetGuard, RestorePoint
from encryption.services import protection
from tests.approvals.conftest import approve, run, work
from tests.pages.conftest import as_user, text_of
from tests.recovery.conftest import obeyed

pytestmark = pytest.mark.django_db


@pytest.fixture
def former(people, roster, ask, job):
    """An encrypted job with a point from before any keyset."""
    request = ask()
    approve(people.dpo, request)
    work(request)
    run(job)
    job.refresh_from_db()
    return job


def test_without_a_keyset_there_is_nothing_to_cover_with(people, former):
    with pytest.raises(JobRefused, match="No keyset"):
        protection.start_cover(former.pk, by=people.operator)


def test_a_point_of_the_very_second_of_a_keyset_is_not_claimed(former, keyset):
    """Its header knows seconds: whether it was made before the keyset cannot be told from there."""
    point = RestorePoint.objects.get(job=former)
    KeysetGuard.objects.filter(until=None).update(since=point.created_at)
    assert not selectors.loss_protection(former).is_whole


def test_the_page_says_off_on_and_whole(people, former, enterprise, decided):
    from recovery.services import keysets

    page = reverse("job", args=[former.pk])
    browser = as_user(people.operator)
    assert "If everybody loses the password" in text_of(browser.get(page))
    task = keysets.generate(by=enterprise, suite="x-wing", description="Winter")
    obeyed()
    decided("activate_keyset", keyset=task.pk)
    assert "On, not for all" in text_of(browser.get(page))
    browser.post(reverse("job_cover", args=[former.pk]))
    session = JobSession.objects.get(kind="cover")
    protection.run_cover(session.pk)
    session.refresh_from_db()
    assert session.state == JobSession.State.SUCCEEDED, session.error
    assert selectors.loss_protection(former).is_whole
    points = set(RestorePoint.objects.filter(job=former).values_list("pk", flat=True))
    assert (
        engine_for(former.repository).covered(former.pk, KeysetGuard.objects.get(until=None).keyset) == points
    )
