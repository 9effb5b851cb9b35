"""Attempt, act, record: every use case stands inside one of them (STYLE.md's silhouette).

An *attempt* that is refused leaves one entry, written after the rollback in a transaction of its own. An
*act* is the durable transaction; what `record` collected becomes its last statement, so the head of the log
is held briefly and last. When the log cannot be written, the act does not happen.
"""

import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any
from uuid import UUID

from django.db import DatabaseError, connection, models, transaction

from audit import queue
from audit.errors import AuditUnavailable, Refused
from audit.events import PROMPT, Event
from audit.models import Entry
from audit.services import refusals
from audit.statement import Actor, Draft, plain

# A row, the kind of a thing with its id, an id alone, or a thing of which there is but one.
Subject = models.Model | tuple[str, UUID | str] | UUID | str | None


@dataclass
class _Act:
    by: Actor | None
    subject: Subject
    drafts: list[Draft] = field(default_factory=list)


_current: ContextVar[_Act | None] = ContextVar("audit_act", default=None)


class Attempt:
    """One try of one actor at one subject; `act()` opens the transaction in which it succeeds."""

    def __init__(self, *, by: Actor | None, subject: Subject, address: str = "") -> None:
        self.by = by
        self.subject = subject
        self.address = address

    def __enter__(self) -> "Attempt":
        # A refusal is written after the rollback: inside another transaction it would be rolled back as well.
        with transaction.atomic(durable=True):
            return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, Refused):
            self._record(error)

    @contextmanager
    def act(self) -> Iterator[None]:
        """Open the durable transaction; the entries recorded in it are its last statement."""
        with transaction.atomic(durable=True):
            act = _Act(self.by, self.subject)
            token = _current.set(act)
            try:
                yield
            finally:
                _current.reset(token)
            _write(act.drafts)

    def _record(self, error: Refused) -> None:
        facts = {**error.facts, "code": error.code, "message": error.message, "action": _use_case(error)}
        _tell(self.by, self.subject, self.address, facts)


def attempt(*, by: Actor | None, subject: Subject, address: str = "") -> Attempt:
    """Return the attempt to enter; `by` is None only for somebody unknown, who then comes from `address`."""
    return Attempt(by=by, subject=subject, address=address)


@contextmanager
def act(*, by: Actor | None, subject: Subject, address: str = "") -> Iterator[None]:
    """Open an attempt and its act in one, for a use case without step-up."""
    with Attempt(by=by, subject=subject, address=address) as opened, opened.act():
        yield


def refuse(
    *, by: Actor | None, code: str, action: str, subject: Subject = None, address: str = "", message: str = ""
) -> None:
    """Log a refusal that a door made by itself, outside any attempt; `action` names the door.

    Raises AuditUnavailable when it cannot be written, RuntimeError inside a transaction.
    """
    _tell(by, subject, address, {"code": code, "message": message, "action": action})


def record(
    event: Event,
    *,
    subject: Subject = None,
    facts: Mapping[str, Any] | None = None,
    names: Mapping[str, str] | None = None,
    by: Actor | None = None,
) -> None:
    """Add an entry to the act; actor and subject are the act's unless named.

    `facts` hold ids, numbers and words of ours, never a secret or a person's name; `names` can be erased.
    Outside an act, in the transaction of Django's admin, the entry is written at once. AuditUnavailable when
    it cannot be written, TransactionManagementError outside any transaction.
    """
    act = _current.get()
    if act is not None:
        by, subject = by or act.by, act.subject if subject is None else subject
    draft = _draft(event, by, subject, facts or {}, names or {})
    if act is not None:
        act.drafts.append(draft)
    else:
        _write([draft])


def _tell(by: Actor | None, subject: Subject, address: str, facts: Mapping[str, Any]) -> None:
    if by is None:
        refusals.count(address, plain(facts))
        return
    draft = _draft(Event.ATTEMPT_REFUSED, by, subject, facts, {})
    with transaction.atomic(durable=True):
        _write([draft])


def _draft(
    event: Event, by: Actor | None, subject: Subject, facts: Mapping[str, Any], names: Mapping[str, str]
) -> Draft:
    kind, ref = subject_of(subject)
    shown = {"actor": by.get_username()} if by is not None and by.person_id is not None else {}
    return Draft(
        event=event,
        actor=None if by is None else by.pk,
        person=None if by is None else by.person_id,
        subject_type=kind,
        subject_id=ref,
        facts=plain(facts),
        names={key: plain(name) for key, name in (shown | dict(names)).items()},
    )


def subject_of(subject: Subject) -> tuple[str, str]:
    """Return the stored kind and id of a subject."""
    if subject is None:
        return "", ""
    if isinstance(subject, models.Model):
        return subject._meta.label_lower, str(subject.pk)
    if isinstance(subject, tuple):
        return subject[0], str(subject[1])
    return (subject, "") if isinstance(subject, str) else ("id", str(subject))


def _write(drafts: list[Draft]) -> None:
    if not drafts:
        return
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("an entry belongs to the transaction of what it tells")
    try:
        Entry.objects.append(drafts)
    except (DatabaseError, ValueError) as error:
        raise AuditUnavailable("The log cannot be written, so nothing was done.") from error
    if any(draft.event in PROMPT for draft in drafts):
        queue.nudge(queue.Task.CHECKPOINT)


def _use_case(error: Refused) -> str:
    """Name the function that stood inside the attempt: the first frame that is not ours."""
    for frame, _ in traceback.walk_tb(error.__traceback__):
        module = frame.f_globals.get("__name__", "")
        if module not in (__name__, "contextlib"):
            return f"{module}.{frame.f_code.co_qualname}"
    return ""
