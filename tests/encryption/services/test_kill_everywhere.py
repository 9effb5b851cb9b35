"""P11: killed at every sync, rename, lock and commit of a step, one after the other."""

import fcntl
import itertools
import os
import signal
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections
from django.db.backends.postgresql.base import DatabaseWrapper

from encryption import selectors
from encryption.engines.registry import engine_for
from encryption.models import RekeyJob
from encryption.services import steps, vault
from tests.encryption.conftest import Bench
from tests.encryption.services.test_kill import bench, lapse

assert bench

PLACES = ((os, "fsync"), (os, "rename"), (os, "unlink"), (fcntl, "flock"), (DatabaseWrapper, "_commit"))


def count_down(owner: Any, name: str, left: Callable[[], int]) -> None:
    """Let a call go through until the countdown ends there."""
    real = getattr(owner, name)

    def counted(*arguments: Any, **named: Any) -> Any:
        if left() <= 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*arguments, **named)

    setattr(owner, name, counted)


def killed_at(number: int, work: Callable[[], object]) -> bool:
    """Run `work` in a child that dies at its n-th such call; False when it got through."""
    connections.close_all()
    child = os.fork()
    if child == 0:
        remaining = itertools.count(number, -1)
        for owner, name in PLACES:
            count_down(owner, name, lambda: next(remaining))
        try:
            work()
        except BaseException:
            os._exit(4)
        connections.close_all()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return True
    assert os.WEXITSTATUS(status) == 0
    return False


def one_version_opens(bench: Bench, versions: list[Any]) -> bool:
    """Whether exactly one of the versions opens the whole keyring, and every line of it."""
    engine = engine_for(bench.repository)
    head = engine.head(bench.job.pk)
    assert head is not None
    opening = [root for version in versions if head.commits_to(root := vault.root_of(version))]
    return len(opening) == 1 and not engine.observe(bench.job.pk, lambda _head: opening[0]).damage


@pytest.mark.django_db(transaction=True)
def test_killed_at_every_call(bench):
    """P11: whatever the instant, one password opens everything, and the next worker ends the step."""
    bench.run()
    deaths = 0
    for number in itertools.count(1):
        former = selectors.current_version(bench.job.pk)
        rekey = bench.order("change", f"grove-Lantern-{number}-harbour-winter")
        step = rekey.steps.get()
        killed = killed_at(number, lambda step=step: steps.run_step(step.pk))
        assert one_version_opens(bench, [former, rekey.version]), number
        lapse(RekeyJob)
        steps.run_step(step.pk)
        step.refresh_from_db()
        assert step.state == "succeeded", number
        deaths += killed
        if not killed:
            break
    assert deaths >= 10
