"""A passkey in software: registers, and signs what a browser would have it sign (WebAuthn Level 3 JSON)."""

import hashlib
import json
import os
import struct
from dataclasses import dataclass, field
from typing import Any

from allauth.mfa.models import Authenticator
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from fido2 import cbor
from fido2.cose import ES256
from fido2.utils import websafe_encode

from accounts.models import User

ORIGIN, RP_ID = "http://localhost:8000", "localhost"
USER_PRESENT, USER_VERIFIED, ATTESTED = 0x01, 0x04, 0x40


@dataclass
class SoftPasskey:
    """One P-256 credential with a signature counter."""

    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    id: bytes = field(default_factory=lambda: os.urandom(32))
    count: int = 0

    @property
    def public_key(self) -> bytes:
        """The COSE key."""
        return cbor.encode(dict(ES256.from_cryptography_key(self.key.public_key())))

    def register(self, challenge: str, *, origin: str = ORIGIN, rp_id: str = RP_ID) -> dict[str, Any]:
        """Answer navigator.credentials.create; `challenge` is base64url."""
        attested = bytes(16) + struct.pack(">H", len(self.id)) + self.id + self.public_key
        data = self._data(rp_id, USER_PRESENT | USER_VERIFIED | ATTESTED) + attested
        client = _client("webauthn.create", challenge, origin)
        return self._answer(
            {
                "clientDataJSON": websafe_encode(client),
                "attestationObject": websafe_encode(
                    cbor.encode({"fmt": "none", "attStmt": {}, "authData": data})
                ),
            }
        )

    def sign(
        self,
        challenge: str,
        *,
        origin: str = ORIGIN,
        rp_id: str = RP_ID,
        flags: int = USER_PRESENT | USER_VERIFIED,
        kind: str = "webauthn.get",
        count: int | None = None,
        user: User | None = None,
    ) -> dict[str, Any]:
        """Answer navigator.credentials.get; `challenge` is base64url."""
        self.count = self.count + 1 if count is None else count
        client, data = _client(kind, challenge, origin), self._data(rp_id, flags)
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(SHA256()))
        response = {
            "clientDataJSON": websafe_encode(client),
            "authenticatorData": websafe_encode(data),
            "signature": websafe_encode(signature),
        }
        if user is not None:
            response["userHandle"] = websafe_encode(str(user.pk).encode())
        return self._answer(response)

    def add_to(self, user: User) -> Authenticator:
        """Register at an account, as allauth stores it."""
        credential = self.register(websafe_encode(os.urandom(32)))
        return Authenticator.objects.create(
            user=user, type=Authenticator.Type.WEBAUTHN, data={"name": "Soft", "credential": credential}
        )

    def _data(self, rp_id: str, flags: int) -> bytes:
        return hashlib.sha256(rp_id.encode()).digest() + bytes([flags]) + struct.pack(">I", self.count)

    def _answer(self, response: dict[str, str]) -> dict[str, Any]:
        name = websafe_encode(self.id)
        return {
            "id": name,
            "rawId": name,
            "type": "public-key",
            "response": response,
            "clientExtensionResults": {},
            "authenticatorAttachment": "platform",
        }


def _client(kind: str, challenge: str, origin: str) -> bytes:
    return json.dumps({"type": kind, "challenge": challenge, "origin": origin, "crossOrigin": False}).encode()
