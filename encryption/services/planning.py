"""What an approved request asks for, and what is to become of it before any row exists; for every engine."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.views.decorators.debug import sensitive_variables

from encryption import order as orders
from encryption import selectors
from encryption.crypto.secret import Secret
from encryption.errors import PasswordRefused, TargetChanged
from encryption.models import Job, PasswordVersion
from encryption.services import intake, vault


@dataclass(frozen=True)
class Wish:
    """What an approved request asks for. `jobs` maps each job to the fingerprint that its statement names.

    `number` is the request's, by which people know it.
    """

    action: str
    request: UUID
    request_digest: str
    jobs: Mapping[UUID, str]
    password: UUID | None = None
    hint: str = ""
    scope: str = "keys"
    start: str = "next_run"
    then: str = "keep"
    known_to: Sequence[str] = ()
    asked_by: UUID | None = None
    number: int = 0
    # Whether a job's description at Veeam is to name the request.
    described: bool = False
    # A former value that is put back: the version that holds it. No new value then.
    restores: UUID | None = None


@dataclass(frozen=True, repr=False)
class NewVersion:
    """A password version before its row exists."""

    id: UUID
    number: int
    hint: str
    sealed: vault.Sealed
    strength: int
    length: int
    known_to: Sequence[str]


@dataclass(frozen=True, repr=False)
class Plan:
    """What an engine makes of a wish: a target a job, and the version that it brings in force."""

    targets: Sequence[orders.Target]
    version_id: UUID | None = None
    version: NewVersion | None = None
    server: Mapping[str, str] | None = None
    note: str = ""


@sensitive_variables("secret")
def judge(wish: Wish, secret: Secret, jobs: Sequence[Job], newest: PasswordVersion | None) -> int:
    """Return the strength of a new password. Raises PasswordRefused, also where nothing would change."""
    names = [wish.hint, *(job.name for job in jobs)]
    current = [newest, *selectors.current_versions(job.pk for job in jobs).values()]
    return intake.judge(secret, hints=names, former=_former(current, secret))


def existing(wish: Wish, newest: PasswordVersion | None) -> PasswordVersion:
    """Return the version that an activation without a new value uses. Raises PasswordRefused."""
    if newest is None or newest.erased_at or wish.action != "activate":
        raise PasswordRefused("There is no such password to use: give a new one.")
    return newest


def next_number(newest: PasswordVersion | None) -> int:
    """Return the number of the version that follows."""
    return (newest.number if newest else 0) + 1


def password_named(wish: Wish) -> UUID:
    """Return the password that a wish names. Raises TargetChanged for none."""
    if wish.password is None:
        raise TargetChanged("The request names no password.")
    return wish.password


def _former(current: Sequence[PasswordVersion | None], secret: Secret) -> Secret | None:
    # The first former value that equals the new one, else none: judge() then says that nothing would change.
    known = {version.pk: version for version in current if version and version.sealed_password is not None}
    return next((secret for version in known.values() if vault.password_of(version) == secret), None)
