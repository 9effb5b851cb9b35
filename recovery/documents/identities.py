"""Who is who: a backup server's registration, and a keyset's announcement; each signed by the key in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from encryption.crypto.encoding import canonical, from_base64, from_uuid, to_base64
from encryption.engines.native.recovery import SUITES
from recovery.documents.forms import (
    KEY_BYTES,
    claimed_key,
    document,
    guarded,
    one_of,
    opened,
    read_time,
    same,
    text_of,
    written,
)

SERVER_TYPE = "application/vnd.veeamsec.server+json"
KEYSET_TYPE = "application/vnd.veeamsec.keyset+json"

_POINT_BYTES = {"x25519": 32, "p256": 65}


@dataclass(frozen=True, slots=True)
class Server:
    """A backup server's public identity."""

    server: UUID
    name: str
    kem: str
    sealing_key: bytes
    signing_key: bytes
    time: datetime


@dataclass(frozen=True, slots=True)
class Announcement:
    """A keyset's public half, as the Enterprise Manager gives it out."""

    keyset: UUID
    suite: str
    public: bytes
    description: str
    enterprise: UUID
    enterprise_key: bytes
    activated: datetime
    expires: datetime


def build_server(server: Server) -> bytes:
    """Return the canonical bytes of a registration."""
    return canonical(
        {
            "kem": server.kem,
            "name": server.name,
            "sealing_key": to_base64(server.sealing_key),
            "server": str(server.server),
            "signing_key": to_base64(server.signing_key),
            "time": written(server.time),
            "type": "veeamsec-server",
            "version": 1,
        }
    )


def open_server(envelope: Mapping[str, Any]) -> tuple[Server, bytes]:
    """Return a registration and its bytes, which the key that it carries signed. Raises NotGenuine."""
    claimed = guarded(lambda: claimed_key(envelope, "signing_key"))
    payload = opened(envelope, claimed, SERVER_TYPE)

    def read() -> Server:
        value = document(payload, "veeamsec-server", "kem name sealing_key server signing_key time")
        kem = one_of(value["kem"], tuple(_POINT_BYTES))
        return Server(
            server=from_uuid(value["server"]),
            name=text_of(value["name"], 1, 120),
            kem=kem,
            sealing_key=from_base64(value["sealing_key"], _POINT_BYTES[kem]),
            signing_key=from_base64(value["signing_key"], KEY_BYTES),
            time=read_time(value["time"]),
        )

    return same(guarded(read), build_server, payload), payload


def build_keyset(made: Announcement) -> bytes:
    """Return the canonical bytes of an announcement."""
    return canonical(
        {
            "activated": written(made.activated),
            "description": made.description,
            "enterprise": str(made.enterprise),
            "enterprise_key": to_base64(made.enterprise_key),
            "expires": written(made.expires),
            "keyset": str(made.keyset),
            "public": to_base64(made.public),
            "suite": made.suite,
            "type": "veeamsec-keyset",
            "version": 1,
        }
    )


def open_keyset(envelope: Mapping[str, Any]) -> tuple[Announcement, bytes]:
    """Return an announcement and its bytes, which the key that it carries signed. Raises NotGenuine."""
    claimed = guarded(lambda: claimed_key(envelope, "enterprise_key"))
    payload = opened(envelope, claimed, KEYSET_TYPE)
    names = "activated description enterprise enterprise_key expires keyset public suite"

    def read() -> Announcement:
        value = document(payload, "veeamsec-keyset", names)
        return Announcement(
            keyset=from_uuid(value["keyset"]),
            suite=one_of(value["suite"], SUITES),
            public=from_base64(value["public"]),
            description=text_of(value["description"], 0, 200),
            enterprise=from_uuid(value["enterprise"]),
            enterprise_key=from_base64(value["enterprise_key"], KEY_BYTES),
            activated=read_time(value["activated"]),
            expires=read_time(value["expires"]),
        )

    return same(guarded(read), build_keyset, payload), payload
