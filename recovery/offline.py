"""Recovery without a database: a lost server's backups on a new one that has nothing but its own keys.

The same texts, the same checks; what a database would remember, the request's own text says.
"""

import hashlib
import os
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import NAMESPACE_OID, UUID, uuid4, uuid5

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from audit import dsse
from encryption.crypto import providers
from encryption.crypto.encoding import canonical, parse, to_base64
from encryption.engines.native import inspection
from encryption.engines.native import protection as lines_of
from encryption.engines.native.opening import GivenKeys
from recovery import armor
from recovery.documents import exchange, forms, identities
from recovery.errors import ForAnother, OutOfTime, UnknownKeyset


def server_id(signing_key: Ed25519PublicKey) -> UUID:
    """Return the id of the backup server with this signing key: made once, with the key."""
    return uuid5(NAMESPACE_OID, f"veeamsec-server:{to_base64(signing_key.public_bytes_raw())}")


def make_request(folder: Path, keys: Path, *, reason: str, points: Collection[UUID] = ()) -> str:
    """Return a request text for a job's folder, signed with the server key in `keys`.

    `points` narrows it; a restore point needs the keys of all that it builds on. Raises KeyMaterialError,
    BadRecoveryLine, UnknownKeyset when no line is there.
    """
    wanted = points or inspection.list_points(folder)
    lines = [found[-1] for point in wanted if (found := lines_of.read(folder, point))]
    if not lines:
        raise UnknownKeyset(f"No restore point in {folder} is protected by a keyset.")
    key = providers.load_server(keys)
    now = datetime.now(UTC).replace(microsecond=0)
    server = server_id(key.public_key())
    payload = exchange.build_request(
        exchange.Request(uuid4(), server, os.urandom(32), reason, now, tuple(lines))
    )
    envelope = dsse.sign(payload, key, forms.fingerprint(payload), payload_type=exchange.REQUEST_TYPE)
    return armor.write(armor.Kind.REQUEST, canonical(envelope))


def open_response(response: str, *, request: str, keyset: str, keys: Path) -> GivenKeys:
    """Return the keys in a response to one's own request, signed by the Enterprise Manager of `keyset`.

    All three are texts; whoever carries `keyset` compared its fingerprint. Raises Unreadable, NotGenuine,
    ForAnother, OutOfTime, DoesNotOpen.
    """
    signing = providers.load_server(keys)
    asked, payload = exchange.open_request(
        parse(armor.read(armor.Kind.REQUEST, request)), signing.public_key()
    )
    told, _ = identities.open_keyset(parse(armor.read(armor.Kind.KEYSET, keyset)))
    enterprise = Ed25519PublicKey.from_public_bytes(told.enterprise_key)
    answer = exchange.open_response(parse(armor.read(armor.Kind.RESPONSE, response)), enterprise)
    if (answer.request, answer.server) != (asked.request, asked.server):
        raise ForAnother("This response belongs to another request, or to another server.")
    digest = hashlib.sha256(payload).hexdigest()
    if (answer.request_sha256, answer.nonce) != (digest, asked.nonce):
        raise ForAnother("This response answers another text than this request.")
    now = datetime.now(UTC)
    if not answer.time - timedelta(minutes=5) <= now < answer.expires:
        raise OutOfTime("This response is not valid any more: a response is good for a week.")
    sealing = providers.load_server_seal(keys)
    opened = exchange.open_keys(answer.sealed, sealing, request=asked.request, server=asked.server)
    return GivenKeys({one.storage_key: one.key for one in opened})
