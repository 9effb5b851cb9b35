"""The page that says which password opens what, and its export."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from encryption.models import EncryptionPassword, VeeamServer
from encryption.selectors import opens
from tests.pages.conftest import text_of
from tests.pages.veeam_house import make_password, make_server, make_story, make_veeam_job

pytestmark = pytest.mark.django_db


@pytest.fixture
def story(people) -> VeeamServer:
    """A server with a bit of everything."""
    return make_story()


def test_every_job_has_a_row_and_its_versions(clients, story):
    text = text_of(clients["dpo"].get(reverse("opens")))
    assert "Domain controllers" in text
    assert "Infra · 3" in text
    assert "not encrypted" in text


def test_a_stretch_ends_where_the_next_version_begins(story):
    job = story.jobs.get(job__name="Domain controllers").job
    since = opens.oldest_point([job])
    found = opens.opened([job], since=since, until=story.imported_at)[job.pk]
    assert [stretch.version.number for stretch in found.stretches] == [1, 2, 3]
    assert found.points == 61
    assert all(
        one.ends < other.begins for one, other in zip(found.stretches, found.stretches[1:], strict=False)
    )


def test_a_band_shows_at_most_200_marks_and_loses_no_point(people):
    server = make_server()
    job = make_veeam_job(
        server, "Busy", "VSphereBackup", make_password(server, "P", since=(800,)), points=900
    )
    found = opens.opened([job], since=opens.oldest_point([job]), until=server.imported_at)[job.pk]
    assert len(found.marks) <= opens.MARKS
    assert sum(found.marks.values()) == 900


def test_what_nobody_holds_is_counted_with_its_points(people):
    server = make_server()
    make_veeam_job(
        server, "One", "VSphereBackup", make_password(server, "P", since=(800, 100), held=1), points=10
    )
    found = opens.figures(type(server.jobs.first().job).objects.all())
    assert (found.versions, found.unheld, found.older) == (2, 1, 1)
    assert 0 < found.unheld_points < 10


def test_a_version_that_nothing_needs_could_be_retired(people):
    server = make_server()
    versions = make_password(server, "P", since=(800, 700))
    job = make_veeam_job(server, "One", "VSphereBackup", versions, points=5, days=30)
    assert [one.number for one in opens.retirable(type(job).objects.all())] == [1]


def test_the_number_of_queries_does_not_grow_with_the_jobs(people, clients):
    def asked() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert clients["dpo"].get(reverse("opens")).status_code == 200
        return len(captured)

    server = make_server()
    versions = make_password(server, "P", since=(800, 100))
    make_veeam_job(server, "First", "VSphereBackup", versions, points=5)
    asked()
    few = asked()
    for number in range(20):
        make_veeam_job(server, f"Job {number}", "VSphereBackup", versions, points=5)
    assert asked() == few


def test_the_page_is_light_with_25_full_jobs(people, clients):
    server = make_server()
    versions = make_password(server, "P", since=(800, 100))
    for number in range(26):
        make_veeam_job(server, f"Job {number}", "VSphereBackup", versions, points=300)
    assert len(clients["dpo"].get(reverse("opens")).content) < 100_000


def test_the_export_has_a_line_a_stretch_and_no_formula(clients, story):
    EncryptionPassword.objects.filter(hint="Infra").update(hint="=Infra")
    make_veeam_job(story, "=cmd", "FileBackup", make_password(story, "@SUM", since=(900,)), points=3)
    lines = b"".join(clients["auditor"].get(reverse("opens_export")).streaming_content).decode().splitlines()
    assert lines[0].startswith("job,type,version")
    assert any(line.startswith("'=cmd,FileBackup,'@SUM,1,no") for line in lines)
    assert sum("Domain controllers" in line for line in lines) == 3


def test_who_may_not_see_passwords_sees_no_page(clients, story):
    assert clients["nobody"].get(reverse("opens")).status_code == 403
    assert clients["nobody"].get(reverse("opens_export")).status_code == 403
