"""One reading of a Veeam server: what it says of passwords, jobs, places and itself, in small values.

Whole job models are read one by one and forgotten; nothing here touches the database.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID

from django.utils import timezone

from encryption.engines.veeam import blocks
from encryption.engines.veeam.client import VeeamClient
from encryption.errors import VeeamGone, VeeamRefused
from encryption.services.veeam import places as of_places
from encryption.services.veeam.places import PlaceRead

T = TypeVar("T")

# Called with the phase and how far it has come.
Tell = Callable[[str, int], None]

# What a copy job names as its source, wherever its type keeps it.
_SOURCES = ("primaryJobId",)
_LONGEST_NAME = 255
_LONGEST_DESCRIPTION = 2_000
_COPIES = frozenset({"BackupCopy", "LegacyBackupCopy", "FileBackupCopy", "EntraIDTenantBackupCopy"})
_AGENT = ("WindowsAgentBackup", "LinuxAgentBackup", "MacAgentBackup", "UnixAgentBackup")


@dataclass(frozen=True, slots=True)
class PasswordRead:
    """An encryption password, or a key management server that stands for one."""

    external: UUID
    hint: str
    unique_id: str = ""
    modified_at: datetime | None = None
    is_imported: bool = False
    is_kms: bool = False


@dataclass(frozen=True, slots=True)
class JobRead:
    """A job with every place where it states encryption."""

    external: UUID
    name: str
    type: str
    description: str = ""
    is_disabled: bool = False
    target: UUID | None = None
    blocks: tuple[dict[str, Any], ...] = ()
    copies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BackupRead:
    """A backup: the chain that a job keeps, and that may outlive it."""

    external: UUID
    job: UUID | None
    name: str
    target: UUID | None


@dataclass(slots=True)
class Reading:
    """What a server said, from `began_at` on."""

    began_at: datetime
    passwords: dict[UUID, PasswordRead] = field(default_factory=dict)
    jobs: dict[UUID, JobRead] = field(default_factory=dict)
    places: dict[UUID, PlaceRead] = field(default_factory=dict)
    backups: dict[UUID, BackupRead] = field(default_factory=dict)
    # Parts that the account may not read: nothing is concluded from their absence.
    unread: set[str] = field(default_factory=set)

    @property
    def modified(self) -> dict[str, datetime | None]:
        """Return when each password was changed last, by its id there."""
        return {str(one.external): one.modified_at for one in self.passwords.values()}


def read(client: VeeamClient, tell: Tell) -> Reading:
    """Read all that is compared. Raises EngineError; what it may not read of the places it leaves out."""
    reading = Reading(timezone.now())
    tell("passwords", 0)
    read_passwords(client, reading)
    tell("repositories", 0)
    reading.places = _allowed("repositories", reading, lambda: of_places.read(client), {})
    tell("jobs", 0)
    states: dict[UUID, Any] = _allowed(
        "job states", reading, lambda: {UUID(one["id"]): one for one in client.job_states()}, {}
    )
    for model in client.jobs():
        job = job_of(model, states.get(UUID(str(model["id"])), {}))
        reading.jobs[job.external] = job
        tell("jobs", len(reading.jobs))
    tell("backups", 0)
    for one in client.backups():
        backup = _backup_of(one)
        reading.backups[backup.external] = backup
    return reading


def read_passwords(client: VeeamClient, reading: Reading) -> None:
    """Read the passwords and the KMS servers into a reading. Raises EngineError."""
    for one in client.passwords():
        reading.passwords[one.id] = PasswordRead(
            one.id, one.hint[:_LONGEST_NAME], one.unique_id[:_LONGEST_NAME], one.modified_at, one.is_imported
        )
    none: list[Mapping[str, Any]] = []
    for server in _allowed("kms", reading, lambda: list(client.kms_servers()), none):
        external = UUID(str(server["id"]))
        thumbprint = str(server.get("serverCertificateThumbprint") or "")
        name = f"KMS {server.get('name') or external}"
        reading.passwords[external] = PasswordRead(
            external, name[:_LONGEST_NAME], thumbprint[:_LONGEST_NAME], is_kms=True
        )


def _allowed(part: str, reading: Reading, ask: Callable[[], T], otherwise: T) -> T:
    try:
        return ask()
    except (VeeamRefused, VeeamGone):
        reading.unread.add(part)
        return otherwise


def job_of(model: Mapping[str, Any], state: Mapping[str, Any]) -> JobRead:
    """Return what counts of a job's whole model and of its state."""
    return JobRead(
        external=UUID(str(model["id"])),
        name=plain(model.get("name"), _LONGEST_NAME) or "(a job without a name)",
        type=plain(model.get("type"), 60),
        description=plain(model.get("description") or state.get("description"), _LONGEST_DESCRIPTION),
        is_disabled=bool(model.get("isDisabled")),
        target=uuid_or_none(state.get("repositoryId")) or _target_in(model),
        blocks=tuple(as_json(block) for block in blocks.blocks(model)),
        copies=tuple(sorted(_copied_in(model))),
    )


def as_json(block: blocks.Block) -> dict[str, Any]:
    """Return a block as a job's row holds it."""
    return {
        "enabled": block.enabled,
        "kind": block.kind,
        "kms": str(block.kms) if block.kms else None,
        "password": str(block.password) if block.password else None,
        "path": block.path,
    }


def _backup_of(one: Mapping[str, Any]) -> BackupRead:
    return BackupRead(
        external=UUID(str(one["id"])),
        job=uuid_or_none(one.get("jobId")),
        name=plain(one.get("name"), _LONGEST_NAME),
        target=uuid_or_none(one.get("repositoryId")),
    )


def _target_in(model: Mapping[str, Any]) -> UUID | None:
    for part in (model, *(model.get(name) or {} for name in ("storage", "target", "backupRepository"))):
        if isinstance(part, Mapping) and (found := uuid_or_none(part.get("backupRepositoryId"))):
            return found
    return None


def _copied_in(model: Mapping[str, Any]) -> set[str]:
    found = {str(model[name]) for name in _SOURCES if uuid_or_none(model.get(name))}
    includes = (model.get("sourceObjects") or {}).get("includes") or {}
    if not isinstance(includes, Mapping):
        return found
    for kind, mark in (("jobs", ""), ("backups", "backup:"), ("repositories", "repository:")):
        for one in _listed(includes.get(kind)):
            if isinstance(one, Mapping) and (source := uuid_or_none(one.get("id"))):
                found.add(f"{mark}{source}")
    return found


def _listed(value: object) -> Iterable[Any]:
    return value if isinstance(value, list) else ()


def is_copy(job_type: str) -> bool:
    """Say whether a job of this type reads backups, decrypts them, and writes them anew."""
    return job_type in _COPIES


def is_agent(job_type: str) -> bool:
    """Say whether the newest password opens the whole chain, as it does with Veeam's agents."""
    return job_type.startswith(_AGENT)


def uuid_or_none(value: object) -> UUID | None:
    """Return an id, or None for what Veeam writes when there is none."""
    try:
        found = UUID(str(value)) if value else None
    except ValueError:
        return None
    return found if found is not None and found.int else None


def time_text(moment: datetime | None) -> str | None:
    """Return a time of theirs as it is stored and compared."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}" if moment else None


def plain(value: object, longest: int) -> str:
    """Return a text of theirs as it may be stored."""
    text = "" if value is None else str(value).replace("\x00", "\ufffd")
    return text.encode("utf-8", "replace").decode()[:longest]
