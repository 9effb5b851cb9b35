"""Whole processes, timed: wall seconds and peak memory of each, as the kernel counted them."""

import os
import subprocess
import sys
import time
from pathlib import Path

from bench.table import Run

PROJECT = Path(__file__).resolve().parent.parent


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
