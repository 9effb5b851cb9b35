"""A custodian's open page, as its script makes it."""

import base64

from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDH,
    SECP256R1,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from encryption.crypto import handover
from recovery.models import Release
from recovery.services import releases


class Page:
    """Its key pair, and what it opens with it."""

    def __init__(self) -> None:
        self._key = generate_private_key(SECP256R1())
        self.point = self._key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    def open(self, sealed: handover.Sealed, release: Release) -> str:
        """Return the password that was sealed to this page."""
        raw = {name: base64.b64decode(text) for name, text in sealed.items()}
        theirs = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), raw["ephemeral"])
        info = handover.info(release.pk)
        key = HKDF(SHA256(), 32, salt=None, info=info).derive(self._key.exchange(ECDH(), theirs))
        return AESGCM(key).decrypt(raw["nonce"], raw["ciphertext"], info).decode()


def handed(release: Release, by) -> str:
    """Open the page, let the worker seal to it, and return what it shows."""
    page = Page()
    releases.open_page(release.pk, page.point, by=by)
    releases.seal(release.pk)
    return page.open(releases.take(release.pk, by=by), release)
