"""The console: jobs by their use cases, refusals above the form, everything else read-only."""

import pytest
from django.test import Client

from audit.models import Entry
from encryption.models import Job, JobSession
from tests.encryption.conftest import make_user

pytestmark = pytest.mark.django_db
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@pytest.fixture
def console(bench) -> Client:
    bench.user.is_staff = True
    bench.user.save()
    client = Client(headers={"host": "localhost:8000"})
    client.force_login(bench.user, backend=BACKEND)
    return client


def form(bench, **changes: object) -> dict[str, object]:
    return {
        "name": "Second",
        "repository": str(bench.repository.pk),
        "source": str(bench.source),
        "include": "[]",
        "exclude": "[]",
        "retention_points": 14,
        "retention_days": 0,
        "full_every": 7,
        "state": "active",
    } | changes


def test_job_is_made_with_its_entry(console, bench):
    console.post("/admin/encryption/job/add/", form(bench))
    made = Job.objects.get(name="Second")
    assert Entry.objects.filter(event="job.created", subject_id=str(made.pk)).count() == 1


def test_refusal_stands_above_the_form_and_in_the_log(console, bench):
    answer = console.post("/admin/encryption/job/add/", form(bench, source="/etc"))
    assert "VEEAMSEC_ROOTS" in answer.content.decode()
    assert Entry.objects.filter(event="attempt.refused").count() == 1
    assert not Job.objects.filter(name="Second").exists()


def test_job_is_changed(console, bench):
    console.post(f"/admin/encryption/job/{bench.job.pk}/change/", form(bench, name="Ledgers", full_every=5))
    bench.job.refresh_from_db()
    assert bench.job.full_every == 5


def test_password_is_not_a_field(console, bench):
    """P2: the console cannot take a job's encryption away."""
    page = console.get(f"/admin/encryption/job/{bench.job.pk}/change/").content.decode()
    assert 'name="password"' not in page


def test_action_runs(console, bench):
    console.post("/admin/encryption/job/", {"action": "run", "_selected_action": [str(bench.job.pk)]})
    assert JobSession.objects.get().state == "queued"


def test_action_does_not_delete_an_encrypted_job(activated):
    """P2: neither does it delete an encrypted job."""
    activated.user.is_staff = True
    activated.user.save()
    client = Client(headers={"host": "localhost:8000"})
    client.force_login(activated.user, backend=BACKEND)
    client.post("/admin/encryption/job/", {"action": "delete", "_selected_action": [str(activated.job.pk)]})
    activated.job.refresh_from_db()
    assert activated.job.state == "active"


@pytest.mark.parametrize("model", ["restorepoint", "jobsession", "encryptionpassword", "rekey", "drift"])
def test_rest_is_seen_and_not_added(console, model):
    assert console.get(f"/admin/encryption/{model}/").status_code == 200
    assert console.get(f"/admin/encryption/{model}/add/").status_code == 403


def test_stranger_sees_nothing(bench):
    ada = make_user("ada")
    ada.is_staff = True
    ada.save()
    client = Client(headers={"host": "localhost:8000"})
    client.force_login(ada, backend=BACKEND)
    assert client.get("/admin/encryption/job/").status_code == 403
