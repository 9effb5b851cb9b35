"""Another installation: a backup server's keys and the text that registers it, a manager that announces."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from audit import dsse
from encryption.crypto import keysets, providers
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


@dataclass
class Manager:
    """Another Enterprise Manager; what it announces is genuine."""

    enterprise: UUID = field(default_factory=uuid4)
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    def announce(self, description: str = "Elsewhere", **other: Any) -> str:
        """The text of a new keyset; what is given stands in it instead."""
        now = datetime.now(UTC).replace(microsecond=0)
        made = {
            "keyset": uuid4(),
            "suite": keysets.X_WING,
            "public": keysets.generate(keysets.X_WING).public,
            "description": description,
            "enterprise": self.enterprise,
            "enterprise_key": self.key.public_key().public_bytes_raw(),
            "activated": now,
            "expires": now + timedelta(weeks=4),
        }
        payload = identities.build_keyset(identities.Announcement(**made | other))
        signed = dsse.sign(payload, self.key, forms.fingerprint(payload), payload_type=identities.KEYSET_TYPE)
        return armor.write(armor.Kind.KEYSET, canonical(signed))
