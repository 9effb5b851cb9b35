"""How the demo speaks: one numbered line a step, with its time; a promise that does not hold ends it."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from veeamsec.demo.client import Answer, DemoFailed

T = TypeVar("T")

PATIENCE = 120  # seconds for one thing to happen; a healthy machine needs a few


@dataclass
class Teller:
    """Writes the story to the console."""

    began: float = field(default_factory=time.monotonic)
    steps: int = 0

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Tell a step, and how long it took."""
        self.steps += 1
        started = time.monotonic()
        sys.stdout.write(f"\n{self.steps:2}. {title}\n")
        yield
        sys.stdout.write(f"    done in {time.monotonic() - started:.1f} s\n")
        sys.stdout.flush()

    def say(self, text: str) -> None:
        """Tell one detail."""
        sys.stdout.write(f"    {text}\n")
        sys.stdout.flush()

    @property
    def seconds(self) -> float:
        """Since the beginning."""
        return time.monotonic() - self.began


def expect(answer: Answer, *statuses: int) -> Any:
    """The body of an answer with one of these statuses; DemoFailed for any other."""
    if answer.status not in statuses:
        raise DemoFailed(f"{answer.url} answered {answer.status}: {answer.text[:600]}")
    return answer.json if answer.text else None


def refused(answer: Answer, code: str) -> str:
    """The plain words of a refusal of this code; DemoFailed for anything else."""
    if answer.status < 400 or answer.json.get("code") != code:
        raise DemoFailed(f"{answer.url} should refuse with {code}: {answer.status} {answer.text[:600]}")
    return str(answer.json.get("detail", code))


def wait_for(what: str, look: Callable[[], T | None], patience: float = PATIENCE) -> T:
    """What `look` finds, once it finds something; DemoFailed when it never does."""
    until = time.monotonic() + patience
    while time.monotonic() < until:
        if (found := look()) is not None:
            return found
        time.sleep(0.2)
    raise DemoFailed(f"waited {patience:.0f} s in vain for {what}")
