"""Private PostgreSQL and Valkey for one home, on Unix sockets; they die with whoever started them."""

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import psycopg
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from veeamsec.home import ROOTS_FOLDER, Home, HomeError, password_of
from veeamsec.programs import Runner, make_passable, postgres_folder, runner, valkey_server

START_SECONDS = 30
PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


class ServerFailed(Exception):
    """A private server did not start; the text names its log."""


def dies_with_parent(sign: signal.Signals) -> Callable[[], None]:
    """A preexec function: the kernel sends `sign` to the child when this process ends, even by SIGKILL."""
    parent = os.getpid()

    def arrange() -> None:
        die_with_parent(sign)
        if os.getppid() != parent:  # it ended before the kernel knew
            os.kill(os.getpid(), signal.SIGKILL)

    return arrange


def die_with_parent(sign: signal.Signals) -> None:
    """Ask the kernel to send this process `sign` when its parent ends. Nothing where it cannot."""
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, int(sign), 0, 0, 0)


def start_postgres(home: Home, *, durable: bool = True) -> subprocess.Popen[bytes]:
    """Start PostgreSQL (made at first) and return once it answers. Not durable: for tests, without fsync."""
    who, data = runner(), home.data / "postgres"
    make_folders(home, who)
    programs = postgres_folder(data)
    if not (data / "PG_VERSION").exists():
        _initialise(home, programs, data, who)
    _stop_orphan(home, data / "postmaster.pid")
    settings = {
        "listen_addresses": "",
        "unix_socket_directories": str(home.sockets),
        "unix_socket_permissions": "0700",
        "max_connections": "80",
        "log_statement": "none",
        # A statement in an error's log line may hold what a person typed.
        "log_min_error_statement": "panic",
        "log_parameter_max_length_on_error": "0",
    }
    if not durable:
        settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    command = [str(programs / "postgres"), "-D", str(data), *options]
    server = _start(home, "postgres", command, who, signal.SIGINT)
    _wait(
        server,
        lambda: psycopg.connect(**superuser(home), connect_timeout=2).close(),
        home.logs / "postgres.log",
    )
    return server


def start_valkey(home: Home) -> subprocess.Popen[bytes]:
    """Start a Redis-compatible server that keeps nothing on disk and return once it answers."""
    who, path = runner(), home.sockets / "valkey.sock"
    make_folders(home, who)
    with contextlib.suppress(redis.exceptions.ConnectionError):
        _valkey(path).shutdown(nosave=True)
    path.unlink(missing_ok=True)
    options = {"port": "0", "unixsocket": str(path), "unixsocketperm": "700", "save": "", "appendonly": "no"}
    options |= {"dir": str(home.data / "valkey"), "daemonize": "no", "maxmemory": "256mb"}
    command = [
        str(valkey_server()),
        *(part for name, value in options.items() for part in (f"--{name}", value)),
    ]
    server = _start(home, "valkey", command, who, signal.SIGTERM)
    _wait(server, lambda: _valkey(path).ping(), home.logs / "valkey.log")
    return server


def _valkey(path: Path) -> redis.Redis:
    # The client's own retries would wait for seconds; the caller asks again.
    return redis.Redis(unix_socket_path=str(path), retry=Retry(NoBackoff(), 0))


def superuser(home: Home) -> dict[str, Any]:
    """Connection arguments of the private server's superuser, to its own database."""
    return {
        "host": str(home.sockets),
        "user": "postgres",
        "dbname": "postgres",
        "passfile": str(home.passfile("owner")),
    }


def stop(server: subprocess.Popen[bytes], sign: signal.Signals, seconds: float = 20) -> None:
    """End a server in order; kill it when it does not end in time."""
    if server.poll() is None:
        server.send_signal(sign)
        try:
            server.wait(seconds)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait(5)


@contextlib.contextmanager
def running(home: Home, *, durable: bool = True) -> Iterator[None]:
    """Both private servers for the time of a block."""
    postgres = start_postgres(home, durable=durable)
    try:
        valkey = start_valkey(home)
        try:
            yield
        finally:
            stop(valkey, signal.SIGTERM)
    finally:
        stop(postgres, signal.SIGINT)


