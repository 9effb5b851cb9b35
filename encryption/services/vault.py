"""What the worker keeps of a password: value and root, sealed under the master key in their own row."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.views.decorators.debug import sensitive_variables

from encryption import selectors
from encryption.crypto import kdf, providers, seal
from encryption.crypto.secret import Secret
from encryption.engines.base import Roots
from encryption.errors import WrongPassword
from encryption.models import PasswordVersion

_TABLE = "encryption_passwordversion"


@dataclass(frozen=True, repr=False)
class Sealed:
    """A new version's secrets as its row will hold them."""

    kdf: dict[str, Any]
    password: bytes
    # None where another product derives its keys itself.
    root: bytes | None


@sensitive_variables("password", "root")
def seal_new(version: UUID, number: int, password: Secret) -> tuple[Sealed, bytes]:
    """Return a new version's sealed secrets, and its root; derives, so never inside a transaction."""
    parameters = kdf.new_parameters(fips=settings.VEEAMSEC_FIPS)
    root = kdf.derive_root(password, parameters)
    value = _seal(version, number, "password", password.reveal())
    return Sealed(dict(parameters.to_json()), value, _seal(version, number, "root", root)), root


@sensitive_variables("password")
def seal_value(version: UUID, number: int, password: Secret) -> Sealed:
    """Return a version's secret for a product that derives its own keys: the value alone."""
    return Sealed({}, _seal(version, number, "password", password.reveal()), None)


@sensitive_variables("password", "root")
def seal_known(version: PasswordVersion, password: Secret, root: bytes) -> tuple[bytes, bytes]:
    """Return the sealed value and root of an adopted version, for what somebody proved to know."""
    value = _seal(version.pk, version.number, "password", password.reveal())
    return value, _seal(version.pk, version.number, "root", root)


@sensitive_variables("value")
def _seal(version: UUID, number: int, purpose: str, value: bytes) -> bytes:
    master = providers.load_master(settings.WORKER_KEYS)
    return seal.seal(master, value, table=_TABLE, row=version, purpose=purpose, version=number)


def password_of(version: PasswordVersion) -> Secret:
    """Return the value of a version. Raises SealBroken, WrongPassword when it was erased."""
    return Secret(_open(version, "password", version.sealed_password))


def root_of(version: PasswordVersion) -> bytes:
    """Return the root of a version. Raises SealBroken, WrongPassword when it was erased."""
    return _open(version, "root", version.sealed_root)


def root_behind(job: UUID, user_key: UUID) -> bytes:
    """Return the root of the version that a keyring's user key belongs to.

    Raises WrongPassword when no approved version has that key.
    """
    version = selectors.version_of_user_key(job, user_key)
    if version is None:
        raise WrongPassword(
            "The keyring names a user key that no approved password has: it was changed behind VeeamSec's"
            " back. Nothing was written."
        )
    return root_of(version)


def assert_ready() -> None:
    """Raise KeyMaterialError without a master key: else every keyring would look changed."""
    providers.load_master(settings.WORKER_KEYS)


def roots(job: UUID) -> Roots:
    """Return what an engine asks for a keyring's root: by the head that it found, never by what is newest."""
    return lambda head: root_behind(job, head.user_key)


def _open(version: PasswordVersion, purpose: str, sealed: bytes | memoryview | None) -> bytes:
    if version.is_unproven:
        raise WrongPassword(
            f"Nobody here has proved to know “{version.hint}”: offer the password where it is shown, or have"
            " the keys opened by a recovery."
        )
    if sealed is None:
        raise WrongPassword(
            f"Version {version.number} of this password was erased; it opens nothing any more."
        )
    master = providers.load_master(settings.WORKER_KEYS)
    return seal.open(
        master, bytes(sealed), table=_TABLE, row=version.pk, purpose=purpose, version=version.number
    )
