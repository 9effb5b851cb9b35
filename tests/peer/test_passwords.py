"""Encryption passwords of the peer."""

from datetime import timedelta

from tests.peer.client import Session
from veeamsec.peer.actions import WRONG_MOST
from veeamsec.peer.seeds.ground import READING, VIEWING
from veeamsec.peer.seeds.small import COPIES, STANDARD, UNUSED


def test_list_never_holds_a_value(peer, session):
    text = session.get("encryptionPasswords").text
    assert [one.value for one in peer.control.at.passwords.values() if one.value in text] == []


def test_create_gives_an_id(session):
    made = session.post("encryptionPasswords", {"hint": "New", "password": "correct horse"})
    assert made.status_code == 201
    assert session.get(f"encryptionPasswords/{made.json()['id']}").json()["hint"] == "New"


def test_create_without_hint_is_refused(session):
    refused = session.post("encryptionPasswords", {"password": "correct horse"})
    assert (refused.status_code, refused.json()["errorCode"]) == (400, "UnexpectedContent")


def test_change_moves_the_time(peer, session):
    before = peer.control.modified_at(STANDARD)
    body = {"hint": STANDARD, "password": "another"}
    path = f"encryptionPasswords/{peer.control.password_id(STANDARD)}"
    assert session.post(f"{path}/changepassword", body).status_code == 200
    assert peer.control.modified_at(STANDARD) > before


def test_hint_can_be_changed_alone(peer, session):
    path = f"encryptionPasswords/{peer.control.password_id(STANDARD)}"
    before = session.get(path).json()
    after = session.put(path, before | {"hint": "Renamed"}).json()
    assert after == before | {"hint": "Renamed"}


def test_verify_tells_the_right_value(peer, session):
    path = f"encryptionPasswords/{peer.control.password_id(STANDARD)}/verify"
    answers = [
        session.post(path, {"password": value}).json()["isSuccessful"]
        for value in (peer.control.password_value(STANDARD), "wrong")
    ]
    assert answers == [True, False]


def test_verify_is_blocked_after_too_many_wrong_values(peer, session):
    path = f"encryptionPasswords/{peer.control.password_id(STANDARD)}/verify"
    for _ in range(WRONG_MOST):
        session.post(path, {"password": "wrong"})
    right = {"password": peer.control.password_value(STANDARD)}
    blocked = session.post(path, right).json()
    assert not blocked["isSuccessful"]
    assert "blocked" in blocked["message"]
    peer.control.move_clock(timedelta(minutes=6))
    assert session.post(path, right).json()["isSuccessful"]


def test_delete_of_a_used_password_is_refused(peer, session):
    assert session.delete(f"encryptionPasswords/{peer.control.password_id(COPIES)}").status_code == 409


def test_delete_of_an_unused_password_is_done(peer, session):
    path = f"encryptionPasswords/{peer.control.password_id(UNUSED)}"
    assert session.delete(path).status_code == 204
    assert session.get(path).status_code == 404


def test_delete_under_four_eyes_is_refused(peer, session):
    peer.control.four_eyes(on=True)
    refused = session.delete(f"encryptionPasswords/{peer.control.password_id(UNUSED)}")
    assert refused.status_code == 403
    assert "four-eyes" in refused.json()["message"]


def test_filter_by_hint(session):
    found = session.get("encryptionPasswords", hintFilter="c*").json()["data"]
    assert [one["hint"] for one in found] == [COPIES]


def test_older_revision_has_no_verify(peer):
    with Session(peer, revision="1.2-rev1") as old:
        path = f"encryptionPasswords/{peer.control.password_id(STANDARD)}"
        assert old.post(f"{path}/verify", {"password": "x"}).status_code == 404
        assert "isImported" not in old.get(path).json()


def test_operator_may_read_but_not_change(peer, as_account):
    reader = as_account(READING)
    path = f"encryptionPasswords/{peer.control.password_id(STANDARD)}"
    assert reader.get(path).status_code == 200
    assert reader.post(f"{path}/changepassword", {"hint": "x", "password": "y"}).status_code == 403


def test_viewer_may_not_read(as_account):
    assert as_account(VIEWING).get("encryptionPasswords").status_code == 403
