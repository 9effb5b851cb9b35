"""A restore writes into no repository, whosever it is: what lies there is read as keys and backups."""

import pytest

from encryption.errors import PlaceRefused
from encryption.models import JobSession
from encryption.services import backups, jobs

pytestmark = pytest.mark.django_db


@pytest.fixture
def other(bench, tmp_path, job_maker):
    """Another repository, with a job that has no folder yet."""
    place = jobs.create_repository(by=bench.user, name="Other", location=str(tmp_path / "other"))
    job = jobs.create_job(by=bench.user, name="New", repository=place, source=str(bench.source))
    return tmp_path / "other" / str(job.pk)


def test_p2_nobody_restores_a_keyring_where_a_job_will_look(bench, other):
    """P2: files of one's own choice under the uuid of a job that never ran would be its keyring."""
    bench.write("keyring", "of somebody else")
    point = bench.run()
    with pytest.raises(PlaceRefused, match="repository"):
        backups.start_restore(point.pk, to=str(other), by=bench.user)


def test_p2_nor_above_or_into_ones_own(bench):
    """P2: neither the repository itself nor a folder in it nor one that holds it."""
    point = bench.run()
    for to in (bench.folder, bench.folder / "new", bench.folder.parent, bench.folder.parent.parent):
        with pytest.raises(PlaceRefused):
            backups.start_restore(point.pk, to=str(to), by=bench.user)


def test_p2_the_worker_judges_the_target_of_a_forged_row(bench, other):
    """P2: the wish is the web's to write."""
    point = bench.run()
    session = JobSession.objects.create(
        job=bench.job, kind="restore", restore_point=point.pk, wish={"to": str(other), "paths": None}
    )
    backups.run_restore(session.pk)
    session.refresh_from_db()
    assert (session.state, "repository" in session.error, other.exists()) == ("failed", True, False)
