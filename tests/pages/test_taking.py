"""Adopting a repository on its pages: what it does is said first, what it found is named after."""

from uuid import UUID

import pytest

from encryption.crypto import kdf
from encryption.engines.registry import engine_for
from encryption.models import Job, RepositoryAdoption
from encryption.services import adopting

pytestmark = pytest.mark.django_db


FOUND = UUID("b5b1c0de-0000-4000-8000-000000000001")


@pytest.fixture
def reading(people, browse, encrypted):
    """A repository with a job's folder that nobody has on record, read from its page."""
    place = encrypted.repository
    engine_for(place).activate(FOUND, root=b"r" * 32, user_key=FOUND, parameters=kdf.new_parameters())
    sent = browse(people.operator).post(f"/repositories/{place.pk}/adopt/")
    row = RepositoryAdoption.objects.get()
    assert sent["Location"] == f"/repositories/adoptions/{row.pk}/"
    return row


def page(browse, who, reading) -> str:
    return browse(who).get(f"/repositories/adoptions/{reading.pk}/").content.decode()


def test_repositories_lead_to_adopting(people, browse, encrypted):
    where = f"/repositories/{encrypted.repository_id}/adopt/"
    assert where in browse(people.operator).get("/repositories/").content.decode()
    assert where not in browse(people.auditor).get("/repositories/").content.decode()


def test_what_adopting_does_is_said_before(people, browse, encrypted):
    text = browse(people.operator).get(f"/repositories/{encrypted.repository_id}/adopt/").content.decode()
    assert "No password becomes known by this" in text


def test_page_waits_until_it_was_read(people, browse, reading):
    assert "http-equiv" in page(browse, people.operator, reading)


def test_jobs_are_shown_unproven_with_what_helps(people, browse, reading):
    adopting.run_adoption(reading.pk)
    text, job = page(browse, people.operator, reading), Job.objects.get(pk=FOUND)
    assert "http-equiv" not in text
    assert "unproven" in text
    assert f"/passwords/{job.password_id}/adopt/" in text


def test_job_says_that_it_is_unproven_and_where_to_go(people, browse, reading):
    adopting.run_adoption(reading.pk)
    where, job = f"/jobs/{FOUND}/", Job.objects.get(pk=FOUND)
    assert f"/passwords/{job.password_id}/adopt/" in browse(people.operator).get(where).content.decode()
    shown = browse(people.auditor).get(where).content.decode()
    assert ("Nobody here has proved to know" in shown, "/adopt/" in shown) == (True, False)


def test_password_of_an_adopted_job_asks_to_be_typed(people, browse, reading):
    adopting.run_adoption(reading.pk)
    where = f"/passwords/{Job.objects.get(pk=FOUND).password_id}/"
    text = browse(people.operator).get(where).content.decode()
    assert "not known here" in text
    assert "found in a repository" in browse(people.operator).get(f"{where}adopt/").content.decode()


def test_what_could_not_be_read_is_named(people, browse, reading):
    RepositoryAdoption.objects.update(
        state="done", done_at=reading.asked_at, unread=3, named=[{"what": "x/y.vsb", "why": "It was cut."}]
    )
    text = page(browse, people.operator, reading)
    assert ("x/y.vsb" in text, "It was cut." in text, "and 2 more" in text) == (True, True, True)


def test_second_reading_meanwhile_is_refused_in_words(people, browse, reading):
    sent = browse(people.operator).post(f"/repositories/{reading.repository_id}/adopt/")
    assert (sent.status_code, "being read already" in sent.content.decode()) == (400, True)
