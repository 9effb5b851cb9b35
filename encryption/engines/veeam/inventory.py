"""What is read from a Veeam server, as values; each reader takes the JSON of one object.

A reader is as tolerant as `reading` is, and raises VeeamUnexpected only where an id or an object is missing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from encryption.engines.veeam import reading
from encryption.engines.veeam.reading import Model

_STATES = (
    "Stopped", "Starting", "Stopping", "Working", "Pausing", "Resuming", "WaitingTape", "Idle",
    "Postprocessing", "WaitingRepository", "WaitingSlot", "ActionRequired",
)  # fmt: skip
_RESULTS = ("None", "Success", "Warning", "Failed")
_FINDINGS = ("Analyzing", "None", "OK", "Suppressed", "UnableToCheck", "Violation")
_FOUR_EYES = ("Pending", "Approved", "Rejected", "Expired", "Info", "CockpitMessage")
_POINT_TYPES = ("Increment", "Full", "Rollback", "Snapshot", "Cdp", "Different")
_PROTOCOLS = ("Udp", "Tcp", "Tls")


@dataclass(frozen=True, slots=True)
class ServerInfo:
    """Which server this is, and its build."""

    vbr_id: UUID | None
    name: str
    build: str
    platform: str


@dataclass(frozen=True, slots=True)
class Password:
    """An encryption password, which is known by its hint; its value is nowhere to be read."""

    id: UUID
    hint: str
    modified_at: datetime | None
    unique_id: str = ""
    is_imported: bool = False


class Point(NamedTuple):
    """A restore point of one object in a backup; small, for there are a million of them."""

    id: UUID
    name: str
    created_at: datetime
    backup: UUID | None
    type: str
    size: int | None
    session: UUID | None
    file: UUID | None
    periods: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Session:
    """A run of a job or of the analyzer."""

    id: UUID
    name: str
    type: str
    job: UUID | None
    state: str
    result: str
    message: str
    is_canceled: bool
    progress: int | None
    created_at: datetime | None
    ended_at: datetime | None
    initiated_by: str

    @property
    def is_over(self) -> bool:
        """Say whether nothing of it goes on any more."""
        return self.state == "Stopped"


@dataclass(frozen=True, slots=True)
class User:
    """A user or group with a role there."""

    id: UUID
    name: str
    type: str
    roles: tuple[str, ...]
    is_service_account: bool
    mfa_enabled: bool


@dataclass(frozen=True, slots=True)
class Role:
    """A role there, of Veeam's own or made by its administrators."""

    id: UUID
    name: str
    description: str
    is_built_in: bool


@dataclass(frozen=True, slots=True)
class ConfigurationBackup:
    """The backup of the server's own configuration."""

    enabled: bool
    encrypted: bool
    password: UUID | None
    repository: UUID | None
    succeeded_at: datetime | None


