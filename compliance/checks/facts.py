"""The facts that checks look at, prepared once for all of them: values alone, no rows.

No person's name stands here: findings are kept for ever, and names can be erased.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class JobFacts:
    """One job that is not deleted, governed or not."""

    id: UUID
    name: str
    repository: UUID
    engine: str
    # Its password, if its next run encrypts.
    password: UUID | None
    # The sign's state, as the badge says it.
    sign: str
    # Live restore points by the version that each needs; None: written in clear.
    points: Mapping[UUID | None, int] = field(default_factory=dict)
    # It writes backups: a replica, a scan and a job that is gone do not.
    writes: bool = True
    # Further places where it writes in clear, such as its secondary targets.
    plain_places: int = 0
    # Whether its backups lie where they cannot be altered; None: not known.
    immutable: bool | None = None
    # In how many other repositories and tiers its backups lie too; None: not known.
    copies: int | None = None
    # When something of it was last restored or verified here, if that is seen here.
    proved_at: datetime | None = None
    restores_seen: bool = True


@dataclass(frozen=True, slots=True)
class VersionFacts:
    """One version of a password."""

    id: UUID
    password: UUID
    number: int
    hint: str
    # When the password was given this value; None: not known, as of one that was adopted with its files.
    since: datetime | None
    length: int
    strength: int
    known_to: frozenset[UUID]
    # Whether its value is held here, sealed: what is not held and not known elsewhere is lost.
    held: bool
    # Security approved the request that it came from.
    approved: bool
    # It came from a request here, which says who typed it; nobody can tell who set another one.
    asked_here: bool
    # What a request prepared is not in force until the change is done.
    in_force: bool


@dataclass(frozen=True, slots=True)
class CustodyFacts:
    """Who keeps copies of a version: the five lights, who proved it, and the last drill."""

    lights: tuple[bool, ...]
    secured: int
    persons: frozenset[UUID]
    drilled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PasswordFacts:
    """One password that is not deleted; `newest` is its version in force."""

    id: UUID
    hint: str
    jobs: int
    is_kms: bool
    newest: VersionFacts | None
    custody: CustodyFacts | None = None


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """One active account, of a human or of a service."""

    id: UUID
    person: UUID
    human: bool
    superuser: bool
    roles: frozenset[str]
    factor: bool
    # It holds a seat of Security, suspended or not.
    seated: bool
    suspended: bool


@dataclass(frozen=True, slots=True)
class PolicyFacts:
    """The policy in force for one place, its own or that of everywhere; None where there is none."""

    place: str
    ref: UUID | None
    quorum: int | None
    administrators: bool
    mfa: bool


@dataclass(frozen=True, slots=True)
class RequestFacts:
    """One executed request about a password."""

    id: UUID
    number: int
    security: bool
    asked: datetime
    decided: datetime | None


@dataclass(frozen=True, slots=True)
class TokenFacts:
    """One bearer token that is still good."""

    ref: UUID
    created: datetime
    expiry: datetime | None


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """One connected Veeam server, with what it said of itself when it was read last."""

    id: UUID
    name: str
    enforced: bool
    tls: str
    enforcement: Mapping[str, Any]
    configuration_backup: Mapping[str, Any]
    analyzer: Mapping[str, Any]
    forwarding: Mapping[str, Any]
    # Tiers of its repositories, and the names of those that are not encrypted or do not say.
    tiers: int = 0
    plain_tiers: tuple[str, ...] = ()
    silent_tiers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DriftFacts:
    """Something that was changed behind VeeamSec's back and is not explained."""

    text: str
    about: str
    ref: UUID | None


@dataclass(frozen=True, slots=True)
class ChangeFacts:
    """Changes that Veeam's events and polling told of lately, and where they belong."""

    total: int
    settled: int
    owned: int
    unowned: int
    waiting: int


@dataclass(frozen=True, slots=True)
class KeysetFacts:
    """The keyset in force."""

    id: UUID
    # The private half is held by this installation.
    own: bool
    exported: datetime | None
    expires: datetime | None


@dataclass(frozen=True, slots=True)
class InstallationFacts:
    """How this installation runs, as the worker sees it."""

    production: bool
    demo: bool
    # Web and worker run as users of their own.
    parted: bool
    # Who keeps the worker's master key: files, systemd, pkcs11 or kmip.
    keys: str
    # Connections that are not protected by TLS, in words; and how many were looked at.
    in_clear: tuple[str, ...]
    connections: int
    # Deploy settings that are not as they should be, in words.
    settings: tuple[str, ...]
    # The newest signed checkpoint beside the database, and the file system that it lies on.
    checkpoint_at: datetime | None
    checkpoint_on: str
    # A folder outside is named; and when the newest checkpoint was signed that is copied there.
    outside_named: bool
    outside_at: datetime | None


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything, at one moment."""

    now: datetime
    installation: InstallationFacts
    jobs: tuple[JobFacts, ...] = ()
    passwords: tuple[PasswordFacts, ...] = ()
    versions: Mapping[UUID, VersionFacts] = field(default_factory=dict)
    accounts: tuple[AccountFacts, ...] = ()
    policies: tuple[PolicyFacts, ...] = ()
    requests: tuple[RequestFacts, ...] = ()
    tokens: tuple[TokenFacts, ...] = ()
    servers: tuple[ServerFacts, ...] = ()
    drifts: tuple[DriftFacts, ...] = ()
    changes: ChangeFacts = ChangeFacts(0, 0, 0, 0, 0)
    # Since when new restore points are also wrapped for a keyset.
    guarded_since: datetime | None = None
    keyset: KeysetFacts | None = None