def answers(home: Home) -> bool:
    """Whether the private PostgreSQL of this home runs."""
    try:
        psycopg.connect(**superuser(home), connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def forget(home: Home) -> None:
    """Remove the data of a home's private servers (they must not run); the home itself stays."""
    folders = {home.data, home.sockets}
    if home.data.is_relative_to(ROOTS_FOLDER):
        folders = {home.data.parent}
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def make_folders(home: Home, who: Runner) -> None:
    """The folders of data and sockets, 0700, owned by the user that servers run as. Raises HomeError."""
    for folder in (home.data / "postgres", home.data / "valkey", home.sockets):
        make_passable(folder.parent)
        if not folder.exists():
            folder.mkdir(mode=0o700)
            who.own(folder)
        found = folder.lstat()
        if found.st_uid != who.uid or found.st_mode & 0o077 or folder.is_symlink():
            raise HomeError(
                f"{folder} is not a private folder of the user that runs the servers; move it away."
            )


def _initialise(home: Home, programs: Path, data: Path, who: Runner) -> None:
    with tempfile.NamedTemporaryFile("w", dir=home.data / "valkey", delete=False) as file:
        file.write(password_of(home.passfile("owner"), "postgres"))
        # By the open file: in a folder of the other user, its name may be another file's by now.
        who.own(file.fileno())
    password = Path(file.name)
    command = [
        programs / "initdb",
        "-D",
        data,
        "--username=postgres",
        f"--pwfile={password}",
        "--encoding=UTF8",
    ]
    command += ["--no-locale", "--auth-local=scram-sha-256", "--auth-host=reject", "--no-instructions"]
    try:
        made = subprocess.run(  # type: ignore[call-overload]
            command,
            capture_output=True,
            text=True,
            cwd="/",
            timeout=120,
            check=False,
            **who.popen_arguments(),
        )
    finally:
        password.unlink()
    if made.returncode:
        shutil.rmtree(data, ignore_errors=True)
        raise ServerFailed(f"initdb: {made.stderr.strip()[-500:]}")


def _start(
    home: Home, name: str, command: list[str], who: Runner, sign: signal.Signals
) -> subprocess.Popen[bytes]:
    with (home.logs / f"{name}.log").open("ab") as log:
        return _popen(command, log, who, sign)


def _popen(command: list[str], log: IO[bytes], who: Runner, sign: signal.Signals) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # type: ignore[call-overload, no-any-return]
        command,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        cwd="/",
        env={"PATH": os.defpath, "LC_ALL": "C"},
        # Ctrl-C belongs to the supervisor, which ends the servers last.
        start_new_session=True,
        preexec_fn=dies_with_parent(sign),
        **who.popen_arguments(),
    )


def _wait(server: subprocess.Popen[bytes], ask: Callable[[], object], log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while True:
        try:
            ask()
            return
        except (psycopg.OperationalError, redis.exceptions.ConnectionError) as error:
            if server.poll() is not None or time.monotonic() > until:
                stop(server, signal.SIGKILL)
                raise ServerFailed(f"{error}; see {log}") from error
            time.sleep(0.05)


def _runs_as(pid: int, who: Runner) -> bool:
    # Elsewhere than on Linux servers run as this very user, who can signal only its own processes.
    process = Path(f"/proc/{pid}")
    return pid > 1 and (not process.exists() or process.stat().st_uid == who.uid)


def _stop_orphan(home: Home, pidfile: Path) -> None:
    """End a PostgreSQL that outlived its supervisor (where the kernel cannot); we hold the home's lock."""
    if not answers(home):
        return
    pid = int(pidfile.read_text().splitlines()[0])
    if not _runs_as(pid, runner()):
        raise ServerFailed(f"{pidfile} names process {pid}, which is no server of ours; look who wrote it")
    os.kill(pid, signal.SIGINT)
    for _ in range(100):
        time.sleep(0.1)
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
    raise ServerFailed(f"process {pid} still holds {pidfile.parent}")
