"""What is asked of a server and how: its paths and its bodies."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from encryption.crypto.secret import Secret
from encryption.engines.veeam.client import Pin, VeeamClient
from encryption.errors import (
    VeeamRefused,
    VeeamUnexpected,
)
from tests.encryption.veeam.scripted import INFO, Reply, answers, last, listed

ONE, TWO = UUID("11111111-1111-4111-8111-111111111111"), UUID("22222222-2222-4222-8222-222222222222")
PASSWORDS, JOBS = "/api/v1/encryptionPasswords", "/api/v1/jobs"
ENTRY = {"id": str(ONE), "hint": "Gold", "modificationTime": "2026-11-02T10:00:00Z", "unknown": None}
VALUE = 's3cret-Värde \\ "x"'


@pytest.mark.parametrize(
    ("build", "revision"),
    [("13.1.0.411", "1.3-rev2"), ("13.0.1.180", "1.3-rev1"), ("12.3.1.1139", "1.2-rev1")],
)
def test_the_revision_is_told_by_the_build(scripted, open_client, build, revision):
    answers(scripted, serverInfo_GET=Reply(200, INFO | {"buildVersion": build}))
    assert open_client().revision == revision


def test_an_older_server_that_refuses_newer_revisions_is_spoken_to(scripted, open_client):
    def answering(asked):
        new = asked.headers["x-api-version"] > "1.3-rev0"
        if new:
            return Reply(400, {"errorCode": "UnexpectedContent", "message": "unknown version"})
        return Reply(200, INFO | {"buildVersion": "13.0.0.4967"}) if asked.path.endswith("Info") else None

    scripted.answering = answering
    assert open_client().revision == "1.3-rev0"


def test_a_role_that_may_not_read_the_build_suffices(scripted, open_client):
    answers(scripted, serverInfo_GET=Reply(403, {"errorCode": "AccessDenied", "message": "no"}))
    assert open_client().revision == "1.3-rev2"


def test_an_account_that_is_refused_finds_no_revision(scripted, open_client):
    scripted.answering = lambda asked: Reply(401) if "oauth2" in asked.path else None
    with pytest.raises(VeeamRefused):
        _ = open_client().revision


def test_a_server_that_is_too_old_is_refused(scripted, open_client):
    answers(scripted, serverInfo_GET=Reply(200, INFO | {"buildVersion": "11.0.1.1261"}))
    client = open_client()
    with pytest.raises(VeeamUnexpected):
        _ = client.revision
    client.close()
    assert len(scripted.calls("/api/oauth2/logout")) == 1


def test_a_revision_that_is_not_spoken_is_refused(open_client):
    with pytest.raises(VeeamUnexpected):
        open_client(revision="9.9-rev9")


def test_every_call_carries_the_revision(scripted, open_client):
    client = open_client(revision="1.3-rev1")
    client.server_info()
    assert {one.headers["x-api-version"] for one in scripted.asked} == {"1.3-rev1"}


@pytest.mark.parametrize(
    ("revision", "ask"),
    [
        ("1.2-rev1", lambda client: client.verify_password(ONE, Secret(b"x"))),
        ("1.3-rev0", lambda client: list(client.users())),
        ("1.3-rev0", lambda client: list(client.roles())),
        ("1.3-rev0", lambda client: client.event_forwarding()),
    ],
)
def test_what_a_revision_does_not_have_is_not_asked(scripted, open_client, revision, ask):
    with pytest.raises(VeeamUnexpected):
        ask(open_client(revision=revision))
    assert scripted.asked == []


def test_the_build_that_was_read_is_not_asked_again(scripted, open_client):
    client = open_client()
    assert (client.revision, client.server_info().build) == ("1.3-rev2", "13.1.0.411")
    assert len(scripted.calls("/api/v1/serverInfo")) == 1


def test_passwords_are_read(scripted, client):
    scripted.answering = lambda asked: listed([ENTRY], asked) if asked.path == PASSWORDS else None
    assert [one.hint for one in client.passwords()] == ["Gold"]


def test_a_password_is_made(scripted, client):
    answers(scripted, POST=Reply(201, ENTRY))
    assert client.create_password("Gold", Secret(VALUE.encode())).id == ONE
    assert (last(scripted, "POST").path, last(scripted, "POST").json) == (
        PASSWORDS,
        {"password": VALUE, "hint": "Gold"},
    )


def test_a_hint_is_changed_in_the_whole_entry(scripted, client):
    answers(scripted, GET=Reply(200, ENTRY), PUT=Reply(200, ENTRY | {"hint": "New"}))
    assert client.set_hint(ONE, "New").hint == "New"
    assert last(scripted, "PUT").json == ENTRY | {"hint": "New"}


def test_a_password_is_changed(scripted, client):
    answers(scripted, POST=Reply(200))
    client.change_password(str(ONE), "New", Secret(VALUE.encode()))
    sent = last(scripted, "POST")
    assert (sent.path, sent.json) == (f"{PASSWORDS}/{ONE}/changepassword", {"hint": "New", "password": VALUE})


@pytest.mark.parametrize("verdict", [True, False])
def test_a_value_is_compared(scripted, client, verdict):
    message = "Saved encryption password does not match the provided password."
    answers(scripted, POST=Reply(200, {"isSuccessful": verdict, "message": message}))
    assert client.verify_password(ONE, Secret(b"x")) is verdict


def test_a_password_is_deleted(scripted, client):
    answers(scripted, DELETE=Reply(204))
    client.delete_password(ONE)
    assert last(scripted, "DELETE").path == f"{PASSWORDS}/{ONE}"


def test_a_job_comes_back_to_the_digit(scripted, client):
    model = f'{{"id":"{ONE}","z":1.10,"a":null,"unknown":{{"list":[1E5,-0,"\\u00e9"]}}}}'.encode()
    answers(scripted, GET=Reply(200, model), PUT=Reply(200, model))
    client.put_job(ONE, client.job(ONE))
    assert last(scripted, "PUT").body == model


def test_a_put_without_an_answer_is_read_again(scripted, client):
    answers(scripted, GET=Reply(200, {"id": str(ONE), "name": "now"}), PUT=Reply(200))
    assert client.put_job(ONE, {"id": str(ONE)})["name"] == "now"


def test_another_jobs_model_is_not_sent(scripted, client):
    with pytest.raises(VeeamUnexpected):
        client.put_job(ONE, {"id": str(TWO)})
    assert scripted.asked == []


def test_a_job_is_started_with_a_full_only_if_asked(scripted, client):
    answers(scripted, POST=Reply(201, {"id": str(TWO), "state": "Starting"}))
    assert client.start_job(ONE).id == TWO
    assert (last(scripted, "POST").path, last(scripted, "POST").json) == (
        f"{JOBS}/{ONE}/start",
        {"performActiveFull": False},
    )


def test_a_job_with_nothing_to_do_has_no_session(scripted, client):
    answers(scripted, POST=Reply(204))
    assert client.start_job(ONE) is None


def test_points_are_asked_from_a_time_on(scripted, client):
    scripted.answering = lambda asked: listed([], asked) if asked.path.endswith("restorePoints") else None
    list(client.restore_points(datetime(2026, 11, 2, 10, 0, 0, 120_000, tzinfo=UTC)))
    assert last(scripted, "GET").query["createdAfterFilter"] == "2026-11-02T10:00:00.120Z"


def test_an_analyzer_that_never_ran_has_no_run(scripted, client):
    answers(scripted, GET=Reply(404))
    assert (client.analyzer_last_run(), client.analyzer_results()) == (None, ())


def test_findings_are_read(scripted, client):
    items = [{"id": str(ONE), "bestPractice": "LossProtectionEnabled", "status": "violation", "note": None}]
    answers(scripted, GET=Reply(200, {"items": items}))
    assert [one.status for one in client.analyzer_results()] == ["Violation"]


def test_an_address_of_version_6_is_written_with_brackets(scripted):
    client = VeeamClient("::1", 9419, Pin(scripted.thumbprint), "a", Secret(b"b"))
    assert repr(client) == "<VeeamClient of [::1]:9419>"
