"""Re-key, verification and fsync included, beside bare unwrap and wrap of as many keys."""

import os
import shutil
import time
from pathlib import Path
from uuid import UUID, uuid4

from bench.act import PARAMETERS, PASSWORD, USER_KEY
from bench.children import ours
from bench.table import Line, Run
from encryption.crypto import kdf
from encryption.crypto.wrap import KeyWrapper, associated
from encryption.engines.native import rekey
from encryption.engines.native.keyring import KeyLine

JOB = UUID(int=8)
SIZES = (10_000, 100_000, 1_000_000)


def measure(folder: Path) -> list[Line]:
    """Lines a second for each size, from the first line to the last fsync."""
    base = kdf.derive_root(PASSWORD, PARAMETERS)
    bare = max(_bare() for _ in range(3))
    lines = []
    for size in SIZES:
        best = min(_once(folder, base, size) for _ in range(3 if size < SIZES[-1] else 2))
        rate = size / best.seconds
        told = f"80,000 wanted; {size / best.cpu:,.0f} a second of CPU"
        name = f"re-key of {size:,} restore points"
        lines.append(Line(name, rate, "lines/s", told, rate / 80_000, ">= 1"))
        lines.append(Line(name, rate, "lines/s", f"bare unwrap + wrap: {bare:,.0f}", rate / bare, ">= 0.2"))
        lines.append(Line(f"{name}, peak memory", best.peak_mib, "MiB", "", None, "< 200"))
    return lines


def _once(folder: Path, base: bytes, size: int) -> Run:
    place = folder / str(JOB)
    shutil.rmtree(place, ignore_errors=True)
    make_keyring(place, base, size)
    peak = ours("rekey", str(place)).peak_mib
    seconds, cpu = map(float, place.with_suffix(".took").read_text().split())
    return Run(seconds, peak, cpu)


def make_keyring(place: Path, base: bytes, size: int) -> None:
    """A keyring of so many lines, each a real wrapped key."""
    rekey.activate(place, root=base, user_key=USER_KEY, parameters=PARAMETERS)
    wrapper = KeyWrapper(kdf.user_key(base, JOB, USER_KEY))
    with (place / "keyring").open("ab") as file:
        for _ in range(size):
            point, key = str(uuid4()), str(uuid4())
            bound = associated("storage", JOB, point, key, USER_KEY)
            file.write(KeyLine(point, key, wrapper.wrap(os.urandom(32), bound)).raw())
        file.flush()
        os.fsync(file.fileno())


def _bare() -> float:
    """Pairs of unwrap and wrap a second, in a loop that does nothing else."""
    old, new = KeyWrapper(os.urandom(32)), KeyWrapper(os.urandom(32))
    bound = associated("storage", JOB, str(uuid4()), str(uuid4()), USER_KEY)
    wrapped = old.wrap(os.urandom(32), bound)
    began = time.perf_counter()
    for _ in range(100_000):
        new.wrap(old.unwrap(wrapped, bound), bound)
    return 100_000 / (time.perf_counter() - began)
