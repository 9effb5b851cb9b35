"""The first import of a large Veeam server, by a worker of its own: seconds, memory; then the page on it."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.children import timed
from bench.table import Line, Run
from veeamsec import servers
from veeamsec.children import PROJECT, environment
from veeamsec.home import Home

JOBS, POINTS = 1_000, 200_000
_ORIGIN = "http://localhost:8000"
_PATIENCE = 120


def measure(_folder: Path) -> list[Line]:
    """Serve a large installation from a process of its own, and import it twice."""
    home = Home(Path(tempfile.mkdtemp(prefix="vs-bench-")).resolve())
    try:
        owner = environment(home, "owner", _ORIGIN)
        subprocess.run([sys.executable, "manage.py", "setup"], cwd=PROJECT, env=owner, check=True)
        with servers.running(home), _peer(home.path / "peer") as said:
            _ours(home, "owner", "connect", str(said))
            first, again = (_ours(home, "worker", "import") for _ in range(2))
            pages = _page(home)
    finally:
        servers.forget(home)
        shutil.rmtree(home.path)
    what = f"Veeam import, {JOBS:,} jobs and {POINTS:,} restore points"
    beside = f"{first.cpu:.0f} s of one core"
    return [
        Line(what, first.seconds, "s", beside, None, "< 180"),
        Line(f"{what}, memory", first.peak_mib, "MiB", "", None, "< 200"),
        Line("Veeam import again, nothing new", again.seconds, "s", f"{again.peak_mib:.0f} MiB"),
        *pages,
    ]


@contextmanager
def _peer(place: Path) -> Iterator[Path]:
    """Run a peer; gives the file that says where it is and who may sign in."""
    sizes = ("--seed", "large", "--jobs", str(JOBS), "--points", str(POINTS))
    command = [sys.executable, "-m", "veeamsec.peer", "--port", "0", "--home", str(place), *sizes]
    command += ["--minutes", "30"]
    with subprocess.Popen(command, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as peer:
        try:
            said, until = place / "veeam-peer.json", time.monotonic() + _PATIENCE
            while not said.exists():
                if peer.poll() is not None or time.monotonic() > until:
                    raise RuntimeError("the peer did not start")
                time.sleep(0.1)
            yield said
        finally:
            peer.terminate()


def _ours(home: Home, process: str, *words: str) -> Run:
    told = environment(home, process, _ORIGIN) | {"VEEAMSEC_VEEAM_LOCAL": "1"}
    return timed([sys.executable, "-m", "bench.veeam", *words], **told)


def _page(home: Home) -> list[Line]:
    told = environment(home, "owner", _ORIGIN)
    child = [sys.executable, "-m", "bench.veeam", "page"]
    ended = subprocess.run(child, cwd=PROJECT, env=told, check=True, stdout=subprocess.PIPE, text=True)
    lines = [line.split("\t") for line in ended.stdout.splitlines() if line.count("\t") == 2]
    return [Line(f"{name}, p95", float(p95), "ms", said, None, "< 60") for name, p95, said in lines]


def main(verb: str, *rest: str) -> None:
    """Do `verb` in the process that the environment names."""
    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "veeamsec.settings"
    django.setup()
    acts: dict[str, Callable[..., None]] = {"connect": _connect, "import": _import, "page": _ask_page}
    acts[verb](*rest)


def _connect(said: str) -> None:
    from accounts.models import User
    from bench import crowd
    from encryption.crypto.secret import Secret
    from encryption.services.veeam import servers as veeam

    people: dict[str, User] = crowd.people()
    peer = json.loads(Path(said).read_text())
    account, password = next(iter(peer["accounts"].items()))
    veeam.connect(
        by=people["adam"],
        name="Large",
        address=peer["address"],
        port=peer["port"],
        thumbprint=peer["thumbprint"],
        account=account,
        password=Secret(password.encode()),
    )


def _import() -> None:
    from encryption.models import RestorePoint, VeeamServer
    from encryption.services.veeam import imports

    server = VeeamServer.objects.get()
    imports.run_import(server.pk)
    server.refresh_from_db()
    if server.error or RestorePoint.objects.count() != POINTS:
        raise RuntimeError(server.error or "restore points are missing")


def _ask_page() -> None:
    from accounts.models import User
    from bench import pages

    pages.become_the_web()
    irene = User.objects.get(username="irene")
    sys.stdout.write(pages.page("which password opens what", irene, "/opens/"))


if __name__ == "__main__":
    main(*sys.argv[1:])
