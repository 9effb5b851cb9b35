"""Edits over the API: from which state they were made, and what is not theirs to change."""

from base64 import b64encode

import pytest
from rest_framework.test import APIClient

from audit.models import Entry
from encryption.services import jobs
from tests.encryption.test_api import API, client

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(bench) -> APIClient:
    return client(bench.user)


@pytest.fixture
def job(bench) -> str:
    return f"{API}/jobs/{bench.job.pk}/"


def patch(api, address, body, etag=None):
    headers = {} if etag is None else {"If-Match": etag}
    return api.patch(address, body, format="json", headers=headers)


def test_edit_from_the_state_that_was_read_is_done(api, job):
    answer = patch(api, job, {"retention_points": 4}, api.get(job).headers["ETag"])
    assert (answer.status_code, answer.headers["ETag"]) == (200, api.get(job).headers["ETag"])


def test_edit_from_an_older_state_is_412(api, job, bench):
    etag = api.get(job).headers["ETag"]
    jobs.change_job(bench.job.pk, by=bench.user, retention_days=9)
    answer = patch(api, job, {"retention_points": 4}, etag)
    assert (answer.status_code, answer.json()["code"]) == (412, "precondition_failed")
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert api.get(job).json()["retention_points"] == 14


def test_edit_from_no_state_is_428(api, job):
    answer = patch(api, job, {"retention_points": 4})
    assert (answer.status_code, answer.json()["code"]) == (428, "precondition_required")


def test_weak_etag_matches_nothing(api, job):
    assert patch(api, job, {"full_every": 4}, "W/" + api.get(job).headers["ETag"]).status_code == 412


def test_one_of_several_etags_is_enough(api, job):
    assert patch(api, job, {"full_every": 4}, f'"other", {api.get(job).headers["ETag"]}').status_code == 200


def test_run_beside_it_changes_no_etag(api, job, bench):
    etag = api.get(job).headers["ETag"]
    bench.run()
    assert patch(api, job, {"full_every": 4}, etag).status_code == 200


def test_outdated_edit_is_in_the_log(api, job):
    patch(api, job, {"full_every": 4}, '"older"')
    assert Entry.objects.get(event="attempt.refused").facts["code"] == "precondition_failed"


def test_outdated_deletion_is_412(api, job):
    assert api.delete(job, headers={"If-Match": '"older"'}).status_code == 412


def test_outdated_repository_is_412(api, bench):
    address = f"{API}/repositories/{bench.repository.pk}/"
    etag = api.get(address).headers["ETag"]
    assert patch(api, address, {"offsite": True}, etag).status_code == 200
    assert patch(api, address, {"offline": True}, etag).status_code == 412


@pytest.mark.parametrize(
    "name", ["is_staff", "role", "status", "approved_by", "version", "owner", "full_next_at", "id"]
)
def test_field_that_is_not_theirs_is_named_and_refused(api, job, name):
    """Mass assignment: nothing is ignored, so nothing slips in."""
    answer = patch(api, job, {name: "x", "full_every": 4}, "*")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [name])
    assert api.get(job).json()["full_every"] != 4


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", 1),
        ("?name=EDGE", 1),
        ("?name=nothing", 0),
        ("?encrypted=false", 1),
        ("?encrypted=true", 0),
        ("?state=disabled", 0),
    ],
)
def test_jobs_are_narrowed(api, query, found):
    assert len(api.get(f"{API}/jobs/{query}").json()["results"]) == found


@pytest.mark.parametrize(
    "query",
    [
        "_connector=OR",
        "name__regex=(a+)%2B",
        "state=gone",
        "repository=x",
        "page_size=0",
        "cursor=x",
        "format=api",
    ],
)
def test_odd_parameter_is_400_and_named(api, query):
    answer = api.get(f"{API}/jobs/?{query}")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [query.partition("=")[0]])


@pytest.mark.parametrize("position", ["yesterday", "%00", "9999999999999999999999"])
def test_invented_cursor_is_400(api, position):
    cursor = b64encode(f"p={position}".encode()).decode()
    answer = api.get(f"{API}/jobs/", {"cursor": cursor})
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["cursor"])


@pytest.mark.parametrize(
    "time", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-01-01T00:00:00+23:59:59"]
)
def test_odd_time_is_no_server_error(api, bench, time):
    answer = api.get(f"{API}/jobs/{bench.job.pk}/restore-points/", {"since": time})
    assert answer.status_code in (200, 400)


def test_points_are_narrowed(api, bench):
    point = bench.run()
    address = f"{API}/jobs/{bench.job.pk}/restore-points/"
    counts = [
        len(api.get(address + query).json()["results"])
        for query in ("?kind=full", "?kind=increment", "?encrypted=true", "?until=2000-01-01T00:00:00Z")
    ]
    assert (counts, point.kind) == ([1, 0, 0, 0], "full")
