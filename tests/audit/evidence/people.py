"""Who appears in the worked example, with which keys and ids; all of it is made up and public."""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from fido2 import cbor
from fido2.cose import ES256
from fido2.utils import websafe_encode

from accounts import roster
from audit import keys

ORIGIN = "http://localhost:8000"
NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
# Nobody's keys but this example's: their private halves are public.
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEYID = keys.keyid(KEY.public_key())
LOG = keys.log_verifier(KEY.public_key())


def number(last: int) -> UUID:
    """Ids that can be told apart by eye."""
    return UUID(f"00000000-0000-4000-8000-{last:012d}")


REQUEST, JOB, PASSWORD, REKEY, VOTE = (number(last) for last in range(1, 6))
OPERATOR, DORA, SAM, ADA = (number(last) for last in (11, 12, 13, 14))
PERSON = {OPERATOR: number(21), DORA: number(22), SAM: number(23), ADA: number(24)}
OLD_VERSION, NEW_VERSION, USER_KEY = (number(last) for last in (31, 32, 33))


class Passkey:
    """A P-256 credential whose signatures are the same each time (RFC 6979)."""

    def __init__(self, secret: int) -> None:
        self._key = ec.derive_private_key(secret, ec.SECP256R1())
        self.id = hashlib.sha256(b"credential %d" % secret).digest()

    @property
    def entry(self) -> roster.Credential:
        cose = cbor.encode(dict(ES256.from_cryptography_key(self._key.public_key())))
        return roster.Credential(websafe_encode(self.id), websafe_encode(cose))

    def prove(self, challenge: bytes, nonce: str) -> dict[str, Any]:
        client = {"type": "webauthn.get", "challenge": websafe_encode(challenge), "origin": ORIGIN}
        client_bytes = json.dumps(client | {"crossOrigin": False}, separators=(",", ":")).encode()
        data = hashlib.sha256(b"localhost").digest() + bytes([0x05, 0, 0, 0, 7])
        signed = data + hashlib.sha256(client_bytes).digest()
        name = websafe_encode(self.id)
        response = {
            "clientDataJSON": websafe_encode(client_bytes),
            "authenticatorData": websafe_encode(data),
            "signature": websafe_encode(
                self._key.sign(signed, ec.ECDSA(SHA256(), deterministic_signing=True))
            ),
        }
        return {
            "factor": "passkey",
            "nonce": nonce,
            "credential": name,
            "response": {
                "id": name,
                "rawId": name,
                "type": "public-key",
                "response": response,
                "clientExtensionResults": {},
                "authenticatorAttachment": "platform",
            },
        }


DORAS, SAMS, ADAS = Passkey(1), Passkey(2), Passkey(3)


def make_roster() -> bytes:
    """Two seats and one administrator, since the day before."""

    def entry(user: UUID, passkey: Passkey, title: str | None = None) -> roster.Entry:
        return roster.Entry(user, PERSON[user], NOON - timedelta(days=1), (passkey.entry,), title)

    security = (entry(DORA, DORAS, "dpo"), entry(SAM, SAMS, "ciso"))
    time = NOON - timedelta(days=1)
    return roster.build(roster.RosterBody(1, time, security, (entry(ADA, ADAS),)))
