"""Answers that are no success: each has its error, and none repeats what was sent."""

from uuid import UUID

import pytest

from encryption.crypto.secret import Secret
from encryption.engines.registry import engine_for
from encryption.errors import (
    FourEyesRefused,
    UnknownEngine,
    VeeamBusy,
    VeeamGone,
    VeeamRefused,
    VeeamUnexpected,
    VerifyBlocked,
)
from tests.encryption.veeam.scripted import Reply, answers

ONE, TWO = UUID("11111111-1111-4111-8111-111111111111"), UUID("22222222-2222-4222-8222-222222222222")
PASSWORDS, JOBS = "/api/v1/encryptionPasswords", "/api/v1/jobs"
ENTRY = {"id": str(ONE), "hint": "Gold", "modificationTime": "2026-11-02T10:00:00Z", "unknown": None}
VALUE = 's3cret-Värde \\ "x"'


@pytest.mark.parametrize(
    "reply",
    [
        Reply(429),
        Reply(403, {"errorCode": "AccessDenied", "message": "Verification is blocked for 5 minutes."}),
        Reply(400, {"errorCode": "UnknownError", "message": "Too many attempts."}),
        Reply(200, {"isSuccessful": False, "message": "Too many failed attempts, try again later."}),
    ],
)
def test_a_block_after_wrong_values_is_told_apart(scripted, client, reply):
    answers(scripted, POST=reply)
    with pytest.raises(VerifyBlocked):
        client.verify_password(ONE, Secret(b"x"))


def test_a_refused_verify_is_no_block(scripted, client):
    answers(scripted, POST=Reply(403, {"errorCode": "AccessDenied", "message": "Access is denied."}))
    with pytest.raises(VeeamRefused):
        client.verify_password(ONE, Secret(b"x"))


@pytest.mark.parametrize("status", [400, 403, 409, 500])
def test_veeams_own_four_eyes_are_told_apart(scripted, client, status):
    message = "Four-eyes authorization is enabled: the operation is not allowed."
    answers(scripted, DELETE=Reply(status, {"errorCode": "AccessDenied", "message": message}))
    with pytest.raises(FourEyesRefused):
        client.delete_password(ONE)


def test_a_role_that_does_not_suffice_is_named(scripted, client):
    answers(scripted, PUT=Reply(403, {"errorCode": "AccessDenied", "message": "no"}))
    with pytest.raises(VeeamRefused, match="Backup Administrator"):
        client.put_job(ONE, {"id": str(ONE)})


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (404, VeeamGone),
        (409, VeeamBusy),
        (500, VeeamUnexpected),
        (302, VeeamUnexpected),
        (418, VeeamUnexpected),
    ],
)
def test_an_answer_that_is_no_success_has_its_error(scripted, client, status, error):
    answers(
        scripted,
        GET=Reply(status, {"errorCode": "UnknownError", "message": "why"}, {"Location": "/elsewhere"}),
    )
    with pytest.raises(error, match="why"):
        client.password(ONE)


@pytest.mark.parametrize("content", [b"", b"<html>", b"[]", b"null", b'{"id": 5}'])
def test_an_answer_that_is_no_object_is_unexpected(scripted, client, content):
    answers(scripted, GET=Reply(200, content))
    with pytest.raises(VeeamUnexpected):
        client.password(ONE)


@pytest.mark.parametrize("secret", [b"\xff\xfe-not-text"])
def test_a_value_that_is_no_text_is_refused_without_it(client, secret):
    with pytest.raises(VeeamUnexpected) as refused:
        client.change_password(ONE, "x", Secret(secret))
    assert refused.value.__context__ is None


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 500])
def test_no_error_repeats_a_password(scripted, client, status, caplog):
    """A server that echoes what it was sent is not quoted."""
    caplog.set_level("DEBUG")
    answers(scripted, POST=Reply(status, {"errorCode": "UnexpectedContent", "message": f"not {VALUE}"}))
    with pytest.raises(Exception) as refused:
        client.change_password(ONE, "x", Secret(VALUE.encode()))
    shown = repr(refused.value) + refused.value.message + repr(refused.value.__cause__) + caplog.text
    assert (VALUE in shown, "access-1" in shown) == (False, False)


def test_a_cut_answer_carries_no_request(scripted, client):
    answers(scripted, POST=Reply(200, {}, cut=True))
    with pytest.raises(Exception) as refused:
        client.change_password(ONE, "x", Secret(VALUE.encode()))
    assert (refused.value.__cause__, refused.value.__context__) == (None, None)


def test_a_client_shows_no_account(client):
    assert "TECH" not in repr(client)


def test_a_veeam_repository_has_no_engine_of_files():
    class Server:
        engine, location = "veeam", "vbr:9419"

    with pytest.raises(UnknownEngine, match="Veeam itself"):
        engine_for(Server())
