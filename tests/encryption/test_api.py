"""The API of jobs, runs, restores, keys and re-keys."""

import uuid

import pytest
from rest_framework.test import APIClient

from accounts.models import Role
from encryption.services import drift
from tests.encryption.conftest import FIRST, SECOND, make_user

pytestmark = pytest.mark.django_db
API = "/api/v1"


def client(user) -> APIClient:
    made = APIClient(SERVER_NAME="localhost", SERVER_PORT="8000")
    made.force_authenticate(user)
    return made


@pytest.fixture
def api(bench) -> APIClient:
    return client(bench.user)


def test_anonymous_gets_401():
    assert APIClient(SERVER_NAME="localhost").get(f"{API}/jobs/").status_code == 401


def test_job_is_made(api, bench):
    body = {"name": "Second", "repository": str(bench.repository.pk), "source": str(bench.source)}
    answer = api.post(f"{API}/jobs/", body, format="json")
    assert (answer.status_code, answer.data["badge"]["state"]) == (201, "plain")


def test_same_idempotency_key_makes_one_job(api, bench):
    body = {"name": "Second", "repository": str(bench.repository.pk), "source": str(bench.source)}
    first, second = (
        api.post(f"{API}/jobs/", body, format="json", headers={"Idempotency-Key": "one"}) for _ in range(2)
    )
    assert first.json()["id"] == second.json()["id"]


def test_job_is_changed(api, bench):
    address, headers = f"{API}/jobs/{bench.job.pk}/", {"If-Match": "*"}
    answer = api.patch(address, {"retention_points": 4}, format="json", headers=headers)
    assert (answer.status_code, answer.data["retention_points"]) == (200, 4)


def test_encryption_is_not_changed_here(api, bench):
    """P2: a client hears that encryption changes by a request, instead of being ignored."""
    address, headers = f"{API}/jobs/{bench.job.pk}/", {"If-Match": "*"}
    answer = api.patch(address, {"password": None}, format="json", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert "request" in answer.json()["detail"]


def test_encrypted_job_is_not_deleted(activated):
    """P2"""
    assert client(activated.user).delete(f"{API}/jobs/{activated.job.pk}/").status_code == 400


def test_plain_job_is_deleted(api, bench):
    assert api.delete(f"{API}/jobs/{bench.job.pk}/").status_code == 204
    assert api.get(f"{API}/jobs/{bench.job.pk}/").status_code == 404


def test_run_is_accepted_and_then_busy(api, bench):
    assert api.post(f"{API}/jobs/{bench.job.pk}/run/").status_code == 202
    answer = api.post(f"{API}/jobs/{bench.job.pk}/run/")
    assert (answer.status_code, answer.json()["code"]) == (409, "job_busy")


def test_sessions_are_listed(api, bench):
    point = bench.run()
    listed = api.get(f"{API}/jobs/{bench.job.pk}/sessions/").json()["results"]
    assert [row["id"] for row in listed] == [str(point.session_id)]
    assert api.get(f"{API}/sessions/{point.session_id}/").json()["state"] == "succeeded"


def test_restore_points_are_listed(api, bench):
    point = bench.run()
    listed = api.get(f"{API}/jobs/{bench.job.pk}/restore-points/").json()["results"]
    assert [row["id"] for row in listed] == [str(point.pk)]


def test_restore_is_accepted(api, bench, tmp_path):
    point = bench.run()
    answer = api.post(f"{API}/restore-points/{point.pk}/restore/", {"to": str(tmp_path / "r")}, format="json")
    assert (answer.status_code, answer.data["kind"]) == (202, "restore")


def test_keys_show_ids_and_no_key(activated):
    point = activated.run()
    tree = client(activated.user).get(f"{API}/jobs/{activated.job.pk}/keys/").json()
    assert tree["fingerprint"] == activated.head()
    assert [key["storage_key"] for key in tree["storage_keys"]] == [str(point.storage_key)]


def test_badge(activated):
    assert client(activated.user).get(f"{API}/jobs/{activated.job.pk}/badge/").json()["state"] == "applying"


def test_passwords_show_hints_and_no_value(activated):
    answer = client(activated.user).get(f"{API}/passwords/")
    assert (answer.json()["results"][0]["hint"], FIRST in answer.content.decode()) == (
        "the green folder",
        False,
    )
    assert not {"sealed_password", "sealed_root", "kdf"} & answer.json()["results"][0]["versions"][0].keys()


def test_rekey_shows_its_steps(activated):
    rekey = activated.rekey("change", SECOND)
    answer = client(activated.user).get(f"{API}/rekeys/{rekey.pk}/").json()
    assert (answer["state"], answer["steps"][0]["proof"]["new_opens"]) == ("succeeded", True)


def test_drifts_are_listed(activated):
    (activated.folder / "keyring").unlink()
    drift.observe(activated.job.pk)
    listed = client(activated.user).get(f"{API}/drifts/").json()["results"]
    assert [row["what"] for row in listed] == ["keyring.missing"]


@pytest.mark.parametrize("path", ["", "run/", "keys/", "badge/", "restore-points/", "sessions/"])
def test_job_of_others_is_not_known(bench, path):
    asked = client(make_user("ada"))
    method = asked.post if path == "run/" else asked.get
    assert method(f"{API}/jobs/{bench.job.pk}/{path}").status_code == 404


def test_auditor_reads_and_runs_nothing(bench):
    asked = client(make_user("ada", Role.AUDITOR))
    assert asked.get(f"{API}/jobs/{bench.job.pk}/").status_code == 200
    assert asked.post(f"{API}/jobs/{bench.job.pk}/run/").status_code == 403


def test_unknown_ids_are_404(api):
    for path in ("jobs", "rekeys", "sessions", "repositories"):
        assert api.get(f"{API}/{path}/{uuid.uuid4()}/").status_code == 404


def test_repository_is_made_changed_and_forgotten(api, tmp_path):
    made = api.post(f"{API}/repositories/", {"name": "B", "location": str(tmp_path / "b")}, format="json")
    address = f"{API}/repositories/{made.json()['id']}/"
    tag = {"If-Match": made.headers["ETag"]}
    assert api.patch(address, {"offsite": True}, format="json", headers=tag).json()["offsite"] is True
    assert api.delete(address).status_code == 204


def test_repository_outside_the_roots_is_refused(api):
    answer = api.post(f"{API}/repositories/", {"name": "B", "location": "/etc"}, format="json")
    assert answer.json()["code"] == "invalid"
