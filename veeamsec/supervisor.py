"""One command for everything: servers, web, workers and beat; started, kept alive and ended in order."""

import contextlib
import fcntl
import http.client
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from veeamsec import servers
from veeamsec.children import PROJECT, Child, environment, open_log, python_children
from veeamsec.home import Home, HomeError
from veeamsec.programs import ProgramMissing

READY_SECONDS = 120
# The first setting up: seconds on a desk, minutes on a machine that does much else.
SETUP_SECONDS = 600
Say = Callable[[str], None]


class CannotStart(Exception):
    """What keeps it from starting, in words for the person at the console."""


class Supervisor:
    """Everything of one home, for the time of `run`."""

    def __init__(self, home: Home, port: int, origin: str, *, say: Say = print) -> None:
        self.home, self.port, self.origin, self.say = home, port, origin, say
        self.children: list[Child] = []
        self.ends = threading.Event()
        self.hurry = threading.Event()
        self.asked = 0.0

    def run(self) -> int:
        """Serve until a signal asks to end. Returns the exit code."""
        for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(sign, self._asked_to_end)
        os.umask(0o077)
        # A core dump would hold keys.
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        try:
            with lock(self.home):
                try:
                    self._start()
                    while not self.ends.wait(0.2):
                        self._look_after()
                finally:
                    self._end()
        except (CannotStart, HomeError, ProgramMissing, servers.ServerFailed) as error:
            self.say(f"VeeamSec cannot start: {error}")
            return 1
        return 0

    def _asked_to_end(self, *_: object) -> None:
        # One Ctrl-C may arrive twice, from the terminal and from a parent; a second one is a person's.
        if self.ends.is_set() and time.monotonic() - self.asked > 1:
            self.hurry.set()
        if not self.ends.is_set():
            self.asked = time.monotonic()
        self.ends.set()

    def _start(self) -> None:
        began = time.monotonic()
        free_port(self.port)
        self.home.make()
        for child in private_servers(self.home):
            self.children.append(child)
            child.launch()
            self.say(f"{child.name} started")
        set_up(self.home, self.origin)
        self.say(f"database and keys are set up ({time.monotonic() - began:.1f} s)")
        for child in python_children(self.home, self.port, self.origin):
            self.children.append(child)
            child.launch()
        until = time.monotonic() + READY_SECONDS
        while not healthy(self.port) and not self.ends.wait(0.1):
            self._look_after()
            if time.monotonic() > until:
                raise CannotStart(f"the web does not answer; see {self.home.logs}/web.log")
        if not self.ends.is_set():
            self.say(f"ready: {self.origin} ({time.monotonic() - began:.1f} s); Ctrl-C ends it")

    def _look_after(self) -> None:
        for child in self.children:
            if (code := child.died()) is not None:
                log = self.home.logs / f"{child.name}.log"
                self.say(f"{child.name} ended by itself ({_in_words(code)}); it is started again; see {log}")
            if child.process is None and time.monotonic() >= child.due:
                self._relaunch(child)

    def _relaunch(self, child: Child) -> None:
        try:
            child.launch()
        except servers.ServerFailed as error:
            self.say(f"{child.name} does not start: {error}")
            child.due = time.monotonic() + 10

    def _end(self) -> None:
        if self.children:
            self.say("ending: " + ", ".join(child.name for child in reversed(self.children)))
        for child in sorted(self.children, key=lambda child: -child.stage):
            for same in self.children:
                if same.stage == child.stage:
                    same.ask_to_end()
            child.end(at_once=self.hurry.is_set)
        if self.children:
            self.say("ended")


@contextlib.contextmanager
def lock(home: Home) -> Iterator[None]:
    """Be the only supervisor of this home. Raises CannotStart with the other's process id."""
    home.path.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (home.path / "run.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            raise CannotStart(f"it runs already on {home.path} (process {file.read().strip()})") from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def private_servers(home: Home) -> list[Child]:
    """The servers that no variable names."""
    children = []
    if not os.environ.get("DATABASE_URL"):
        start = lambda: servers.start_postgres(home)  # noqa: E731
        children.append(Child("postgres", start, 1, signal.SIGINT, patience=30, may_hurry=False))
    if not os.environ.get("CELERY_BROKER_URL"):
        children.append(Child("valkey", lambda: servers.start_valkey(home), 2))
    return children


def set_up(home: Home, origin: str) -> None:
    """Run `setup` as the database's owner. Raises CannotStart with its last lines."""
    with open_log(home, "setup") as log:
        ended = subprocess.run(
            [sys.executable, "manage.py", "setup"],
            cwd=PROJECT,
            env=environment(home, "owner", origin),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            timeout=SETUP_SECONDS,
            check=False,
        )
    if ended.returncode:
        tail = (home.logs / "setup.log").read_text().splitlines()[-5:]
        raise CannotStart("setting up failed:\n  " + "\n  ".join(tail))


def healthy(port: int) -> bool:
    """Whether /healthz answers 200."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def free_port(port: int) -> int:
    """The port, or any free one for 0. Raises CannotStart when it is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise CannotStart(f"port {port} is taken; name another by --port") from error
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def stack(home: Path, port: int = 0, *, console: IO[str] | None = None) -> Iterator[str]:
    """The whole product on `home` as a process of its own, for demo and tests; yields its address.

    Port 0 takes a free one. Raises CannotStart with what the process said.
    """
    port = free_port(port)
    url = f"http://localhost:{port}"
    told = environment(Home(home.resolve()), "web", url) | {"DJANGO_SETTINGS_MODULE": "veeamsec.settings"}
    # Several stand beside each other: who wants events names ports that are free.
    told = {f"VEEAMSEC_SYSLOG_{name}": "0" for name in ("UDP", "TCP", "TLS")} | told
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    said = home / "run.log"
    with said.open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "run", f"--port={port}"],
            cwd=PROJECT,
            env=told,
            stdin=subprocess.DEVNULL,
            stdout=console or log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=servers.dies_with_parent(signal.SIGTERM),
        )
    try:
        until = time.monotonic() + SETUP_SECONDS + READY_SECONDS
        while not healthy(port):
            if process.poll() is not None or time.monotonic() > until:
                raise CannotStart(said.read_text() or "it said nothing")
            time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait(90)


def _in_words(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
