"""P11: SIGKILL at every commit of an adoption; it goes on by itself, and nothing is on record twice."""

import pytest
from django.db import transaction

from audit.models import Entry
from audit.queue import Task
from encryption.engines.native import finding
from encryption.models import AdoptedJob, Job, RepositoryAdoption, RestorePoint
from encryption.services import adopting
from tests.encryption.adopted import forget, prove, whole
from tests.encryption.conftest import FIRST, Bench, make_bench
from tests.faults.attacks import say, work
from tests.faults.launcher import Fault, killed
from tests.faults.worker import recover

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture
def shelf(transactional_db, vsec_home, tmp_path, monkeypatch) -> Bench:
    """An encrypted job with three restore points, each of which an adoption takes up for itself."""
    bench = make_bench(vsec_home, tmp_path)
    bench.rekey("activate", FIRST)
    for _ in range(3):
        bench.run()
    work(Task.REKEY_JOB)
    work(Task.BACKUP)
    monkeypatch.setattr(finding, "BATCH", 1)
    return bench


def lose() -> None:
    with transaction.atomic():
        forget(AdoptedJob, RepositoryAdoption)


def test_an_adoption_killed_at_every_commit_goes_on(shelf):
    known = whole(shelf)
    number, struck = 0, True
    while struck:
        lose()
        row = adopting.adopt(shelf.repository.pk, by=shelf.user)
        struck = killed(lambda: work(Task.ADOPT_REPOSITORY), Fault("commit", number + 1))
        recover(Task.ADOPT_REPOSITORY)
        row.refresh_from_db()
        assert (row.state, row.jobs, row.points, row.named) == ("done", 1, 3, [])
        assert set(whole(shelf)) == set(known)
        ended = Entry.objects.filter(event="adoption.ended", subject_id=str(shelf.repository.pk))
        assert ended.count() == number + 1
        number += struck
    say(f"killed at each of {number} × commit")
    # A job, three restore points, and the end.
    assert number >= 5
    assert prove(shelf).state == "adopted"
    assert (RestorePoint.objects.count(), Job.objects.count()) == (3, 1)
