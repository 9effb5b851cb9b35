"""What every backup engine can do, and the values that pass between an engine and those who use it.

An engine is bound to one repository. It knows no database: who may do what, and under which order, is decided
before it is called. Damage and refusals are EngineErrors; a repository that cannot be reached is an OSError.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol
from uuid import UUID

from encryption.crypto.kdf import KdfParameters
from encryption.engines.native.finding import Found, Unread
from encryption.engines.native.keyring import KeyringHead, Roots
from encryption.engines.native.opening import GivenKeys, Opens
from encryption.engines.native.protection import Protection
from encryption.engines.native.recovery import Line

__all__ = [
    "BackupResult",
    "Consequence",
    "Engine",
    "Found",
    "GivenKeys",
    "KeyringHead",
    "Line",
    "Observation",
    "OnProgress",
    "Opens",
    "Progress",
    "Proof",
    "Protection",
    "RestoreResult",
    "Roots",
    "Source",
    "Unread",
]


@dataclass(frozen=True)
class Source:
    """What a job backs up: a folder, and patterns of what is taken from it."""

    path: Path
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    one_file_system: bool = True


@dataclass(frozen=True)
class Progress:
    """What a run has done so far; `total_bytes` is None while nobody knows."""

    done_bytes: int
    done_files: int
    total_bytes: int | None = None


# Called a few times a second; may raise to stop the run.
OnProgress = Callable[[Progress], None]


@dataclass(frozen=True)
class BackupResult:
    """What a run left behind. `user_key` is the one that the restore point stands under, None if plain."""

    restore_point: UUID
    kind: str
    base: UUID | None
    created: datetime
    size: int
    source_bytes: int
    entries: int
    storage_key: UUID | None
    user_key: UUID | None
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class RestoreResult:
    """What was restored, or read; `warnings` are about owners and attributes, never about content."""

    done_files: int
    done_bytes: int
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Observation:
    """A job as it lies in its repository.

    `fingerprint` is empty when there is no key. `restore_points` have a data file; `key_lines` have a key
    in the keyring. `damage` says what is wrong with the keyring, and is empty when every line opens, or
    none was tried.
    """

    fingerprint: str
    restore_points: tuple[UUID, ...]
    key_lines: tuple[UUID, ...]
    damage: str = ""


@dataclass(frozen=True)
class Consequence:
    """What one restore point will need after a planned change; `needs` is a fingerprint, or empty."""

    restore_point: UUID
    size: int
    needs: str


@dataclass(frozen=True)
class Proof:
    """What was found when a key was read back: the new password opens all of it, the old one nothing."""

    fingerprint: str
    generation: int
    lines: int


class Engine(Protocol):
    """One repository's backups and keys, job by job."""

    def jobs_there(self) -> Iterator[UUID | Unread]:
        """Yield the jobs that left something, and by name what else lies there."""

    def read_points(self, job: UUID, roots: Roots | None = None) -> Iterator[list[Found | Unread]]:
        """Yield what a job left, some thousand at a time; with `roots` each is opened, not read."""

    def head(self, job: UUID) -> KeyringHead | None:
        """Return what the job's keyring says of itself, None if it has none."""

    def observe(self, job: UUID, roots: Roots | None = None) -> Observation:
        """Return fingerprint and inventory; with `roots` every key is unwrapped too."""

    def restore_points(self, job: UUID) -> Sequence[UUID]:
        """Return the restore points that have a data file, by name alone."""

    def consequences(self, job: UUID, new_fingerprint: str) -> Sequence[Consequence]:
        """Return what each restore point will need once the job's key has `new_fingerprint`."""

    def plan(self, job: UUID, *, root: bytes, user_key: UUID, parameters: KdfParameters) -> str:
        """Return the fingerprint that `activate` or `rekey` would leave, for an order to name it."""

    def activate(self, job: UUID, *, root: bytes, user_key: UUID, parameters: KdfParameters) -> KeyringHead:
        """Give a job its first key; called again it changes nothing."""

    def rekey(
        self,
        job: UUID,
        *,
        old_root: bytes | GivenKeys,
        new_root: bytes,
        new_user_key: UUID,
        new_kdf: KdfParameters,
        progress: Callable[[int], None] | None = None,
    ) -> KeyringHead:
        """Put a job's keys under another password; all or nothing, resumed by calling again.

        Where nobody knows the old one, in place of its root stand the keys that a recovery gave.
        """

    def prove(self, job: UUID, *, root: bytes, old_root: bytes | None) -> Proof:
        """Read the keys back and show that `root` opens all of them and `old_root` none."""

    def retire_keyring(self, job: UUID) -> None:
        """Remove a job's keyring if nothing needs it any more."""

    def backup(
        self,
        job: UUID,
        source: Source,
        *,
        roots: Roots | None,
        base: UUID | None = None,
        compress: bool = True,
        restore_point: UUID | None = None,
        protection: Protection | None = None,
        progress: OnProgress | None = None,
    ) -> BackupResult:
        """Back a folder up, as an increment to `base` if given; plain without `roots`.

        With `protection` the storage key is wrapped for its keysets too.
        """

    def cover(
        self,
        job: UUID,
        restore_points: Iterable[UUID],
        *,
        keys: Opens,
        protection: Protection,
        progress: Callable[[int], None] | None = None,
    ) -> int:
        """Wrap the storage keys of existing restore points for the keysets in force; returns how many."""

    def covered(self, job: UUID, keyset: UUID) -> set[UUID]:
        """Return the restore points that a keyset would open."""

    def recovery_lines(self, job: UUID, restore_point: UUID) -> list[Line]:
        """Return a restore point's recovery lines, their signatures unverified."""

    def restore(
        self,
        job: UUID,
        restore_point: UUID,
        to: Path,
        *,
        roots: Opens | None,
        paths: Iterable[str | bytes] | None = None,
        progress: OnProgress | None = None,
    ) -> RestoreResult:
        """Restore all or some paths into an empty folder."""

    def verify(
        self, job: UUID, restore_point: UUID, *, roots: Opens | None, progress: OnProgress | None = None
    ) -> RestoreResult:
        """Read a restore point as a restore would, without writing."""

    def drop(self, job: UUID, restore_points: Iterable[UUID]) -> None:
        """Remove restore points for good: their data first, then their keys."""
