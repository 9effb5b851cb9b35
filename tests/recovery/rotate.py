"""What tests of a keyset's rotation rotate with: one backup server, keysets made of a seed."""

from pathlib import Path
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from encryption.crypto import keysets
from encryption.engines.native import protection as protecting
from encryption.engines.native.inspection import list_points
from encryption.engines.native.protection import Guard, Protection
from tests.encryption.native.conftest import roots

SERVER, SIGNING = UUID(int=7), Ed25519PrivateKey.from_private_bytes(b"s" * 32)


def protection(seed: bytes, keyset: UUID) -> Protection:
    """Protection by the X-Wing keyset of a seed."""
    guard = Guard(keyset, keysets.X_WING, keysets.public_of(keysets.X_WING, seed))
    return Protection(SERVER, SIGNING, (guard,))


def main(folder: Path, seed: bytes, keyset: UUID) -> int:
    """Rotate every restore point of a job's folder."""
    return protecting.cover(folder, list_points(folder), keys=roots, by=protection(seed, keyset))
