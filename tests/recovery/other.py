"""Another backup server: keys in a folder of its own, and the text that registers it elsewhere."""

from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from audit import dsse
from encryption.crypto import providers
from encryption.crypto.encoding import canonical
from recovery import armor, offline
from recovery.documents import forms, identities


def other_server(folder: Path, name: str) -> tuple[Path, str]:
    """Make its keys; return their folder and the text."""
    keys = folder / "worker"
    providers.make_worker_keys(keys, folder / "public")
    key, sealing = providers.load_server(keys), providers.load_server_seal(keys)
    payload = identities.build_server(
        identities.Server(
            server=offline.server_id(key.public_key()),
            name=name,
            kem="x25519",
            sealing_key=sealing.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw),
            signing_key=key.public_key().public_bytes_raw(),
            time=datetime.now(UTC),
        )
    )
    signed = dsse.sign(payload, key, forms.fingerprint(payload), payload_type=identities.SERVER_TYPE)
    return keys, armor.write(armor.Kind.SERVER, canonical(signed))
