"""The house that every example begins in: everybody, one job under a badge and one without encryption.

It is built once. An example starts from a savepoint and from a copy of the files, and leaves neither behind.
Its clock is its own, in the database too, and its messages are numbered: so the same doings have the same end
however busy the machine is, and however many examples went before.
"""

import itertools
import shutil
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock
from uuid import UUID

import time_machine
from django.core.cache import cache
from django.db import connection, transaction

from accounts.models import SecurityMember, User
from audit import queue
from encryption.models import Job

# After whatever the migrations wrote of today: nothing depends on the day but that it is later.
MORNING = datetime(2090, 1, 2, 8, tzinfo=UTC)
# Between two doings; no whole second, for statements know seconds and rows know less.
MOMENT = timedelta(milliseconds=700)

# What a person may try; the machine draws from these by name, the likely ones more often.
MEMBERS = ("dpo", "ciso", "third")
OFFICES = ("administrator", "second_account")
NEWCOMERS = ("nora", "noel")
VOTERS = (*MEMBERS, *MEMBERS, *OFFICES, *NEWCOMERS, "operator", "auditor", "service", "superuser")
ASKERS = ("operator", "operator", "junior", "service", "second_account", "administrator", "dpo", "nobody")
# Who asks about people and rules, and who tries.
GOVERNORS = (*OFFICES, *MEMBERS, "nora", "operator")

CLOCK = """
CREATE FUNCTION machine_clock() RETURNS timestamptz LANGUAGE sql VOLATILE AS
$$ SELECT current_setting('machine.clock')::timestamptz $$
"""
READS_THE_CLOCK = """
SELECT pg_get_functiondef(oid) FROM pg_proc
WHERE pronamespace = 'public'::regnamespace AND prosrc LIKE '%clock_timestamp()%'
"""


def hand_the_clock_over() -> None:
    """Let the database's own rules read the machine's clock, until the test rolls back."""
    with connection.cursor() as cursor:
        cursor.execute(CLOCK)
        cursor.execute(READS_THE_CLOCK)
        rules = [text for (text,) in cursor.fetchall()]
        assert rules
        for text in rules:
            cursor.execute(text.replace("clock_timestamp()", "machine_clock()"))


@dataclass
class World:
    """One house, and how to begin in it anew."""

    clock: time_machine.Traveller
    cast: dict[str, User] = field(default_factory=dict)
    jobs: list[Job] = field(default_factory=list)
    repository: Path = Path()
    # Each account's person, password and factors as they were: nothing that others do changes them.
    selves: dict[UUID, Any] = field(default_factory=dict)
    # What was begun before any example, and how many of Security had approved it.
    approved: dict[UUID, int] = field(default_factory=dict)
    began: datetime = MORNING
    _savepoint: str | None = None
    _numbers: Any = None
    _watch: Any = None
    is_changed: bool = True

    @property
    def pristine(self) -> Path:
        return self.repository.with_name("pristine")

    def shift(self, delta: timedelta = MOMENT) -> None:
        """Let time pass, here and in the database."""
        self.clock.shift(delta)
        self.tell()

    def tell(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('machine.clock', %s, false)", [datetime.now(UTC).isoformat()])

    def keep(self) -> None:
        """Remember everything as it is for every example."""
        shutil.copytree(self.repository, self.pristine)
        self.selves = selves()
        self.began = datetime.now(UTC) + timedelta(hours=1)

    def begin(self) -> None:
        """Start an example: files and rows as they were kept, the same hour."""
        shutil.rmtree(self.repository)
        shutil.copytree(self.pristine, self.repository)
        cache.clear()
        self._savepoint = transaction.savepoint()
        self.clock.move_to(self.began)
        self.tell()
        # Rows of one moment are told apart by their number: else the disk's order would decide.
        numbers = map(UUID, (f"{number:032x}" for number in itertools.count(1)))
        self._numbers = mock.patch.object(queue, "uuid4", side_effect=numbers)
        self._numbers.start()
        self._watch = connection.execute_wrapper(self._see)
        self._watch.__enter__()

    def end(self) -> None:
        """Forget what the example did."""
        if self._savepoint is not None:
            self._numbers.stop()
            self._watch.__exit__(None, None, None)
            transaction.savepoint_rollback(self._savepoint)
            self._savepoint = None

    def _see(self, execute: Any, sql: str, *rest: Any) -> Any:
        self.is_changed |= sql.startswith(("INSERT", "UPDATE", "DELETE"))
        return execute(sql, *rest)

    def user(self, name: str) -> User:
        """An account by its part in the play, read afresh."""
        return User.objects.get(pk=self.cast[name].pk)

    def seated(self, which: int) -> tuple[str, SecurityMember]:
        """One of those who sit in Security now."""
        seats = {seat.user_id: seat for seat in SecurityMember.objects.filter(until=None)}
        held = [(name, seats[user.pk]) for name, user in self.cast.items() if user.pk in seats]
        return held[which % len(held)]

    def folder(self, job: Job) -> Path:
        return self.repository / str(job.pk)


def selves() -> dict[UUID, Any]:
    """What makes each account the one it is."""
    rows = User.objects.order_by("pk", "authenticator__pk")
    found: dict[UUID, Any] = {}
    for pk, *whose in rows.values_list(
        "pk", "person", "password", "email", "is_human", "authenticator__data"
    ):
        found.setdefault(pk, []).append(whose)
    return found
