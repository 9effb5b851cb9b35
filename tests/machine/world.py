"""The house that every example begins in: everybody, one job under a badge and one without encryption.

It is built once. An example starts from a savepoint and from a copy of the files, and leaves neither behind.
"""

import shutil
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import time_machine
from django.core.cache import cache
from django.db import transaction

from accounts.models import User
from encryption.models import Job
from tests.approvals.conftest import People

# What a person may try; the machine draws from these by name.
VOTERS = ("operator", "second_account", "administrator", "dpo", "ciso", "third", "auditor", "service")
ASKERS = ("operator", "service", "second_account", "administrator", "dpo", "nobody")
MEMBERS = ("dpo", "ciso", "third")


@dataclass
class World:
    """One house, and how to begin in it anew."""

    people: People
    jobs: list[Job]
    repository: Path
    persons: dict[UUID, UUID] = field(default_factory=dict)
    _savepoint: str | None = None
    _clock: time_machine.travel | None = None
    clock: Any = None

    @property
    def pristine(self) -> Path:
        return self.repository.with_name("pristine")

    def keep(self) -> None:
        """Remember the files as they are for every example."""
        shutil.copytree(self.repository, self.pristine)
        self.persons = dict(User.objects.values_list("pk", "person_id"))

    def begin(self) -> None:
        """Start an example: files and rows as they were kept, the clock at the present."""
        shutil.rmtree(self.repository)
        shutil.copytree(self.pristine, self.repository)
        cache.clear()
        self._savepoint = transaction.savepoint()
        self._clock = time_machine.travel(datetime.now(UTC), tick=False)
        self.clock = self._clock.start()

    def end(self) -> None:
        """Forget what the example did."""
        if self._clock is not None:
            self._clock.stop()
            self._clock = None
        if self._savepoint is not None:
            transaction.savepoint_rollback(self._savepoint)
            self._savepoint = None

    def user(self, name: str) -> User:
        """An account by its part in the play, read afresh."""
        return User.objects.get(pk=getattr(self.people, name).pk)

    def folder(self, job: Job) -> Path:
        return self.repository / str(job.pk)
