"""Where a process finds its keys: files of its own folder.

Private keys lie 0600 in a 0700 folder of the worker; their public halves in a folder that the web process
reads. They are made once, at the first start, and never replaced: what is lost with them cannot be opened
again.
"""

import contextlib
import os
import stat
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

from encryption.crypto.encoding import from_base64, to_base64
from encryption.crypto.seal import IntakePrivate, IntakePublic, MasterKey
from encryption.errors import KeyMaterialError

INTAKE = "intake.key"
MASTER = "master.key"
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

_MASTER_PREFIX = b"veeamsec-master-1 "
_LARGEST = 16 * 1024


class FileKeys:
    """The key files of one process: `path` is a folder that only its user may enter."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def prepare(self) -> None:
        """Make the folder if it is missing, 0700; raises KeyMaterialError if others may enter it."""
        with contextlib.suppress(FileExistsError):
            self.path.mkdir(mode=0o700, parents=True)
        self._refuse_open(self.path.stat(), self.path)

    def read(self, name: str) -> bytes:
        """Return a key file's content; raises KeyMaterialError if missing, a link, or open to others."""
        path = self.path / name
        try:
            fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError as error:
            raise KeyMaterialError(
                f"The key file {path} cannot be read ({error.strerror}). Run setup on a new"
                " installation; on an"
                " old one bring the file back from its own backup."
            ) from error
        with os.fdopen(fd, "rb") as file:
            self._refuse_open(os.fstat(fd), path)
            return file.read(_LARGEST)

    def make(self, name: str, content: bytes) -> None:
        """Write a key file, 0600 and whole, unless it exists."""
        path, part = self.path / name, self.path / f"{name}.{os.getpid()}.part"
        if path.exists():
            return
        _write_new(part, content, 0o600)
        try:
            # A link, unlike a rename, never replaces the key that another first start has just made.
            with contextlib.suppress(FileExistsError):
                os.link(part, path)
        finally:
            part.unlink()
        _sync_folder(self.path)

    @staticmethod
    def _refuse_open(status: os.stat_result, path: Path) -> None:
        if status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise KeyMaterialError(
                f"{path} is open to its group or to others (mode {status.st_mode & 0o777:o}). Close it with"
                f" `chmod go= {path}`, and treat its keys as known to whoever could read it."
            )
        if status.st_uid != os.geteuid():
            raise KeyMaterialError(
                f"{path} belongs to another user (id {status.st_uid}); it must belong to this one."
            )


def make_worker_keys(worker_dir: Path, public_dir: Path, *, fips: bool = False) -> None:
    """Make the worker's keys that are missing, and put their public halves where the web process reads them.

    Raises KeyMaterialError if a folder is open to others or a public half belongs to another key.
    """
    keys = FileKeys(worker_dir)
    keys.prepare()
    keys.make(MASTER, _MASTER_PREFIX + to_base64(os.urandom(32)).encode() + b"\n")
    keys.make(SIGNING, _private_pem(Ed25519PrivateKey.generate()))
    keys.make(SERVER, _private_pem(Ed25519PrivateKey.generate()))
    for name in (INTAKE, SERVER_SEAL):
        keys.make(
            name, _private_pem(generate_private_key(SECP256R1()) if fips else X25519PrivateKey.generate())
        )
    load_master(worker_dir)
    with contextlib.suppress(FileExistsError):
        public_dir.mkdir(mode=0o755, parents=True)
    _publish(public_dir / INTAKE_PUBLIC, _public_pem(load_intake_private(worker_dir).public_key()))
    _publish(public_dir / SIGNING_PUBLIC, _public_pem(load_signing(worker_dir).public_key()))


def make_enterprise_keys(enterprise_dir: Path, public_dir: Path, *, fips: bool = False) -> None:
    """Make the enterprise worker's keys that are missing; raises as `make_worker_keys` does."""
    keys = FileKeys(enterprise_dir)
    keys.prepare()
    keys.make(MASTER, _MASTER_PREFIX + to_base64(os.urandom(32)).encode() + b"\n")
    keys.make(ENTERPRISE, _private_pem(Ed25519PrivateKey.generate()))
    keys.make(
        ENTERPRISE_SEAL,
        _private_pem(generate_private_key(SECP256R1()) if fips else X25519PrivateKey.generate()),
    )
    load_master(enterprise_dir)
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


def load_master(worker_dir: Path) -> MasterKey:
    """Return the key of what rests sealed in the database."""
    text = FileKeys(worker_dir).read(MASTER)
    try:
        if not text.startswith(_MASTER_PREFIX):
            raise ValueError("another form")
        return MasterKey(from_base64(text[len(_MASTER_PREFIX) :].decode().removesuffix("\n"), 32))
    except ValueError as error:
        raise KeyMaterialError(
            f"{worker_dir / MASTER} holds no master key: bring it back from its backup."
        ) from error


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
        return load_pem_public_key(path.read_bytes()[:_LARGEST])
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
    _write_new(part, content, 0o644)
    part.rename(path)
    _sync_folder(path.parent)


def _write_new(path: Path, content: bytes, mode: int) -> None:
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
    with os.fdopen(fd, "wb") as file:
        os.fchmod(fd, mode)
        file.write(content)
        file.flush()
        os.fsync(fd)


def _sync_folder(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
