"""Backup and restore beside cp + fsync, restic and age: random data, which nothing can shrink."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

from bench.children import ours, shell
from bench.table import Line, Run, interleaved

MIB = 1 << 20
ROUNDS = 3
JOB = str(UUID(int=7))
RESTIC = {"RESTIC_PASSWORD": "bench-amber-basalt-cedar", "RESTIC_PROGRESS_FPS": "0"}
NAMES = {"cp": "cp + fsync", "restic": "restic, compression off", "age": "tar | age"}


def measure(folder: Path, size: int) -> list[Line]:
    """Every figure for `size` MiB under `folder`."""
    source = make_source(folder / "source", size)
    backups: dict[str, Callable[[], Run]] = {
        "ours": lambda: _ours_backup(folder, source),
        "cp": lambda: _fresh(folder / "cp", f"cp -R {source} $TO; sync -f $TO"),
    }
    restores: dict[str, Callable[[], Run]] = {
        "ours": lambda: _ours_restore(folder),
        "cp": lambda: _fresh(folder / "cp.back", f"cp -R {folder}/cp $TO; sync -f $TO"),
    }
    if shutil.which("restic"):
        back = f"restic -q -r {folder}/restic --no-cache restore latest --target $TO; sync -f $TO"
        backups["restic"] = lambda: _restic_backup(folder, source)
        restores["restic"] = lambda: _fresh(folder / "restic.back", back, **RESTIC)
    if shutil.which("age"):
        opened = f"mkdir $TO; age -d -i {folder}/age.key {folder}/age | tar xf - -C $TO; sync -f $TO"
        backups["age"] = lambda: _age_backup(folder, source)
        restores["age"] = lambda: _fresh(folder / "age.back", opened)
    goals = {"cp": ">= 0.5", "restic": ">= 2"}
    return _lines("backup", size, interleaved(ROUNDS, backups), goals) + _lines(
        "restore", size, interleaved(ROUNDS, restores), {}
    )


def make_source(folder: Path, size: int) -> Path:
    """Files of random bytes: three quarters in files of 16 MiB, the rest in files of 64 KiB."""
    folder.mkdir(parents=True)
    for number in range(size * 3 // 4 // 16):
        (folder / f"large-{number:04}").write_bytes(os.urandom(16 * MIB))
    for number in range(size // 4 * 16):
        place = folder / f"{number // 256:03}"
        place.mkdir(exist_ok=True)
        (place / f"small-{number:06}").write_bytes(os.urandom(MIB // 16))
    os.sync()
    return folder


def _ours_backup(folder: Path, source: Path) -> Run:
    shutil.rmtree(folder / JOB, ignore_errors=True)
    # As restic's init: neither is part of a backup.
    ours("activate", str(folder / JOB))
    return ours("backup", str(folder / JOB), str(source))


def _ours_restore(folder: Path) -> Run:
    shutil.rmtree(folder / "back", ignore_errors=True)
    return ours("restore", str(folder / JOB), str(folder / "back"))


def _restic_backup(folder: Path, source: Path) -> Run:
    shutil.rmtree(folder / "restic", ignore_errors=True)
    shell(f"restic -q init -r {folder}/restic --repository-version 2", **RESTIC)
    command = f"restic -q -r {folder}/restic --no-cache --compression off backup {source}; sync -f {folder}"
    return shell(command, **RESTIC)


def _age_backup(folder: Path, source: Path) -> Run:
    key = folder / "age.key"
    if not key.exists():
        shell(f"age-keygen -o {key}")
    to = f"age -r $(age-keygen -y {key}) -o {folder}/age"
    return shell(f"tar cf - -C {source} . | {to}; sync -f {folder}/age")


def _fresh(to: Path, script: str, **more: str) -> Run:
    shutil.rmtree(to, ignore_errors=True)
    return shell(script, TO=str(to), **more)


def _lines(what: str, size: int, found: dict[str, Run], goals: dict[str, str]) -> list[Line]:
    seconds, peak, cpu = found.pop("ours")
    lines = []
    for peer, theirs in found.items():
        told = f"{NAMES[peer]}: {size / theirs.seconds:,.0f}; CPU {cpu:.1f} s, theirs {theirs.cpu:.1f} s"
        ratio = theirs.seconds / seconds
        lines.append(
            Line(f"{what} of random data", size / seconds, "MiB/s", told, ratio, goals.get(peer, ""))
        )
    return [*lines, Line(f"{what}, peak memory", peak, "MiB", "", None, "< 200")]
