"""P1 to P14 under whatever everybody does: 160 examples, and 10,000 by `make machine-long`."""

import os
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
import time_machine
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from accounts.models import Role
from approvals.services import requests
from encryption.models import Job, Repository
from tests.accounts import factories
from tests.approvals.conftest import approve, people, roster, run, transactional, wish, work
from tests.machine.machine import House
from tests.machine.world import MORNING, NEWCOMERS, World, hand_the_clock_over

assert people, (roster, transactional)

# The same ones each time, so that a change is judged by what it changed; in two halves for two cores.
FEW = "MACHINE_EXAMPLES" not in os.environ
EXAMPLES = int(os.environ.get("MACHINE_EXAMPLES", "160")) // 2
STEPS = int(os.environ.get("MACHINE_STEPS", "8"))
SETTINGS = settings(
    max_examples=EXAMPLES,
    stateful_step_count=STEPS,
    deadline=None,
    database=None,
    print_blob=not FEW,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)

# What each half must have come to.
REACHED = ("approved", "began change_policy", "suspended")

pytestmark = pytest.mark.django_db


@pytest.fixture
def empty_world(transactional):
    """A world with a clock of its own, before anybody is in it."""
    with time_machine.travel(MORNING, tick=False) as clock:
        world = World(clock)
        hand_the_clock_over()
        world.tell()
        yield world


@pytest.fixture
def world(empty_world, people, roster, vsec_home, tmp_path) -> World:
    """The house with everybody; the first of its two jobs has a badge and two restore points."""
    newcomers = {name: factories.make_user(name, role=Role.AUDITOR) for name in NEWCOMERS}
    for user in newcomers.values():
        factories.add_totp(user)
    made = factories.make_user("junior", role=Role.OPERATOR, created_by=people.administrator)
    empty_world.cast = vars(people) | newcomers | {"junior": made}
    empty_world.repository = vsec_home.path / "repositories" / "one"
    empty_world.repository.mkdir(parents=True)
    hall = Repository.objects.create(name="Hall", location=str(empty_world.repository))
    empty_world.jobs = [
        make_job(number, name, hall, tmp_path / name) for number, name in enumerate(("Badged", "Plain"))
    ]
    give_a_badge(empty_world)
    empty_world.keep()
    return empty_world


def make_job(number: int, name: str, repository: Repository, source: Path) -> Job:
    """A job under a known id: what is done in the order of ids is done in the same one each time."""
    source.mkdir()
    (source / "a.txt").write_text("alpha")
    return Job.objects.create(id=UUID(int=number + 1), name=name, repository=repository, source=str(source))


def give_a_badge(world: World) -> None:
    asked = requests.ask("activate_encryption", by=world.cast["operator"], **wish(world.jobs[0]))
    world.shift()
    work(approve(world.cast["dpo"], asked))
    world.approved[asked.pk] = 1
    for _ in range(2):
        world.shift(timedelta(minutes=1))
        run(world.jobs[0])


@pytest.mark.slow
@pytest.mark.parametrize("half", [1, 2])
def test_the_promises_hold_whatever_happens(world, half):
    """P1, P2, P3, P4, P5, P6, P7, P8, P9, P10, P11, P12, P13, P14"""
    House.world = world
    House.reached.clear()
    run_state_machine_as_test(seed(half)(House) if FEW else House, settings=SETTINGS)
    # A house in which nobody is let do anything would keep every promise.
    missing = {name for name in REACHED if not House.reached[name]}
    assert EXAMPLES < 50 or not missing, f"never reached: {missing}"
