"""The keys of a job as a tree: password version, user key, a storage key a restore point; ids alone."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from encryption import rules, selectors
from encryption.models import Job


@dataclass(frozen=True, slots=True)
class StorageKey:
    """The key of one restore point; under it lie, in the data file, a metakey and the session keys."""

    restore_point: UUID
    kind: str
    created_at: datetime
    storage_key: UUID
    version: int | None


@dataclass(frozen=True, slots=True)
class KeyTree:
    """Everything under one user key."""

    user_key: UUID | None
    fingerprint: str
    password: UUID | None
    version: int | None
    hint: str
    kdf: str
    since: datetime | None
    storage_keys: tuple[StorageKey, ...]
    plain_points: int


def key_tree(job: Job) -> KeyTree:
    """Return the key tree of a job by the record; nothing in it opens anything."""
    step = selectors.key_step(job.pk)
    found = None if step else selectors.adopted_keyrings().filter(job=job).first()
    version = step.rekey.version if step else found.version if found else None
    points = list(selectors.restore_points(job))
    return KeyTree(
        user_key=step.user_key if step else found.user_key if found else None,
        fingerprint=rules.key_of(step) if step else found.fingerprint if found else "",
        password=version.password_id if version else None,
        version=version.number if version else None,
        hint=version.hint if version else "",
        kdf=str(version.kdf.get("name", "")) if version else "",
        since=step.ended_at if step else found.adopted_at if found else None,
        storage_keys=tuple(
            StorageKey(
                point.pk,
                point.kind,
                point.created_at,
                point.storage_key,
                point.password_version.number if point.password_version else None,
            )
            for point in points
            if point.storage_key is not None
        ),
        plain_points=sum(point.password_version_id is None for point in points),
    )
