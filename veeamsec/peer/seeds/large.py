"""As many jobs and restore points as are asked for, to measure with."""

from datetime import timedelta

from veeamsec.peer import encryption
from veeamsec.peer.installation import Installation
from veeamsec.peer.points import numbers
from veeamsec.peer.seeds import ground
from veeamsec.peer.shapes import job

_PASSWORDS = 20
_HOURS = 4


def large(at: Installation, *, jobs: int = 1_000, points: int = 200_000) -> None:
    """Fill an installation: `jobs` jobs of one machine each, which share the points."""
    ground.people(at)
    ground.practices(at)
    place = ground.repository(at, "LinuxHardened", "Hardened Repository", 900_000, 400_000)
    now = at.clock.now()
    each, more = divmod(points, jobs)
    span = (each + 1) * timedelta(hours=_HOURS)
    passwords = [
        at.add_password(f"Password {number:02}", now - span / (number + 2)) for number in range(_PASSWORDS)
    ]
    ground.configuration(at, place, passwords[0].id)
    keys: list[int] = []
    for number in range(jobs):
        named = passwords[number % _PASSWORDS]
        # Every tenth is not encrypted.
        block = encryption.by_password(named.id, named.unique_id) if number % 10 else None
        name = f"Job {number:05}"
        model = job("VSphereBackup", name, place, guests=[f"vm{number:05}"], block=block)
        made = at.add_job(model, place, [f"vm{number:05}"], now - span, 20 << 30)
        first = now - span + timedelta(seconds=number)
        count = each + (number < more)
        keys.extend(numbers(made.series[0], first, timedelta(hours=_HOURS), count))
    at.points.extend(keys)
