"""The token of an account: fetched, refreshed, given back; its password sent no more often than needed."""

import threading
from urllib.parse import parse_qsl

import pytest

from encryption.engines.veeam import tokens
from encryption.errors import VeeamBusy, VeeamRefused, VeeamUnexpected
from tests.encryption.veeam.conftest import ACCOUNT, ACCOUNT_PASSWORD
from tests.encryption.veeam.scripted import TOKEN, Reply, listed

TOKEN_PATH, LIST = "/api/oauth2/token", "/api/v1/encryptionPasswords"


def grants(scripted) -> list[str]:
    return [dict(parse_qsl(one.body.decode()))["grant_type"] for one in scripted.calls(TOKEN_PATH)]


@pytest.fixture
def clock(monkeypatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr(tokens.time, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def listing(scripted):
    """Gives tokens with running numbers, and an empty list to whoever shows the newest."""
    given = []
    refused = []

    def answering(asked):
        if asked.path == TOKEN_PATH:
            fields = dict(parse_qsl(asked.body.decode()))
            if fields["grant_type"] in refused:
                return Reply(400, {"error": "invalid_grant"})
            given.append(f"access-{len(given) + 1}")
            body = TOKEN | {"access_token": given[-1], "refresh_token": f"refresh-{len(given)}"}
            return Reply(200, body)
        if asked.path == LIST:
            fits = asked.headers["authorization"] == f"Bearer {given[-1]}"
            return listed([], asked) if fits else Reply(401, {"errorCode": "ExpiredToken", "message": "late"})
        return None

    scripted.answering = answering
    scripted.refused = refused
    scripted.given = given
    return scripted


def test_account_and_password_are_sent_as_a_form(listing, client):
    list(client.passwords())
    sent = dict(parse_qsl(listing.calls(TOKEN_PATH)[0].body.decode()))
    assert sent == {"grant_type": "password", "username": ACCOUNT, "password": ACCOUNT_PASSWORD}


def test_one_token_serves_many_calls(listing, client):
    for _ in range(3):
        list(client.passwords())
    assert grants(listing) == ["password"]


def test_a_token_near_its_end_is_refreshed(listing, client, clock):
    list(client.passwords())
    clock[0] += TOKEN["expires_in"] - 59
    list(client.passwords())
    assert grants(listing) == ["password", "refresh_token"]


def test_a_token_with_time_left_is_kept(listing, client, clock):
    list(client.passwords())
    clock[0] += TOKEN["expires_in"] - 61
    list(client.passwords())
    assert grants(listing) == ["password"]


def test_a_refresh_token_is_used_once(listing, client, clock):
    for _ in range(3):
        list(client.passwords())
        clock[0] += TOKEN["expires_in"]
    used = [dict(parse_qsl(one.body.decode())).get("refresh_token") for one in listing.calls(TOKEN_PATH)]
    assert used == [None, "refresh-1", "refresh-2"]


def test_a_refused_refresh_asks_with_the_password(listing, client, clock):
    list(client.passwords())
    listing.refused.append("refresh_token")
    clock[0] += TOKEN["expires_in"]
    list(client.passwords())
    assert grants(listing) == ["password", "refresh_token", "password"]


def test_a_rejected_token_is_renewed_once(listing, client):
    list(client.passwords())
    listing.given.append("another")
    list(client.passwords())
    assert grants(listing) == ["password", "refresh_token"]


def test_an_account_that_stays_rejected_is_refused(scripted, client):
    denied = Reply(401, {"errorCode": "AccessDenied", "message": "no"})
    scripted.answering = lambda asked: denied if asked.path == LIST else None
    with pytest.raises(VeeamRefused):
        list(client.passwords())
    assert len(scripted.calls(LIST)) == 2


def test_a_wrong_password_is_tried_once(listing, client):
    listing.refused.append("password")
    with pytest.raises(VeeamRefused):
        list(client.passwords())
    assert grants(listing) == ["password"]


def test_a_busy_sign_in_says_so(scripted, client):
    scripted.answering = lambda asked: Reply(503) if asked.path == TOKEN_PATH else None
    with pytest.raises(VeeamBusy):
        list(client.passwords())


@pytest.mark.parametrize(
    "wrong", [{"access_token": None}, {"access_token": "a\r\nb"}, {"expires_in": None}, {"expires_in": "x"}]
)
def test_a_token_that_is_none_is_unexpected(scripted, client, wrong):
    scripted.answering = lambda asked: Reply(200, TOKEN | wrong) if asked.path == TOKEN_PATH else None
    with pytest.raises(VeeamUnexpected):
        list(client.passwords())


def test_a_short_life_is_trusted(scripted, client, clock):
    scripted.answering = lambda asked: (
        Reply(200, TOKEN | {"expires_in": 10}) if asked.path == TOKEN_PATH else listed([], asked)
    )
    list(client.passwords())
    clock[0] += 7
    list(client.passwords())
    assert grants(scripted) == ["password"]


def test_the_token_is_given_back(listing, client):
    list(client.passwords())
    client.close()
    assert listing.calls("/api/oauth2/logout")[0].headers["authorization"] == "Bearer access-1"


def test_without_a_token_nothing_is_given_back(listing, client):
    client.close()
    assert listing.asked == []


def test_threads_share_one_token(listing, client):
    threads = [threading.Thread(target=lambda: list(client.passwords())) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (grants(listing), len(listing.calls(LIST))) == (["password"], 6)


def test_a_token_does_not_show_itself(listing, client):
    list(client.passwords())
    assert "access-1" not in repr(client) + repr(client._calls._tokens)
