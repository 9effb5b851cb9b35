"""A Veeam server in memory that is governed: what a worker writes there, and what gets in its way."""

import copy
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from encryption.crypto.secret import Secret
from encryption.engines.veeam import inventory
from encryption.errors import EngineError, VeeamGone
from tests.encryption.veeam.standin import StandIn


@dataclass
class Governed(StandIn):
    """The same server, as an account may use it that may change things."""

    refusals: dict[str, EngineError] = field(default_factory=dict)
    before: dict[str, Callable[[], None]] = field(default_factory=dict)
    after: dict[str, Callable[[], None]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    puts: list[dict[str, Any]] = field(default_factory=list)
    started: list[uuid.UUID] = field(default_factory=list)
    state: str = "Stopped"
    _moment: datetime = field(default_factory=lambda: datetime.now(UTC) - timedelta(seconds=30))

    def tick(self) -> datetime:
        """A moment after all that were."""
        self._moment += timedelta(microseconds=1000)
        return self._moment

    def _do(self, what: str, ref: object = "") -> None:
        self.calls.append(f"{what} {ref}".strip())
        for hooks in (self.before,):
            if hook := hooks.pop(what, None):
                hook()
        for name in (what, f"{what} {ref}"):
            if name in self.refusals:
                raise self.refusals[name]

    def _done(self, what: str) -> None:
        if hook := self.after.pop(what, None):
            hook()

    def password(self, external: uuid.UUID) -> inventory.Password:
        self._do("password")
        if external not in self.held:
            raise VeeamGone("There is no such password.")
        return self.held[external]

    def create_password(self, hint: str, secret: Secret) -> inventory.Password:
        self._do("create")
        external = uuid.uuid4()
        self.held[external] = inventory.Password(external, hint, self.tick())
        self.values[external] = secret.reveal().decode()
        self._done("create")
        return self.held[external]

    def change_password(self, external: uuid.UUID, hint: str, secret: Secret) -> None:
        self._do("change")
        self.held[external] = inventory.Password(external, hint, self.tick())
        self.values[external] = secret.reveal().decode()
        self._done("change")

    def verify_password(self, external: uuid.UUID, secret: Secret) -> bool:
        self._do("verify")
        return super().verify_password(external, secret)

    def delete_password(self, external: uuid.UUID) -> None:
        self._do("delete")
        if self.held.pop(external, None) is None:
            raise VeeamGone("There is no such password.")
        self._done("delete")

    def job(self, external: uuid.UUID) -> dict[str, Any]:
        self._do("job", external)
        if external not in self.models:
            raise VeeamGone("There is no such job.")
        return copy.deepcopy(self.models[external])

    def put_job(self, external: uuid.UUID, model: dict[str, Any]) -> dict[str, Any]:
        self._do("put", external)
        self.models[external] = copy.deepcopy(model)
        self.puts.append(copy.deepcopy(model))
        self._done("put")
        return model

    def start_job(self, external: uuid.UUID, *, full: bool = False) -> inventory.Session:
        self._do("start")
        self.started.append(external)
        return self.session(uuid.uuid4())

    def session(self, name: uuid.UUID) -> inventory.Session:
        return inventory.Session(
            id=name,
            name="run",
            type="BackupJob",
            job=None,
            state=self.state,
            result="Success",
            message="",
            is_canceled=False,
            progress=100,
            created_at=None,
            ended_at=None,
            initiated_by="us",
        )
