"""This installation as a backup server and as an Enterprise Manager: who it is, in a text that travels."""

import json
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings
from django.utils import timezone

from audit import dsse
from encryption.crypto import providers
from encryption.crypto.encoding import canonical
from encryption.services import protection
from recovery import armor
from recovery.documents import forms, identities
from recovery.models import BackupServer, LossProtection


def publish_own(name: str) -> BackupServer:
    """Make this installation known to itself, once its keys are made; again is the same."""
    key, sealing = (
        providers.load_server(settings.WORKER_KEYS),
        providers.load_server_seal(settings.WORKER_KEYS),
    )
    server = protection.server_id(key.public_key().public_bytes_raw())
    found = BackupServer.objects.filter(pk=server).first()
    if found is not None:
        return found
    is_x25519 = isinstance(sealing, X25519PrivateKey)
    form = (Encoding.Raw, PublicFormat.Raw) if is_x25519 else (Encoding.X962, PublicFormat.UncompressedPoint)
    payload = identities.build_server(
        identities.Server(
            server=server,
            name=name[:120],
            kem="x25519" if is_x25519 else "p256",
            sealing_key=sealing.public_key().public_bytes(*form),
            signing_key=key.public_key().public_bytes_raw(),
            time=timezone.now(),
        )
    )
    envelope = dsse.sign(payload, key, forms.fingerprint(payload), payload_type=identities.SERVER_TYPE)
    made = row_of(envelope)
    made.own, made.state, made.registered_at = True, BackupServer.State.REGISTERED, timezone.now()
    made.save(force_insert=True)
    LossProtection.objects.get_or_create(pk=1, defaults={"enterprise": uuid4()})
    return made


def row_of(envelope: dict[str, object]) -> BackupServer:
    """Return the row that a registration makes, unsaved. Raises NotGenuine."""
    server, payload = identities.open_server(envelope)
    return BackupServer(
        id=server.server,
        name=server.name,
        kem=server.kem,
        sealing_key=server.sealing_key,
        signing_key=server.signing_key,
        document=envelope,
        fingerprint=forms.fingerprint(payload),
    )


def text_of(server: BackupServer) -> str:
    """Return a server's registration as text."""
    return armor.write(armor.Kind.SERVER, canonical(server.document))


def envelope_in(kind: armor.Kind, text: str) -> dict[str, object]:
    """Return the envelope in an armoured text. Raises Unreadable and its kinds."""
    content = armor.read(kind, text)
    return forms.guarded(lambda: dict(json.loads(content)))
