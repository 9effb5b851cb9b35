"""What the worker keeps of a password: value and root, sealed under the master key in their own row."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.views.decorators.debug import sensitive_variables

from encryption import selectors
from encryption.crypto import kdf, providers
from encryption.crypto.secret import Secret
from encryption.engines.base import Roots
from encryption.errors import WrongPassword
from encryption.models import PasswordVersion
from encryption.services import resting
from encryption.services.resting import Column

_PASSWORD = Column(PasswordVersion, "sealed_password", lambda row: "password", lambda row: int(row.number))
_ROOT = Column(PasswordVersion, "sealed_root", lambda row: "root", lambda row: int(row.number))
COLUMNS = (_PASSWORD, _ROOT)


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
    row = PasswordVersion(pk=version, number=number)
    value = resting.sealed(_PASSWORD, row, password.reveal())
    return Sealed(dict(parameters.to_json()), value, resting.sealed(_ROOT, row, root)), root


@sensitive_variables("password")
def seal_value(version: UUID, number: int, password: Secret) -> Sealed:
    """Return a version's secret for a product that derives its own keys: the value alone."""
    row = PasswordVersion(pk=version, number=number)
    return Sealed({}, resting.sealed(_PASSWORD, row, password.reveal()), None)


@sensitive_variables("password", "root")
def seal_known(version: PasswordVersion, password: Secret, root: bytes) -> tuple[bytes, bytes]:
    """Return the sealed value and root of an adopted version, for what somebody proved to know."""
    value = resting.sealed(_PASSWORD, version, password.reveal())
    return value, resting.sealed(_ROOT, version, root)


def password_of(version: PasswordVersion) -> Secret:
    """Return the value of a version. Raises SealBroken, WrongPassword when it was erased."""
    return Secret(_open(version, _PASSWORD))


def root_of(version: PasswordVersion) -> bytes:
    """Return the root of a version. Raises SealBroken, WrongPassword when it was erased."""
    return _open(version, _ROOT)


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


def _open(version: PasswordVersion, column: Column) -> bytes:
    if version.is_unproven:
        raise WrongPassword(
            f"Nobody here has proved to know “{version.hint}”: offer the password where it is shown, or have"
            " the keys opened by a recovery."
        )
    if getattr(version, column.field) is None:
        raise WrongPassword(
            f"Version {version.number} of this password was erased; it opens nothing any more."
        )
    return resting.opened(column, version)
