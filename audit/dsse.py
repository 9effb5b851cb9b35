"""DSSE v1 envelopes (github.com/secure-systems-lab/dsse) with one Ed25519 signature.

What is signed is the pre-authentication encoding: "DSSEv1", payload type and payload, each with its length.
"""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from audit.errors import Forged

IN_TOTO = "application/vnd.in-toto+json"

# A request may name 500 jobs; their statement stays well below this.
MAX_PAYLOAD = 4 * 1024 * 1024


def sign(
    payload: bytes, key: Ed25519PrivateKey, keyid: str, *, payload_type: str = IN_TOTO
) -> dict[str, Any]:
    """Return the envelope of a payload; `keyid` is a hint for readers and proves nothing."""
    signature = key.sign(encoding(payload_type, payload))
    return {
        "payload": base64.b64encode(payload).decode(),
        "payloadType": payload_type,
        "signatures": [{"keyid": keyid, "sig": base64.b64encode(signature).decode()}],
    }


def open_envelope(
    envelope: Mapping[str, Any], public_key: Ed25519PublicKey, *, payload_type: str = IN_TOTO
) -> bytes:
    """Return the payload that this key signed as this type; raises Forged."""
    signatures = envelope.get("signatures")
    if envelope.get("payloadType") != payload_type or not isinstance(signatures, list):
        raise Forged("This is no signed envelope of that type.")
    if len(signatures) != 1 or not isinstance(signatures[0], Mapping):
        raise Forged("The envelope does not have exactly one signature.")
    payload = _base64(envelope.get("payload"))
    try:
        public_key.verify(_base64(signatures[0].get("sig")), encoding(payload_type, payload))
    except InvalidSignature as error:
        raise Forged("The envelope's signature does not hold.") from error
    return payload


def encoding(payload_type: str, payload: bytes) -> bytes:
    """Return the bytes that are signed (PAE)."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def _base64(text: object) -> bytes:
    if not isinstance(text, str) or len(text) > MAX_PAYLOAD * 4 // 3 + 4:
        raise Forged("The envelope cannot be read.")
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Forged("The envelope's base64 cannot be read.") from error
