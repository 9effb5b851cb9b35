"""Errors to order."""

import httpx
import pytest

from veeamsec.peer.faults import STATUSES
from veeamsec.peer.seeds.small import STANDARD


@pytest.mark.parametrize("status", STATUSES)
def test_ordered_status_comes_once(peer, session, status):
    fault = peer.control.fail_next(status, path="/jobs$")
    answers = [session.get(path).status_code for path in ("backups", "jobs", "jobs")]
    assert (answers, fault.hits) == ([200, status, 200], 1)


def test_retry_after_is_told(peer, session):
    peer.control.fail_next(429, retry_after="7")
    assert session.get("jobs").headers["Retry-After"] == "7"


def test_fault_waits_for_its_turn(peer, session):
    peer.control.fail_next(503, method="GET", skip=2, times=2)
    assert [session.get("jobs").status_code for _ in range(5)] == [200, 200, 503, 503, 200]


@pytest.mark.parametrize("kind", ["cut", "drop"])
def test_cut_answer_leaves_a_change_that_is_done_and_drop_does_not(peer, session, kind):
    before = peer.control.modified_at(STANDARD)
    peer.control.fail_next(kind, method="POST")
    path = f"encryptionPasswords/{peer.control.password_id(STANDARD)}/changepassword"
    with pytest.raises(httpx.RemoteProtocolError):
        session.post(path, {"hint": STANDARD, "password": "another"})
    assert (peer.control.modified_at(STANDARD) > before) is (kind == "cut")


def test_answer_without_a_body_can_be_cut(peer, session):
    peer.control.fail_next("cut", method="POST")
    with pytest.raises(httpx.RemoteProtocolError):
        session.post(f"jobs/{peer.control.job_id('Finance VMs')}/disable")
    assert peer.control.job_model("Finance VMs")["isDisabled"]


def test_slow_answer_is_late(peer, session):
    peer.control.fail_next("slow", seconds=1)
    with pytest.raises(httpx.ReadTimeout):
        session.http.get("/api/v1/jobs", timeout=0.1)


def test_garbage_is_a_page(peer, session):
    peer.control.fail_next("garbage")
    answer = session.get("jobs")
    assert (answer.status_code, answer.headers["content-type"]) == (502, "text/html")


def test_something_happens_right_before_a_call(peer, session):
    path = f"jobs/{peer.control.job_id('Finance VMs')}"
    peer.control.before_next("GET", "/jobs/", lambda: peer.control.somebody_switches_off("Finance VMs"))
    model = session.get(path).json()
    assert not model["storage"]["advancedSettings"]["storageData"]["encryption"]["isEnabled"]


def test_unknown_fault_cannot_be_ordered(peer):
    with pytest.raises(ValueError, match="teapot"):
        peer.control.fail_next("teapot")


def test_calls_are_remembered_without_bodies(peer, session):
    session.get("jobs")
    assert [(one.method, one.path, one.status) for one in peer.control.seen][-1] == (
        "GET",
        "/api/v1/jobs",
        200,
    )
