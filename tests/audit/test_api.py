"""The log over the API: for who may read it, and enough for an outsider to verify."""

import base64
import hashlib

import pytest
from rest_framework.test import APIClient

from accounts.models import Person, Role, RoleGrant, User
from audit import merkle, note
from audit import services as audit

pytestmark = pytest.mark.django_db
ENTRIES, HEAD = "/api/v1/audit/entries/", "/api/v1/audit/checkpoint/"


def client(role: Role | None) -> APIClient:
    person = Person.objects.create(name="Somebody")
    user = User.objects.create(username="somebody", person=person)
    if role:
        RoleGrant.objects.create(user=user, role=role)
    found = APIClient()
    found.force_authenticate(user)
    return found


@pytest.fixture
def auditor() -> APIClient:
    return client(Role.AUDITOR)


@pytest.mark.parametrize("path", [ENTRIES, HEAD, f"{ENTRIES}0/proof/"])
def test_anonymous_is_told_to_sign_in(path):
    assert APIClient().get(path).status_code == 401


@pytest.mark.parametrize("path", [ENTRIES, HEAD, f"{ENTRIES}0/proof/"])
@pytest.mark.parametrize("role", [Role.OPERATOR, None])
def test_who_may_not_read_the_log_is_refused(path, role, signing, write):
    write(1)
    audit.sign_checkpoint()
    assert client(role).get(path).status_code == 403


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.ADMINISTRATOR])
def test_who_may_read_the_log_reads_it(role, write):
    write(1)
    assert client(role).get(ENTRIES).status_code == 200


@pytest.mark.parametrize("verb", ["post", "put", "patch", "delete"])
def test_nobody_writes_the_log_over_the_api(auditor, verb):
    assert getattr(auditor, verb)(ENTRIES).status_code == 405


def test_entries_come_newest_first_in_pages(auditor, write):
    write(5)
    page = auditor.get(ENTRIES, {"page_size": 3}).json()
    rest = auditor.get(page["next"]).json()
    assert [entry["sequence"] for entry in page["results"] + rest["results"]] == [4, 3, 2, 1, 0]


def test_entry_carries_the_bytes_that_are_hashed(auditor, write):
    write(1)
    [entry] = auditor.get(ENTRIES).json()["results"]
    assert hashlib.sha256(b"\x00" + entry["canonical"].encode()).hexdigest() == entry["leaf_hash"]


def test_entry_shows_its_names_and_event(auditor, write):
    write(1)
    [entry] = auditor.get(ENTRIES).json()["results"]
    assert (entry["event"], entry["number"], entry["names"]) == ("job.run", 71304, {"subject": "job 0"})


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({"event": "job.run"}, 2),
        ({"event": "job."}, 2),
        ({"event": "rekey."}, 0),
        ({"actor": str(audit.CONSOLE.pk)}, 2),
        ({"actor": str(audit.WORKER.pk)}, 0),
        ({"subject": "nothing"}, 0),
        ({"since": "2100-01-01T00:00:00Z"}, 0),
        ({"until": "2100-01-01T00:00:00Z"}, 2),
    ],
)
def test_entries_can_be_narrowed(auditor, write, query, count):
    write(2)
    assert len(auditor.get(ENTRIES, query).json()["results"]) == count


def test_filter_that_cannot_be_read_is_invalid(auditor):
    assert auditor.get(ENTRIES, {"actor": "nobody"}).status_code == 400


def test_checkpoint_before_the_first_is_not_found(auditor, signing, write):
    write(1)
    assert auditor.get(HEAD).status_code == 404


def test_outsider_verifies_an_entry_with_what_the_api_gives(auditor, signing, write):
    """Entry, proof, checkpoint and key are enough; the key must be known from elsewhere."""
    write(12)
    audit.sign_checkpoint()
    told = auditor.get(f"{ENTRIES}7/proof/").json()
    verifier = note.parse_vkey(told["checkpoint"]["vkey"])
    head = note.open_checkpoint(told["checkpoint"]["note"], verifier)
    proof = [bytes.fromhex(step) for step in told["proof"]]
    merkle.verify_inclusion(bytes.fromhex(told["leaf_hash"]), 7, head.size, proof, head.root)
    assert base64.b64encode(head.root).decode() in told["checkpoint"]["note"]


@pytest.mark.parametrize("sequence", [3, 99])
def test_proof_of_an_entry_under_no_checkpoint_is_not_found(auditor, signing, write, sequence):
    write(3)
    audit.sign_checkpoint()
    write(1)
    assert auditor.get(f"{ENTRIES}{sequence}/proof/").status_code == 404


def test_proof_of_an_altered_entry_is_a_conflict(auditor, signing, write, tamper):
    write(3)
    audit.sign_checkpoint()
    tamper("UPDATE audit_entry SET canonical = 'x' WHERE sequence = 1")
    assert auditor.get(f"{ENTRIES}1/proof/").status_code == 409