@dataclass(frozen=True, slots=True)
class Forwarding:
    """Where the server sends its events, and the severities of each event that it keeps to itself."""

    host: str
    port: int | None
    protocol: str
    thumbprint: str = ""
    muted: Mapping[int, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of Veeam's analyzer."""

    id: UUID
    practice: str
    status: str
    note: str


@dataclass(frozen=True, slots=True)
class FourEyesEvent:
    """A request of Veeam's own four-eyes authorization."""

    id: UUID
    name: str
    description: str
    state: str
    created_at: datetime | None
    created_by: str
    expires_at: datetime | None
    processed_at: datetime | None
    processed_by: str


def server_info(model: Model) -> ServerInfo:
    """Read which server this is."""
    return ServerInfo(
        vbr_id=reading.uuid_or_none(model.get("vbrId")),
        name=reading.text(model.get("name")),
        build=reading.text(model.get("buildVersion")),
        platform=reading.text(model.get("platform")),
    )


def password(model: Model) -> Password:
    """Read an encryption password's entry."""
    return Password(
        id=reading.identity(model.get("id"), "an encryption password"),
        hint=reading.text(model.get("hint")),
        modified_at=reading.moment(model.get("modificationTime")),
        unique_id=reading.text(model.get("uniqueId")),
        is_imported=reading.flag(model.get("isImported")),
    )


def point(model: Model) -> Point | None:
    """Read a restore point; None for one without a time, which no password can be bound to."""
    created_at = reading.moment(model.get("creationTime"))
    if created_at is None:
        return None
    return Point(
        id=reading.identity(model.get("id"), "a restore point"),
        name=reading.text(model.get("name")),
        created_at=created_at,
        backup=reading.uuid_or_none(model.get("backupId")),
        type=reading.spelled(model.get("type"), _POINT_TYPES),
        size=reading.whole(model.get("originalSize")),
        session=reading.uuid_or_none(model.get("sessionId")),
        file=reading.uuid_or_none(model.get("backupFileId")),
        periods=reading.texts(model.get("gfsPeriods")),
    )


def session(model: Model) -> Session:
    """Read a session."""
    result = model.get("result")
    outcome = result if isinstance(result, dict) else {}
    return Session(
        id=reading.identity(model.get("id"), "a session"),
        name=reading.text(model.get("name")),
        type=reading.text(model.get("sessionType")),
        job=reading.uuid_or_none(model.get("jobId")),
        state=reading.spelled(model.get("state"), _STATES),
        result=reading.spelled(outcome.get("result"), _RESULTS) or "None",
        message=reading.quoted(outcome.get("message")),
        is_canceled=reading.flag(outcome.get("isCanceled")),
        progress=reading.whole(model.get("progressPercent")),
        created_at=reading.moment(model.get("creationTime")),
        ended_at=reading.moment(model.get("endTime")),
        initiated_by=reading.text(model.get("initiatedBy")),
    )


def user(model: Model) -> User:
    """Read a user or group."""
    roles = model.get("roles")
    named = [one for one in roles if isinstance(one, dict)] if isinstance(roles, list) else []
    return User(
        id=reading.identity(model.get("id"), "a user"),
        name=reading.text(model.get("name")),
        type=reading.text(model.get("type")),
        roles=tuple(reading.text(one.get("name")) for one in named),
        is_service_account=reading.flag(model.get("isServiceAccount")),
        mfa_enabled=reading.flag(model.get("mfaEnabled")),
    )


def role(model: Model) -> Role:
    """Read a role."""
    return Role(
        id=reading.identity(model.get("id"), "a role"),
        name=reading.text(model.get("name")),
        description=reading.text(model.get("description")),
        is_built_in=reading.flag(model.get("isBuiltIn")),
    )


def configuration_backup(model: Model) -> ConfigurationBackup:
    """Read the configuration backup; encrypted only with a switch that is on and a password that is named."""
    encryption, last = model.get("encryption"), model.get("lastSuccessfulBackup")
    block = encryption if isinstance(encryption, dict) else {}
    named = reading.uuid_or_none(block.get("passwordId"))
    return ConfigurationBackup(
        enabled=reading.flag(model.get("isEnabled")),
        encrypted=reading.flag(block.get("isEnabled")) and named is not None,
        password=named,
        repository=reading.uuid_or_none(model.get("backupRepositoryId")),
        succeeded_at=reading.moment(last.get("lastSuccessfulTime")) if isinstance(last, dict) else None,
    )


def forwarding(model: Model) -> Forwarding:
    """Read where events are sent; an empty host where they are sent nowhere."""
    server, filters = model.get("syslogServer"), model.get("syslogEventFiltering")
    to = server if isinstance(server, dict) else {}
    muted = [one for one in filters if isinstance(one, dict)] if isinstance(filters, list) else []
    return Forwarding(
        host=reading.text(to.get("serverName")),
        port=reading.whole(to.get("port")),
        protocol=reading.spelled(to.get("transportProtocol"), _PROTOCOLS),
        thumbprint=reading.text(to.get("certificateThumbprint")),
        muted={
            int(number): reading.texts(one.get("severity"))
            for one in muted
            if (number := reading.text(one.get("eventId")).strip()).isdecimal() and len(number) <= 9
        },
    )


def finding(model: Model) -> Finding:
    """Read one line of the analyzer."""
    return Finding(
        id=reading.identity(model.get("id"), "a finding of the analyzer"),
        practice=reading.text(model.get("bestPractice")),
        status=reading.spelled(model.get("status"), _FINDINGS),
        note=reading.text(model.get("note")),
    )


def four_eyes_event(model: Model) -> FourEyesEvent:
    """Read a request of Veeam's own four-eyes authorization."""
    return FourEyesEvent(
        id=reading.identity(model.get("id"), "a four-eyes event"),
        name=reading.text(model.get("name")),
        description=reading.text(model.get("description")),
        state=reading.spelled(model.get("state"), _FOUR_EYES),
        created_at=reading.moment(model.get("creationTime")),
        created_by=reading.text(model.get("createdBy")),
        expires_at=reading.moment(model.get("expirationTime")),
        processed_at=reading.moment(model.get("processedTime")),
        processed_by=reading.text(model.get("processedBy")),
    )
