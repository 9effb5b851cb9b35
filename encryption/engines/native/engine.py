"""The native engine behind the protocol that all engines share: one repository folder, job by job."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from uuid import UUID

from encryption.crypto.kdf import KdfParameters
from encryption.engines.base import (
    BackupResult,
    Consequence,
    KeyringHead,
    Observation,
    OnProgress,
    Proof,
    RestoreResult,
    Roots,
    Source,
)
from encryption.engines.native import backup, finding, inspection, rekey, restore, retention
from encryption.engines.native import protection as protecting
from encryption.engines.native.finding import Found, Unread
from encryption.engines.native.folder import job_folder
from encryption.engines.native.keyring import new_head
from encryption.engines.native.opening import GivenKeys, Opens
from encryption.engines.native.protection import Protection
from encryption.engines.native.recovery import Line


class NativeEngine:
    """A folder that holds one folder a job."""

    def __init__(self, repository: Path) -> None:
        self._repository = repository

    def _at(self, job: UUID) -> Path:
        return job_folder(self._repository, job)

    def jobs_there(self) -> Iterator[UUID | Unread]:
        """Yield the jobs that have a folder; see `native.finding`."""
        return finding.job_folders(self._repository)

    def read_points(self, job: UUID, roots: Roots | None = None) -> Iterator[list[Found | Unread]]:
        """Yield the restore points that hold, and by name those that do not; see `native.finding`."""
        return finding.read_points(self._at(job), roots)

    def head(self, job: UUID) -> KeyringHead | None:
        """Return the keyring's head, None without a keyring."""
        return inspection.read_head(self._at(job))

    def observe(self, job: UUID, roots: Roots | None = None) -> Observation:
        """Return fingerprint and inventory; with `roots` every line is unwrapped."""
        return inspection.observe(self._at(job), roots)

    def restore_points(self, job: UUID) -> tuple[UUID, ...]:
        """Return the restore points that have a data file."""
        return inspection.list_points(self._at(job))

    def consequences(self, job: UUID, new_fingerprint: str) -> tuple[Consequence, ...]:
        """Return which restore points follow the keyring to `new_fingerprint`, and which need no password."""
        return inspection.consequences(self._at(job), new_fingerprint)

    def plan(self, job: UUID, *, root: bytes, user_key: UUID, parameters: KdfParameters) -> str:
        """Return the fingerprint of the keyring's next head."""
        current = self.head(job)
        if current is None:
            return new_head(job, root=root, user_key=user_key, parameters=parameters).fingerprint
        return rekey.planned_head(current, root=root, user_key=user_key, parameters=parameters).fingerprint

    def activate(self, job: UUID, *, root: bytes, user_key: UUID, parameters: KdfParameters) -> KeyringHead:
        """Write a keyring of one line; raises KeyringExists over another one."""
        return rekey.activate(self._at(job), root=root, user_key=user_key, parameters=parameters)

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
        """Put the keyring under the new root; callable again after any kill."""
        return rekey.rekey(
            self._at(job),
            old_root=old_root,
            new_root=new_root,
            new_user_key=new_user_key,
            new_kdf=new_kdf,
            progress=progress,
        )

    def prove(self, job: UUID, *, root: bytes, old_root: bytes | None) -> Proof:
        """Read the keyring back and prove it both ways."""
        return inspection.prove(self._at(job), root=root, old_root=old_root)

    def retire_keyring(self, job: UUID) -> None:
        """Remove a keyring that opens nothing any more; raises KeyringNeeded."""
        if self.head(job) is not None:
            retention.retire_keyring(self._at(job))

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
        """Back a folder up; see `native.backup`."""
        return backup.backup(
            self._at(job),
            source,
            roots=roots,
            base=base,
            compress=compress,
            restore_point=restore_point,
            protection=protection,
            progress=progress,
        )

    def cover(
        self,
        job: UUID,
        restore_points: Iterable[UUID],
        *,
        keys: Opens,
        protection: Protection,
        progress: Callable[[int], None] | None = None,
    ) -> int:
        """Wrap existing storage keys for the keysets in force; see `native.protection`."""
        return protecting.cover(self._at(job), restore_points, keys=keys, by=protection, progress=progress)

    def covered(self, job: UUID, keyset: UUID) -> set[UUID]:
        """Return the restore points that a keyset would open."""
        return protecting.covered(self._at(job), keyset)

    def recovery_lines(self, job: UUID, restore_point: UUID) -> list[Line]:
        """Return a restore point's recovery lines, their signatures unverified."""
        return protecting.read(self._at(job), restore_point)

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
        """Restore into an empty folder; see `native.restore`."""
        return restore.restore(self._at(job), restore_point, to, roots=roots, paths=paths, progress=progress)

    def verify(
        self, job: UUID, restore_point: UUID, *, roots: Opens | None, progress: OnProgress | None = None
    ) -> RestoreResult:
        """Read a restore point whole."""
        return restore.verify(self._at(job), restore_point, roots=roots, progress=progress)

    def drop(self, job: UUID, restore_points: Iterable[UUID]) -> None:
        """Remove restore points; nothing to remove is no error."""
        if self._at(job).is_dir():
            retention.drop(self._at(job), restore_points)
