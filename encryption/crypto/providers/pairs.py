"""Key pairs of a process: private halves in its own folder, public ones where others read them."""

import contextlib
import os
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from encryption.crypto import fips as approved
from encryption.crypto.providers.files import LARGEST, FileKeys, sync_folder, write_new
from encryption.crypto.providers.master import make_master
from encryption.crypto.seal import IntakePrivate, IntakePublic
from encryption.errors import KeyMaterialError

INTAKE = "intake.key"
SIGNING = "signing.key"
# The backup server's own identity towards an Enterprise Manager.
SERVER = "server.key"
SERVER_SEAL = "server-seal.key"
ENTERPRISE = "enterprise.key"
# What the worker seals a passphrase to; the enterprise worker alone opens it.
ENTERPRISE_SEAL = "enterprise-seal.key"
ENTERPRISE_SEAL_PUBLIC = "enterprise-seal.pub"
INTAKE_PUBLIC = "intake.pub"
SIGNING_PUBLIC = "signing.pub"


def make_worker_keys(worker_dir: Path, public_dir: Path, *, fips: bool = False) -> None:
    """Make the worker's keys that are missing, and put their public halves where the web process reads them.

    Raises KeyMaterialError if a folder is open to others or a public half belongs to another key.
    """
    keys = FileKeys(worker_dir)
    keys.prepare()
    make_master(worker_dir)
    keys.make(SIGNING, _private_pem(Ed25519PrivateKey.generate()))
    keys.make(SERVER, _private_pem(Ed25519PrivateKey.generate()))
    for name in (INTAKE, SERVER_SEAL):
        keys.make(
            name, _private_pem(generate_private_key(SECP256R1()) if fips else X25519PrivateKey.generate())
        )
    with contextlib.suppress(FileExistsError):
        public_dir.mkdir(mode=0o755, parents=True)
    _publish(public_dir / INTAKE_PUBLIC, _public_pem(load_intake_private(worker_dir).public_key()))
    _publish(public_dir / SIGNING_PUBLIC, _public_pem(load_signing(worker_dir).public_key()))


def make_enterprise_keys(enterprise_dir: Path, public_dir: Path, *, fips: bool = False) -> None:
    """Make the enterprise worker's keys that are missing; raises as `make_worker_keys` does."""
    keys = FileKeys(enterprise_dir)
    keys.prepare()
    make_master(enterprise_dir)
    keys.make(ENTERPRISE, _private_pem(Ed25519PrivateKey.generate()))
    keys.make(
        ENTERPRISE_SEAL,
        _private_pem(generate_private_key(SECP256R1()) if fips else X25519PrivateKey.generate()),
    )
    load_enterprise(enterprise_dir)
    with contextlib.suppress(FileExistsError):
        public_dir.mkdir(mode=0o755, parents=True)
    sealing = _public_pem(load_enterprise_seal(enterprise_dir).public_key())
    _publish(public_dir / ENTERPRISE_SEAL_PUBLIC, sealing)


def load_intake_private(worker_dir: Path) -> IntakePrivate:
    """Return the key that opens what the web process sealed."""
    return _load_agreement(worker_dir, INTAKE)


def load_server_seal(worker_dir: Path) -> IntakePrivate:
    """Return the key that opens what an Enterprise Manager sealed for this backup server."""
    return _load_agreement(worker_dir, SERVER_SEAL)


def load_signing(worker_dir: Path) -> Ed25519PrivateKey:
    """Return the key that signs orders, rosters, attestations and checkpoints."""
    return _load_ed25519(worker_dir, SIGNING)


def load_server(worker_dir: Path) -> Ed25519PrivateKey:
    """Return the key that signs as this backup server."""
    return _load_ed25519(worker_dir, SERVER)


def load_enterprise(enterprise_dir: Path) -> Ed25519PrivateKey:
    """Return the key that signs as this Enterprise Manager."""
    return _load_ed25519(enterprise_dir, ENTERPRISE)


def load_enterprise_seal(enterprise_dir: Path) -> IntakePrivate:
    """Return the key that opens what the worker sealed for the enterprise worker."""
    return _load_agreement(enterprise_dir, ENTERPRISE_SEAL)


def load_enterprise_seal_public(public_dir: Path) -> IntakePublic:
    """Return the key to seal to for the enterprise worker."""
    return _load_agreement_public(public_dir, ENTERPRISE_SEAL_PUBLIC)


def load_intake_public(public_dir: Path) -> IntakePublic:
    """Return the key to seal to."""
    return _load_agreement_public(public_dir, INTAKE_PUBLIC)


def load_signing_public(public_dir: Path) -> Ed25519PublicKey:
    """Return the key that verifies what the worker signed."""
    key = _load_public(public_dir / SIGNING_PUBLIC)
    if not isinstance(key, Ed25519PublicKey):
        raise KeyMaterialError(f"{public_dir / SIGNING_PUBLIC} holds no Ed25519 key.")
    return key


def _load_agreement(folder: Path, name: str) -> IntakePrivate:
    key = _load_private(folder, name)
    if not isinstance(key, X25519PrivateKey | EllipticCurvePrivateKey):
        raise KeyMaterialError(f"{folder / name} holds no key that secrets are sealed to.")
    # Keys are never replaced: FIPS begins with a new installation.
    approved.check_curve(is_x25519=isinstance(key, X25519PrivateKey))
    return key


def _load_agreement_public(folder: Path, name: str) -> IntakePublic:
    key = _load_public(folder / name)
    if not isinstance(key, X25519PublicKey | EllipticCurvePublicKey):
        raise KeyMaterialError(f"{folder / name} holds no key to seal to.")
    return key


def _load_ed25519(folder: Path, name: str) -> Ed25519PrivateKey:
    key = _load_private(folder, name)
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyMaterialError(f"{folder / name} holds no Ed25519 key.")
    return key


def _load_private(folder: Path, name: str) -> object:
    try:
        return load_pem_private_key(FileKeys(folder).read(name), password=None)
    except ValueError as error:
        raise KeyMaterialError(
            f"{folder / name} holds no private key: bring it back from its backup."
        ) from error


def _load_public(path: Path) -> object:
    try:
        return load_pem_public_key(path.read_bytes()[:LARGEST])
    except (OSError, ValueError) as error:
        raise KeyMaterialError(
            f"The public key {path} cannot be read: run setup, which writes it anew."
        ) from error


def _private_pem(key: Ed25519PrivateKey | IntakePrivate) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _public_pem(key: Ed25519PublicKey | IntakePublic) -> bytes:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _publish(path: Path, content: bytes) -> None:
    if path.exists():
        if path.read_bytes() != content:
            raise KeyMaterialError(
                f"{path} belongs to another private key than the worker's. Find out why first."
            )
        return
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    write_new(part, content, 0o644)
    part.rename(path)
    sync_folder(path.parent)
