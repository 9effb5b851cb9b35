"""A process of its own that works as a worker does, and comes to harm at a place named beforehand.

It wraps what reaches the disk (`os.fsync`, `os.rename`, `os.replace`, `os.write`), the database's commits and
marks of progress, counts them, and at the n-th kills itself or fails as a disk does.
"""

import faulthandler
import os
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import celery
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from encryption.crypto.wrap import KeyWrapper
from encryption.engines.native.part import Part

# What a place is called, and what is wrapped for it. A rename counts whatever it is spelled as.
PLACES: dict[str, tuple[tuple[Any, str], ...]] = {
    "fsync": ((os, "fsync"),),
    "rename": ((os, "rename"), (os, "replace")),
    "link": ((os, "link"), (os, "unlink")),
    "commit": ((BaseDatabaseWrapper, "_commit"),),
    "write": ((Part, "write"),),
    # Between two of them a re-key only thinks: whatever a kill within leaves, one between them leaves too.
    "lines": tuple((KeyWrapper, name) for name in ("wrap", "unwrap", "wrap_many", "unwrap_many", "opened")),
}
DONE, BROKE = 0, 3


@dataclass(frozen=True)
class Fault:
    """What happens at the n-th call of a place: a kill, or with `errno` a failure of the disk."""

    place: str
    number: int
    errno: int | None = None
    # A kill after the call did its work, where the order matters to somebody.
    after: bool = False

    def strike(self) -> None:
        if self.errno is not None:
            raise OSError(self.errno, os.strerror(self.errno))
        os.kill(os.getpid(), signal.SIGKILL)


@contextmanager
def wrapped(place: str, fault: Fault | None, seen: Counter[str]) -> Iterator[None]:
    """Count every call of a place, and let the fault strike at its n-th."""
    former = [(owner, name, getattr(owner, name)) for owner, name in PLACES[place]]

    def counting(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **named: Any) -> Any:
            seen[place] += 1
            struck = fault is not None and fault.number == seen[place]
            if struck and not fault.after:
                fault.strike()
            result = real(*args, **named)
            if struck and fault.after:
                fault.strike()
            return result

        return call

    for owner, name, real in former:
        setattr(owner, name, counting(real))
    try:
        yield
    finally:
        for owner, name, real in former:
            setattr(owner, name, real)


def killed(work: Callable[[], object], fault: Fault) -> bool:
    """Do `work` in a process of its own; whether the fault killed it. Fails when it broke in another way."""
    child = _fork(work, fault)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.waitstatus_to_exitcode(status) == DONE, "the child broke; its traceback is on stderr"
    return False


def _fork(work: Callable[[], object], fault: Fault) -> int:
    connections.close_all()
    sys.stderr.flush()
    child = os.fork()
    if child:
        return child
    try:
        celery.current_app._after_fork()
        with wrapped(fault.place, fault, Counter()):
            work()
    except BaseException:
        sys.excepthook(*sys.exc_info())
        os._exit(BROKE)
    finally:
        faulthandler.disable()
        os._exit(DONE)


def count(place: str, work: Callable[[], object]) -> int:
    """Do `work` here and say how often it came to a place."""
    seen: Counter[str] = Counter()
    with wrapped(place, None, seen):
        work()
    return seen[place]
