"""Tokens, revisions and roles of the peer."""

from datetime import timedelta

import pytest

from tests.peer.client import Session
from veeamsec.peer import serve
from veeamsec.peer.accounts import ADMINISTRATOR
from veeamsec.peer.revisions import REVISION_OF_BUILD


def form(peer, **others):
    fields = {"grant_type": "password", "username": peer.account.name, "password": peer.account.password}
    return fields | others


def test_wrong_password_is_refused(peer, stranger):
    answer = stranger.post("/api/oauth2/token", data=form(peer, password="wrong"))
    assert (answer.status_code, answer.json()["errorCode"]) == (401, "AccessDenied")


def test_token_lives_as_long_as_it_says(peer, session):
    peer.control.move_clock(timedelta(seconds=session.tokens["expires_in"]))
    assert session.get("jobs").json()["errorCode"] == "ExpiredToken"


def test_refresh_token_serves_once(session, stranger):
    body = {"grant_type": "refresh_token", "refresh_token": session.tokens["refresh_token"]}
    answers = [stranger.post("/api/oauth2/token", data=body).status_code for _ in range(2)]
    assert answers == [200, 401]


def test_logout_ends_both(session, stranger):
    session.http.post("/api/oauth2/logout")
    body = {"grant_type": "refresh_token", "refresh_token": session.tokens["refresh_token"]}
    assert session.get("jobs").status_code == 401
    assert stranger.post("/api/oauth2/token", data=body).status_code == 401


def test_second_factor_keeps_a_person_out(peer, stranger):
    person = peer.control.account("TECH\\user1")
    person.mfa = True
    body = form(peer, username=person.name, password=person.password)
    assert stranger.post("/api/oauth2/token", data=body).status_code == 401


def test_without_a_token_there_is_nothing(stranger):
    assert stranger.get("/api/v1/jobs").status_code == 401


def test_the_time_is_for_everybody(stranger):
    assert stranger.get("/api/v1/serverTime").status_code == 200


def test_revision_must_be_named(session):
    del session.http.headers["x-api-version"]
    assert session.get("jobs").status_code == 400


@pytest.mark.parametrize(("build", "revision"), REVISION_OF_BUILD.items())
def test_build_answers_no_newer_revision(build, revision):
    with serve(build=build) as peer:
        answers = {}
        for asked in REVISION_OF_BUILD.values():
            with Session.plain(peer, asked) as client:
                answers[asked] = client.get("/api/v1/serverTime").status_code
    known = list(REVISION_OF_BUILD.values())
    assert answers == {one: 200 if known.index(one) <= known.index(revision) else 400 for one in known}


@pytest.mark.parametrize(("build", "prefix"), [("13.0.1.180", "Veeam "), ("13.1.0.411", "")])
def test_roles_have_the_names_of_the_build(build, prefix):
    with serve(build=build) as peer, Session(peer, revision=REVISION_OF_BUILD[build]) as session:
        names = {one["roles"][0]["name"] for one in session.get("security/users").json()["data"]}
    assert prefix + ADMINISTRATOR in names


def test_users_are_not_told_before_13_0_1(peer):
    with Session(peer, revision="1.3-rev0") as old:
        assert old.get("security/users").status_code == 404


def test_unknown_path_and_method_are_told(session):
    assert session.get("nothing").json()["errorCode"] == "InvalidURI"
    assert session.delete("serverInfo").json()["errorCode"] == "MethodNotAllowed"
