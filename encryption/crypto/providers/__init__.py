"""Where a process finds its keys.

Private keys lie 0600 in a 0700 folder of the worker; their public halves in a folder that the web process
reads. They are made once, at the first start: what is lost with them cannot be opened again. The master keys
alone are replaced, by a rotation that seals everything anew.
"""

from encryption.crypto.providers.choice import address, keeper
from encryption.crypto.providers.files import FileKeys
from encryption.crypto.providers.master import MASTER, load_master, make_master
from encryption.crypto.providers.moving import move
from encryption.crypto.providers.pairs import (
    ENTERPRISE,
    ENTERPRISE_SEAL,
    ENTERPRISE_SEAL_PUBLIC,
    INTAKE,
    INTAKE_PUBLIC,
    SERVER,
    SERVER_SEAL,
    SIGNING,
    SIGNING_PUBLIC,
    load_enterprise,
    load_enterprise_seal,
    load_enterprise_seal_public,
    load_intake_private,
    load_intake_public,
    load_server,
    load_server_seal,
    load_signing,
    load_signing_public,
    make_enterprise_keys,
    make_worker_keys,
)
from encryption.crypto.providers.rotating import key_of

__all__ = [
    "ENTERPRISE",
    "ENTERPRISE_SEAL",
    "ENTERPRISE_SEAL_PUBLIC",
    "INTAKE",
    "INTAKE_PUBLIC",
    "MASTER",
    "SERVER",
    "SERVER_SEAL",
    "SIGNING",
    "SIGNING_PUBLIC",
    "FileKeys",
    "address",
    "keeper",
    "key_of",
    "load_enterprise",
    "load_enterprise_seal",
    "load_enterprise_seal_public",
    "load_intake_private",
    "load_intake_public",
    "load_master",
    "load_server",
    "load_server_seal",
    "load_signing",
    "load_signing_public",
    "make_enterprise_keys",
    "make_master",
    "make_worker_keys",
    "move",
]
