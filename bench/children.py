"""Whole processes: timed, with their peak memory as the kernel counted it, or beside a private database."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.table import Run
from veeamsec import servers
from veeamsec.children import PROJECT, environment
from veeamsec.home import Home


def timed(command: list[str], **more: str) -> Run:
    """Run to the end. Raises RuntimeError with what a failing program said."""
    began = time.monotonic()
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**os.environ, **more},
        cwd=PROJECT,
    ) as child:
        said = child.stderr.read() if child.stderr else b""
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise RuntimeError(f"{command}: {said.decode(errors='replace')[-800:]}")
    return Run(time.monotonic() - began, used.ru_maxrss / 1024, used.ru_utime + used.ru_stime)


def shell(script: str, **more: str) -> Run:
    """Run a line of sh."""
    return timed(["sh", "-ec", script], **more)


def ours(*words: str) -> Run:
    """Run one act of the native engine in a process of its own."""
    return timed([sys.executable, "-m", "bench.act", *words])


def on_a_private_database(module: str) -> list[list[str]]:
    """Run a module beside a new, migrated database; return what it printed with two tabs, in three cells.

    Django is set up once in a process: what needs it is measured in a child.
    """
    home = Home(Path(tempfile.mkdtemp(prefix="vs-bench-")).resolve())
    told = environment(home, "owner", "http://localhost:8000")
    try:
        subprocess.run([sys.executable, "manage.py", "setup"], cwd=PROJECT, env=told, check=True)
        with servers.running(home):
            child = [sys.executable, "-m", module]
            ended = subprocess.run(
                child, cwd=PROJECT, env=told, check=True, stdout=subprocess.PIPE, text=True
            )
    finally:
        servers.forget(home)
        shutil.rmtree(home.path)
    return [line.split("\t") for line in ended.stdout.splitlines() if line.count("\t") == 2]
