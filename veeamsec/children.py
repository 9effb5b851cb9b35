"""The processes that the supervisor keeps alive, and what each may know."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from veeamsec.environment import syslog
from veeamsec.home import Home
from veeamsec.servers import dies_with_parent

PROJECT = Path(__file__).resolve().parent.parent
# A child that dies at once is started again later and later.
BACKOFF_SECONDS = (1, 2, 4, 8, 15, 30, 60)
STEADY_SECONDS = 60
LOG_BYTES = 10_000_000


@dataclass
class Child:
    """One process: how it starts, how it is asked to end, and how often it died."""

    name: str
    start: Callable[[], subprocess.Popen[bytes]]
    # Children of one stage end together; a later stage ends before an earlier one.
    stage: int
    ends_by: signal.Signals = signal.SIGTERM
    patience: float = 15
    # A server that is killed recovers, but slowly; its end in order takes a moment.
    may_hurry: bool = True
    process: subprocess.Popen[bytes] | None = None
    asked: bool = False
    started: float = 0
    deaths: int = 0
    due: float = field(default=0)

    def launch(self) -> None:
        """Start it now."""
        self.process = self.start()
        self.started = time.monotonic()

    def died(self) -> int | None:
        """The exit code of a process that ended unasked, told once; it is due again after a pause."""
        if self.process is None or (code := self.process.poll()) is None:
            return None
        if time.monotonic() - self.started > STEADY_SECONDS:
            self.deaths = 0
        self.due = time.monotonic() + BACKOFF_SECONDS[min(self.deaths, len(BACKOFF_SECONDS) - 1)]
        self.deaths += 1
        self.process = None
        return code

    def ask_to_end(self) -> None:
        """Send the signal that ends it in order, once."""
        if self.process is not None and not self.asked:
            self.asked = True
            self.process.send_signal(self.ends_by)

    def end(self, *, at_once: Callable[[], bool]) -> None:
        """Ask it to end, wait, and kill its whole group when it does not or when `at_once` says so."""
        if self.process is None or self.process.poll() is not None:
            return
        self.ask_to_end()
        until = time.monotonic() + self.patience
        while self.process.poll() is None and time.monotonic() < until:
            if self.may_hurry and at_once():
                break
            time.sleep(0.05)
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(5)


@dataclass(frozen=True)
class Command:
    """How one Python process is started: its name, its stage, its role, its arguments."""

    name: str
    stage: int
    process: str
    arguments: tuple[str, ...]


def commands(*, bind: str, schedule: Path) -> list[Command]:
    """Workers, web, beat and receiver in the order in which they start; the web listens on `bind`."""
    celery = ("-m", "celery", "-A", "veeamsec")
    worker = (*celery, "worker", "--without-gossip", "--without-mingle", "--loglevel=INFO", "--pool=prefork")
    gunicorn = ("-m", "gunicorn", "veeamsec.wsgi:application", "--config=python:veeamsec.gunicorn_conf")
    beat = (*celery, "beat", "--loglevel=WARNING", f"-s{schedule}", "--pidfile=")
    return [
        Command("worker-execute", 3, "worker", (*worker, "-Q", "execute", "-c", "1", "-n", "execute@%h")),
        Command("worker-data", 3, "worker", (*worker, "-Q", "data", "-c", "2", "-n", "data@%h")),
        Command(
            "worker-enterprise",
            3,
            "enterprise",
            (*worker, "-Q", "enterprise", "-c", "1", "-n", "enterprise@%h"),
        ),
        Command("web", 4, "web", (*gunicorn, f"--bind={bind}")),
        Command("beat", 4, "beat", beat),
        Command("receiver", 4, "receiver", ("manage.py", "receive_events")),
    ]


def python_children(home: Home, port: int, origin: str) -> list[Child]:
    """Workers, web, beat and receiver in the order in which they start."""

    def child(one: Command) -> Child:
        return Child(one.name, lambda: spawn(home, one.name, one.process, origin, one.arguments), one.stage)

    found = commands(bind=f"127.0.0.1:{port}", schedule=home.path / "beat-schedule")
    return [child(one) for one in found if one.name != "receiver" or listens()]


def listens() -> bool:
    """Whether any port is named at which the receiver of events would listen."""
    return any(port for name, port in syslog().items() if name != "address")


def spawn(
    home: Home, name: str, process: str, origin: str, arguments: Iterable[str]
) -> subprocess.Popen[bytes]:
    """Start this Python with `arguments` in one process role; its output goes to a log of its own."""
    with open_log(home, name) as log:
        return subprocess.Popen(
            [sys.executable, *arguments],
            cwd=PROJECT,
            env=environment(home, process, origin),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=dies_with_parent(signal.SIGTERM),
        )


def environment(home: Home, process: str, origin: str) -> dict[str, str]:
    """The environment of a child: ours, without the credentials that only `setup` may see."""
    told = dict(os.environ)
    if "@" in told.get("DATABASE_URL", "") and process != "owner":
        scheme, _, rest = told["DATABASE_URL"].partition("://")
        told["DATABASE_URL"] = f"{scheme}://{rest.rpartition('@')[2]}"
    return told | {
        "VEEAMSEC_HOME": str(home.path),
        "VEEAMSEC_PROCESS": process,
        "VEEAMSEC_ORIGIN": origin,
        "PYTHONUNBUFFERED": "1",
    }


def open_log(home: Home, name: str) -> BinaryIO:
    """The log of one child, put aside once when it has grown."""
    path = home.logs / f"{name}.log"
    if path.exists() and path.stat().st_size > LOG_BYTES:
        path.replace(path.with_suffix(".log.1"))
    return path.open("ab")
