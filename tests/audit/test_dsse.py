"""Envelopes: what was signed opens, under one key and as one type, and nothing else does."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit import dsse
from audit.errors import Forged

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(32))


def test_published_encoding_is_ours():
    """The example of the DSSE protocol text."""
    assert dsse.encoding("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


def test_signed_payload_opens():
    assert dsse.open_envelope(dsse.sign(b"{}", KEY, "id"), KEY.public_key()) == b"{}"


def test_other_key_is_refused():
    with pytest.raises(Forged, match="does not hold"):
        dsse.open_envelope(dsse.sign(b"{}", KEY, "id"), OTHER.public_key())


def test_other_payload_is_refused():
    envelope = dsse.sign(b"{}", KEY, "id") | {"payload": base64.b64encode(b"[]").decode()}
    with pytest.raises(Forged):
        dsse.open_envelope(envelope, KEY.public_key())


def test_other_type_is_refused():
    envelope = dsse.sign(b"{}", KEY, "id", payload_type="text/plain")
    with pytest.raises(Forged):
        dsse.open_envelope(envelope, KEY.public_key())


def test_type_changed_afterwards_is_refused():
    envelope = dsse.sign(b"{}", KEY, "id", payload_type="text/plain") | {"payloadType": dsse.IN_TOTO}
    with pytest.raises(Forged):
        dsse.open_envelope(envelope, KEY.public_key())


@pytest.mark.parametrize(
    "envelope",
    [
        {},
        {"payloadType": dsse.IN_TOTO},
        {"payloadType": dsse.IN_TOTO, "payload": "e30=", "signatures": []},
        {"payloadType": dsse.IN_TOTO, "payload": "e30=", "signatures": ["x"]},
        {"payloadType": dsse.IN_TOTO, "payload": "***", "signatures": [{"sig": ""}]},
        {"payloadType": dsse.IN_TOTO, "payload": 7, "signatures": [{"sig": ""}]},
    ],
)
def test_malformed_envelope_is_refused(envelope):
    with pytest.raises(Forged):
        dsse.open_envelope(envelope, KEY.public_key())


def test_envelope_with_a_second_signature_is_refused():
    envelope = dsse.sign(b"{}", KEY, "id")
    envelope["signatures"] *= 2
    with pytest.raises(Forged):
        dsse.open_envelope(envelope, KEY.public_key())
