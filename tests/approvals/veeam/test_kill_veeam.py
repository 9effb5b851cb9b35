"""P11: killed before or after every call to Veeam and at every commit of a step, one after the other."""

import itertools
import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connections
from django.db.backends.postgresql.base import DatabaseWrapper
from django.utils import timezone

from approvals.models import State
from approvals.services import attesting, execution
from encryption.crypto.secret import Secret
from encryption.engines.veeam.wire import Wire
from encryption.models import Drift, RekeyJob, VeeamPassword, VeeamServer
from encryption.services import steps
from encryption.services.veeam import imports, servers
from tests.approvals.conftest import approve, work
from tests.approvals.veeam.conftest import OTHER, SECRET, ask_for, job_named, the_password
from veeamsec.peer import Peer, serve

__all__ = ["ask_for"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

MOST_CALLS = 60


@pytest.fixture
def peer() -> Iterator[Peer]:
    cache.clear()
    with serve() as found:
        yield found


@pytest.fixture
def server(people, roster, peer) -> VeeamServer:
    """The peer, connected and read."""
    row = servers.connect(
        by=people.administrator,
        name="Main",
        address=peer.address,
        port=peer.port,
        account=peer.account.name,
        thumbprint=peer.thumbprint,
        password=Secret(peer.account.password.encode()),
    )
    imports.run_import(row.pk)
    row.refresh_from_db()
    assert row.error == ""
    return row


def killed_at(number: int, work: Callable[[], object]) -> bool:
    """Run `work` in a child that dies at its n-th such place; False when it got through."""
    connections.close_all()
    child = os.fork()
    if child == 0:
        remaining = itertools.count(number, -1)
        for owner, name in ((Wire, "send"), (DatabaseWrapper, "_commit")):
            _count_down(owner, name, lambda: next(remaining))
        try:
            work()
        except BaseException:
            os._exit(4)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return True
    assert os.WEXITSTATUS(status) == 0
    return False


def _count_down(owner: Any, name: str, left: Callable[[], int]) -> None:
    real = getattr(owner, name)

    def counted(*arguments: Any, **named: Any) -> Any:
        if left() <= 0:
            os.kill(os.getpid(), signal.SIGKILL)
        answer = real(*arguments, **named)
        # Veeam has done it, and nobody here heard.
        if left() <= 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    setattr(owner, name, counted)


def started(request):
    execution.execute(request.pk)
    request.refresh_from_db()
    assert request.state == State.APPROVED
    return request.rekey.steps.get()


@pytest.mark.parametrize("start", [1, 2, 3])
def test_activation_killed_anywhere_makes_one_password(people, peer, server, ask_for, start):
    """P11: the next worker ends the step; there is one password, with one value, and the job has it."""
    before = set(peer.control.at.passwords)
    request = ask_for("activate_encryption", "Test VMs", new_password=SECRET, hint="Tests")
    step = started(approve(people.dpo, request))
    deaths = 0
    for number in range(start, MOST_CALLS, 3):
        killed = killed_at(number, lambda: steps.run_step(step.pk))
        deaths += killed
        if not killed:
            break
        RekeyJob.objects.filter(state="running").update(lease_until=timezone.now())
    step.refresh_from_db()
    assert (step.state, deaths >= 5) == ("succeeded", True)
    [made] = set(peer.control.at.passwords) - before
    assert peer.control.at.passwords[made].value == SECRET
    assert the_password(job_named("Test VMs")) == VeeamPassword.objects.get(external=made).password


def test_change_killed_anywhere_is_sent_once_or_found(people, peer, server, ask_for):
    """P11: a value is sent again only where Veeam does not have it; a wrong one is never tried."""
    request = ask_for("activate_encryption", "Test VMs", new_password=SECRET, hint="Tests")
    work(approve(people.dpo, request))
    password = the_password(job_named("Test VMs"))
    request = ask_for("change_password", encryption_password=password.pk, new_password=OTHER)
    step = started(approve(people.ciso, request))
    for number in itertools.count(1):
        if not killed_at(number, lambda: steps.run_step(step.pk)):
            break
        RekeyJob.objects.filter(state="running").update(lease_until=timezone.now())
    step.refresh_from_db()
    assert step.state == "succeeded"
    there = peer.control.at.passwords[str(VeeamPassword.objects.get(password=password).external)]
    assert (there.value, len(there.wrong)) == (OTHER, 0)
    imports.run_import(server.pk)
    assert not Drift.objects.exclude(what__in=Drift.GAPS).filter(closed_at=None).exists()


def test_steps_at_once_make_one_password_and_change_it_once(people, peer, server, ask_for):
    """P11: workers wait for one another at a password, not at the jobs."""
    names = ["Test VMs", "Cloud Director", "Linux Servers", "Linux Laptops", "Buckets", "HR Copy"]
    before = set(peer.control.at.passwords)
    request = ask_for("activate_encryption", *names, new_password=SECRET, hint="Tests")
    assert at_once(approve(people.dpo, request)) == ["done"] * 6
    [made] = set(peer.control.at.passwords) - before
    password = the_password(job_named("Test VMs"))
    request = ask_for("change_password", encryption_password=password.pk, new_password=OTHER)
    assert at_once(approve(people.ciso, request)) == ["done"] * 6
    assert sum(seen.path.endswith("/changepassword") for seen in peer.control.seen) == 1
    assert peer.control.at.passwords[made].value == OTHER


def at_once(request) -> list[str]:
    """Execute a request, and do its steps with several workers at a time."""
    execution.execute(request.pk)
    request.refresh_from_db()

    def deliver(step) -> str:
        try:
            steps.run_step(step.pk)
        finally:
            connections.close_all()
        return "done"

    with ThreadPoolExecutor(4) as workers:
        answers = [
            one.result() for one in [workers.submit(deliver, step) for step in request.rekey.steps.all()]
        ]
    attesting.rekey_ended(request.rekey_id)
    return answers
