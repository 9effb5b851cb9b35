"""All that one server knows: passwords, jobs, repositories, backups, people, events, and its settings."""

import json
import secrets
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from threading import RLock
from typing import Any
from uuid import uuid4

from veeamsec.peer import encryption
from veeamsec.peer.accounts import Account, Tokens
from veeamsec.peer.answers import gone
from veeamsec.peer.clock import Clock
from veeamsec.peer.faults import Faults
from veeamsec.peer.pieces import KINDS, WITHOUT_BACKUPS, identity
from veeamsec.peer.points import Points, Series
from veeamsec.peer.revisions import revision_of, role_prefix
from veeamsec.peer.syslog import Sender

Model = dict[str, Any]


@dataclass
class Password:
    """An encryption password. Its value is a test's, and it is never shown."""

    hint: str
    value: str = field(repr=False)
    modified_at: datetime
    unique_id: str
    imported: bool = False
    id: str = field(default_factory=lambda: str(uuid4()))
    wrong: "deque[datetime]" = field(default_factory=deque, repr=False)
    blocked_until: datetime | None = None


@dataclass
class Job:
    """A job as its model's text, so that it is given back as it was sent; and what only a server knows.

    `head` is what lists are ordered and filtered by.
    """

    text: str
    head: Model = field(default_factory=dict, repr=False)
    series: list[int] = field(default_factory=list)
    under: str | None = None
    last_session: str | None = None
    last_run: datetime | None = None
    last_result: str = "None"
    running: bool = False

    def __post_init__(self) -> None:
        self.keep(self.text)

    def keep(self, text: str) -> None:
        """Keep another model, as it was sent."""
        self.text = text
        self.head = {name: self.model.get(name) for name in ("id", "name", "type", "description")}

    @property
    def model(self) -> Model:
        """The model; a copy."""
        found: Model = json.loads(self.text)
        return found


@dataclass
class Backup:
    """What a job has written, or wrote."""

    id: str
    job: str
    name: str
    kind: str
    repository: str
    created_at: datetime
    series: list[int]


@dataclass
class Options:
    """How this server behaves where servers differ, or where nobody knows."""

    vendor_form: bool = False
    hint_moves_time: bool = False
    four_eyes: bool = False
    # A verify that is blocked is answered as a result, or refused with this status.
    blocked_status: int | None = None
    run_seconds: float = 0.2


@dataclass
class Installation:
    """One server; whoever reads or changes it holds its lock."""

    name: str = "vbr01.tech.example"
    build: str = "13.1.0.411"
    clock: Clock = field(default_factory=Clock)
    options: Options = field(default_factory=Options)
    accounts: list[Account] = field(default_factory=list)
    passwords: dict[str, Password] = field(default_factory=dict)
    kms: dict[str, Model] = field(default_factory=dict)
    jobs: dict[str, Job] = field(default_factory=dict)
    backups: dict[str, Backup] = field(default_factory=dict)
    repositories: dict[str, Model] = field(default_factory=dict)
    # Gigabytes: what fits, and what is taken.
    space: dict[str, list[float]] = field(default_factory=dict)
    scale_outs: dict[str, Model] = field(default_factory=dict)
    sessions: dict[str, Model] = field(default_factory=dict)
    config_backup: Model = field(default_factory=dict)
    forwarding: Model = field(default_factory=dict)
    practices: list[Model] = field(default_factory=list)
    analyzed: str | None = None
    authorizations: list[Model] = field(default_factory=list)
    lock: RLock = field(default_factory=RLock)
    faults: Faults = field(default_factory=Faults)

    def __post_init__(self) -> None:
        self.id = str(uuid4())
        self.revision = revision_of(self.build)
        self.tokens = Tokens(self.clock)
        self.points = Points(prefix=secrets.randbits(48))
        self.sender = Sender(self.name, self.build, self.clock)

    @property
    def role_prefix(self) -> str:
        """What stands before the names of its roles."""
        return role_prefix(self.revision)

    def add_password(self, hint: str, modified_at: datetime, value: str | None = None) -> Password:
        """A password that is there, without an event."""
        value = value or secrets.token_urlsafe(18)
        made = Password(hint, value, modified_at, unique_id=str(uuid4()))
        self.passwords[made.id] = made
        return made

    def add_job(self, model: Model, repository: str, guests: list[str], since: datetime, size: int) -> Job:
        """A job with its backup, without restore points yet and without an event."""
        made = Job(json.dumps(model, ensure_ascii=False))
        made.under = encryption.key_of(encryption.own(model))
        self.jobs[model["id"]] = made
        if model["type"] in WITHOUT_BACKUPS:
            return made
        backup = identity("backup", model["id"])
        platform, _, _, family = KINDS[model["type"]]
        for guest in guests:
            series = Series(
                number=len(self.points.series),
                backup=backup,
                object=identity("object", f"{model['id']}:{guest}"),
                name=guest,
                platform=platform,
                platform_id=encryption.NOTHING,
                size=size,
                family=family,
            )
            self.points.series.append(series)
            made.series.append(series.number)
        self.backups[backup] = Backup(
            backup, model["id"], model["name"], model["type"], repository, since, made.series
        )
        return made

    def password(self, identity: str) -> Password:
        """A password. Raises Refusal (404)."""
        try:
            return self.passwords[identity.lower()]
        except KeyError:
            raise gone(identity) from None

    def job(self, identity: str) -> Job:
        """A job. Raises Refusal (404)."""
        try:
            return self.jobs[identity.lower()]
        except KeyError:
            raise gone(identity) from None

    def account(self, name: str) -> Account | None:
        """An account by its name, in any case."""
        return next((one for one in self.accounts if one.name.casefold() == name.casefold()), None)

    def users_of(self, password: str) -> list[str]:
        """What uses a password: jobs, tiers, the configuration backup."""
        blocks = [
            (job.model["name"], block) for job in self.jobs.values() for block in encryption.every(job.model)
        ]
        for place in self.scale_outs.values():
            blocks += [
                (place["name"], place[tier].get("encryption"))
                for tier in ("capacityTier", "archiveTier")
                if tier in place
            ]
        found = [name for name, block in blocks if encryption.key_of(block) == password]
        own = self.config_backup.get("encryption") or {}
        if own.get("isEnabled") and str(own.get("passwordId")).lower() == password:
            found.append("Backup Configuration Job")
        return found
