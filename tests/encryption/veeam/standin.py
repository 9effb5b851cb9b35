"""A Veeam server in memory, which answers what a client would hand out; for what happens to what was read."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from encryption.crypto.secret import Secret
from encryption.engines.veeam import inventory
from encryption.errors import VeeamGone, VeeamRefused, VeeamUnreachable

ADMINISTRATOR = "Veeam Backup Administrator"
START = datetime(2026, 10, 1, tzinfo=UTC)
CONFIGURATION = inventory.ConfigurationBackup(True, True, None, None, None)
FORWARDING = inventory.Forwarding("10.0.0.9", 514, "Udp")


def name_of(text: str) -> uuid.UUID:
    return uuid.uuid5(uuid.NAMESPACE_DNS, text)


@dataclass
class StandIn:
    """What the server holds, and the calls of the client that reads it."""

    revision: str = "1.3-rev2"
    tls_version: str = "TLSv1.3"
    vbr_id: uuid.UUID = field(default_factory=uuid.uuid4)
    held: dict[uuid.UUID, inventory.Password] = field(default_factory=dict)
    values: dict[uuid.UUID, str] = field(default_factory=dict)
    models: dict[uuid.UUID, dict[str, Any]] = field(default_factory=dict)
    kept: dict[uuid.UUID, dict[str, Any]] = field(default_factory=dict)
    points: list[inventory.Point] = field(default_factory=list)
    kms: list[dict[str, Any]] = field(default_factory=list)
    scale_out: list[dict[str, Any]] = field(default_factory=list)
    people: list[inventory.User] = field(default_factory=list)
    configuration: inventory.ConfigurationBackup = CONFIGURATION
    findings: tuple[inventory.Finding, ...] = ()
    four_eyes: list[inventory.FourEyesEvent] = field(default_factory=list)
    forwarding: inventory.Forwarding = FORWARDING
    refused: set[str] = field(default_factory=set)
    away: bool = False
    asked: list[str] = field(default_factory=list)

    def add_password(self, hint: str, value: str = "plain-Sailing-19", at: datetime = START) -> uuid.UUID:
        """Add a password."""
        external = name_of(hint)
        self.held[external] = inventory.Password(external, hint, at)
        self.values[external] = value
        return external

    def change(self, external: uuid.UUID, value: str, at: datetime) -> None:
        """Somebody changes a password."""
        self.held[external] = replace(self.held[external], modified_at=at)
        self.values[external] = value

    def add_job(self, name: str, password: uuid.UUID | None = None, kind: str = "VSphereBackup") -> uuid.UUID:
        """Add a job with one backup."""
        external = name_of(name)
        model = {"id": str(external), "name": name, "type": kind, "isDisabled": False, "description": ""}
        place = {"advancedSettings": {"storageData": {"encryption": block(password)}}}
        self.models[external] = model | {"target" if kind == "BackupCopy" else "storage": place}
        self.backup(f"{name} backup", external)
        return external

    def encrypt(self, job: uuid.UUID, password: uuid.UUID | None) -> None:
        """Somebody gives a job another password, or none."""
        model = self.models[job]
        place = model.get("storage") or model["target"]
        place["advancedSettings"]["storageData"]["encryption"] = block(password)

    def backup(self, name: str, job: uuid.UUID | None) -> uuid.UUID:
        """Add a backup."""
        external = name_of(name)
        self.kept[external] = {"id": str(external), "name": name, "jobId": str(job) if job else None}
        return external

    def point(self, backup: str, at: datetime, name: str = "vm1", size: int = 1000) -> uuid.UUID:
        """Add a restore point to the backup of a job."""
        external = uuid.uuid4()
        made = inventory.Point(
            external, name, at, name_of(f"{backup} backup"), "Increment", size, None, None, ()
        )
        self.points.append(made)
        return external

    # What a client offers.

    def __enter__(self) -> Self:
        if self.away:
            raise VeeamUnreachable("vbr.example gives no answer.")
        return self

    def __exit__(self, *_: object) -> None:
        return

    def _may(self, what: str) -> None:
        self.asked.append(what)
        if what in self.refused:
            raise VeeamRefused(f"The account may not read {what}.")

    def server_info(self) -> inventory.ServerInfo:
        self._may("server info")
        return inventory.ServerInfo(self.vbr_id, "vbr01", "13.1.0.411", "WindowsServer")

    def passwords(self) -> Iterator[inventory.Password]:
        self._may("passwords")
        return iter(list(self.held.values()))

    def verify_password(self, external: uuid.UUID, secret: Secret) -> bool:
        self._may("verify")
        return self.values[external].encode() == secret.reveal()

    def kms_servers(self) -> Iterator[dict[str, Any]]:
        self._may("kms")
        return iter(self.kms)

    def job(self, external: uuid.UUID) -> dict[str, Any]:
        self._may("job")
        if external not in self.models:
            raise VeeamGone("There is no such job.")
        return self.models[external]

    def jobs(self) -> Iterator[dict[str, Any]]:
        self._may("jobs")
        return iter(list(self.models.values()))

    def job_states(self) -> Iterator[dict[str, Any]]:
        return iter(())

    def repositories(self) -> Iterator[dict[str, Any]]:
        self._may("repositories")
        model = {"id": str(name_of("Shelf")), "name": "Shelf", "type": "LinuxHardened"}
        return iter([model | {"repository": {"makeRecentBackupsImmutableDays": 7}}])

    def repository_states(self) -> Iterator[dict[str, Any]]:
        return iter([{"id": str(name_of("Shelf")), "freeGB": 10.0, "capacityGB": 20}])

    def scale_out_repositories(self) -> Iterator[dict[str, Any]]:
        return iter(self.scale_out)

    def backups(self) -> Iterator[dict[str, Any]]:
        return iter(list(self.kept.values()))

    def restore_points(self, created_after: datetime | None = None) -> Iterator[inventory.Point]:
        self.asked.append("all points" if created_after is None else "new points")
        since = created_after or datetime.min.replace(tzinfo=UTC)
        return iter(sorted((p for p in self.points if p.created_at >= since), key=lambda p: p.created_at))

    def config_backup(self) -> inventory.ConfigurationBackup:
        self._may("configuration")
        return self.configuration

    def users(self) -> Iterator[inventory.User]:
        self._may("users")
        return iter(self.people)

    def roles(self) -> Iterator[inventory.Role]:
        return iter([inventory.Role(uuid.uuid4(), "Night shift", "", False)])

    def event_forwarding(self) -> inventory.Forwarding:
        self._may("forwarding")
        return self.forwarding

    def analyzer_last_run(self) -> inventory.Session | None:
        return None

    def analyzer_results(self) -> tuple[inventory.Finding, ...]:
        return self.findings

    def authorization_events(self, after: datetime | None = None) -> Iterator[inventory.FourEyesEvent]:
        return iter(self.four_eyes)


def block(password: uuid.UUID | None) -> dict[str, Any]:
    """A job's encryption as Veeam writes it."""
    named = {"encryptionType": "ByUserPassword", "encryptionPasswordId": str(password) if password else None}
    return {"isEnabled": password is not None, **named, "kmsServerId": None}


def user(name: str, *roles: str) -> inventory.User:
    """A user there."""
    return inventory.User(uuid.uuid4(), name, "ExternalUser", roles or (ADMINISTRATOR,), False, True)


def days(number: float) -> datetime:
    """A moment so many days after the start."""
    return START + timedelta(days=number)
